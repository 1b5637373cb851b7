import { Link } from '@tanstack/react-router';
import type { Channel } from 'agent-relay-client';
import { useList } from '../../live/use-list.ts';
import { channelsView } from '../../relay/channels.ts';
import { Ago } from '../ago.tsx';
import { DetailPane } from '../detail-pane.tsx';
import { ListPane } from '../list-pane.tsx';
import { PresenceDot } from '../presence-dot.tsx';
import { Empty, SplitPage } from '../split-page.tsx';
import { ChannelDetail, directionWords } from './channel-detail.tsx';

/** Channels to people outside, and who is meant in their conversations. */
export function ChannelsPage({ channelId }: { readonly channelId: string | null }) {
  const channels = useList(channelsView, (all) => [...all].sort((one, other) => one.id.localeCompare(other.id)));
  const list = (
    <ListPane
      list={channels}
      label="Channels"
      keyOf={({ id }) => id}
      rowHeight={56}
      selected={channelId}
      row={(channel) => <ChannelRow channel={channel} isSelected={channel.id === channelId} />}
      refused="This token may not see channels."
      empty={<NoChannels />}
    />
  );
  return (
    <SplitPage
      title="Channels"
      hint="Conversations with people outside"
      list={list}
      detail={
        channelId === null ? null : (
          <Chosen
            key={channelId}
            id={channelId}
            channel={channels.all.find(({ id }) => id === channelId)}
            isRead={channels.status === 'ready'}
          />
        )
      }
    />
  );
}

interface ChosenProps {
  readonly id: string;
  readonly channel: Channel | undefined;
  readonly isRead: boolean;
}

function Chosen({ id, channel, isRead }: ChosenProps) {
  if (channel) return <ChannelDetail channel={channel} />;
  return (
    <DetailPane label={`Channel ${id}`} title={id} back="/channels">
      <p className="p-4 text-soft">{isRead ? 'There is no channel of this id.' : 'Reading…'}</p>
    </DetailPane>
  );
}

function ChannelRow({ channel, isSelected }: { readonly channel: Channel; readonly isSelected: boolean }) {
  const { id, label, transport, direction, status, bindings, lastSeenAt } = channel;
  return (
    <Link
      to="/channels/$channelId"
      params={{ channelId: id }}
      aria-current={isSelected}
      data-channel-id={id}
      className={`flex items-center gap-2.5 border-line border-b px-4 py-2 hover:bg-raised ${isSelected ? 'bg-raised' : ''}`}
    >
      <PresenceDot status={status} />
      <span className="min-w-0 grow">
        <span className="block truncate font-medium">{id}</span>
        <span className="block truncate text-soft text-xs">
          {[transport, directionWords(direction), label].filter((word) => word !== null).join(' · ')}
        </span>
      </span>
      <span className="shrink-0 text-right text-xs">
        <span className={`block ${bindings.length === 0 && direction !== 'outbound' ? 'text-warn' : 'text-soft'}`}>
          {bindings.length === 0 ? 'bound to nobody' : bindings.length === 1 ? '1 binding' : `${bindings.length} bindings`}
        </span>
        <span className="block text-soft">
          {status === 'offline' ? (
            <>
              seen <Ago at={lastSeenAt} />
            </>
          ) : (
            status
          )}
        </span>
      </span>
    </Link>
  );
}

function NoChannels() {
  return (
    <Empty title="No channels yet.">
      <p>
        A channel carries what people write outside to agents and brings the answers back: start{' '}
        <code className="font-mono text-xs">agent-relay-channel-telegram</code> or{' '}
        <code className="font-mono text-xs">agent-relay-channel-webhook</code>, or write one with{' '}
        <code className="font-mono text-xs">client.channel()</code>.
      </p>
    </Empty>
  );
}
