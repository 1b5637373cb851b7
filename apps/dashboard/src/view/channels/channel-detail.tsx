import type { Channel, ChannelBinding, ChannelDirection } from 'agent-relay-client';
import { EVERY_CONVERSATION } from 'agent-relay-protocol';
import { mayBind } from '../../live/permissions.ts';
import { useCommand } from '../../live/use-command.ts';
import { useMe } from '../../live/use-live.ts';
import { AgentLink } from '../agent-link.tsx';
import { Ago } from '../ago.tsx';
import { ConfirmButton } from '../confirm-button.tsx';
import { DetailPane, FactList, Section } from '../detail-pane.tsx';
import { known } from '../known.ts';
import { BindForm } from './bind-form.tsx';

const directions: Readonly<Record<ChannelDirection, string>> = {
  inbound: 'brings in',
  outbound: 'takes out',
  both: 'both ways',
};

export const directionWords = (direction: string): string => known(directions, direction, (word) => word);

export function ChannelDetail({ channel }: { readonly channel: Channel }) {
  const { id, name, label, transport, direction, status, ready, lastSeenAt, bindings } = channel;
  const isBinder = mayBind(useMe(), id);
  const ordered = [...bindings].sort(
    (one, other) => one.conversationId.localeCompare(other.conversationId) || one.createdAt - other.createdAt,
  );
  return (
    <DetailPane label={`Channel ${id}`} title={<AgentLink id={id} className="" />} back="/channels">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled by keys as well */}
      <div tabIndex={0} className="grid min-h-0 grid-cols-[minmax(0,1fr)] content-start gap-5 overflow-y-auto p-4">
        <FactList
          facts={[
            ['Name', name === id ? null : name],
            ['Label', label],
            ['Transport', transport],
            ['Direction', directionWords(direction)],
            ['Presence', ready || status === 'offline' ? status : `${status}, not ready`],
            ['Last seen', status === 'offline' ? <Ago key="seen" at={lastSeenAt} /> : null],
          ]}
        />
        <Section title="Who is meant">
          {ordered.length === 0 ? (
            <p className="text-soft">
              {direction === 'outbound'
                ? 'Nobody: an agent’s message finds its conversation only as an answer.'
                : 'Nobody: what people write is refused until a conversation is bound.'}
            </p>
          ) : (
            <ul aria-label="Bindings">
              {ordered.map((binding) => (
                <Binding key={binding.bindingId} binding={binding} mayUnbind={isBinder} />
              ))}
            </ul>
          )}
        </Section>
        {isBinder ? (
          <Section title="Bind a conversation">
            <BindForm channelId={id} conversations={[...new Set(ordered.map(({ conversationId }) => conversationId))]} />
          </Section>
        ) : null}
      </div>
    </DetailPane>
  );
}

function Binding({ binding, mayUnbind }: { readonly binding: ChannelBinding; readonly mayUnbind: boolean }) {
  const { bindingId, conversationId, target, mode, createdAt, createdBy } = binding;
  return (
    <li data-binding-id={bindingId} className="flex items-start gap-3 border-line border-b py-2 last:border-b-0">
      <div className="min-w-0 grow">
        <p className="[overflow-wrap:anywhere]">
          <Conversation id={conversationId} /> <span className="text-soft">→</span> <Target target={target} />
        </p>
        <p className="text-soft text-xs">
          {mode === 'fanout' ? 'a copy of its own' : target.startsWith('id:') ? 'it alone' : 'one of them takes each message'} · bound{' '}
          <Ago at={createdAt} /> by {createdBy}
        </p>
      </div>
      {mayUnbind ? <Unbind binding={binding} /> : null}
    </li>
  );
}

const Conversation = ({ id }: { readonly id: string }) =>
  id === EVERY_CONVERSATION ? <span>every other conversation</span> : <code className="break-all font-mono text-xs">{id}</code>;

const Target = ({ target }: { readonly target: string }) =>
  target.startsWith('id:') ? <AgentLink id={target.slice(3)} /> : <span className="font-medium">{target}</span>;

function Unbind({ binding: { bindingId, channelId, conversationId, target } }: { readonly binding: ChannelBinding }) {
  const unbind = useCommand((relay) => relay.channels.unbind({ id: channelId, bindingId }));
  return <ConfirmButton word="Remove" label={`Remove ${conversationId} to ${target}`} confirmWord="Remove it" command={unbind} />;
}
