import type { Channel, ChannelBinding, ChannelDirection } from 'agent-relay-client';
import { EVERY_CONVERSATION } from 'agent-relay-protocol';
import { useState } from 'react';
import { useMayBind, useUnbind } from '../../relay/use-channels.ts';
import { AgentLink } from '../agent-link.tsx';
import { Ago } from '../ago.tsx';
import { DetailPane, Facts, Section } from '../detail-pane.tsx';
import { known } from '../known.ts';
import { Problem } from '../problem.tsx';
import { BindForm } from './bind-form.tsx';

const directions: Readonly<Record<ChannelDirection, string>> = {
  inbound: 'brings in',
  outbound: 'takes out',
  both: 'both ways',
};

export const directionWords = (direction: string): string => known(directions, direction, (word) => word);

export function ChannelDetail({ channel }: { readonly channel: Channel }) {
  const { id, name, label, transport, direction, status, ready, lastSeenAt, bindings } = channel;
  const mayBind = useMayBind(id);
  const ordered = [...bindings].sort(
    (one, other) => one.conversationId.localeCompare(other.conversationId) || one.createdAt - other.createdAt,
  );
  return (
    <DetailPane label={`Channel ${id}`} title={<AgentLink id={id} className="" />} back="/channels">
      <div className="grid min-h-0 grid-cols-[minmax(0,1fr)] content-start gap-5 overflow-y-auto p-4">
        <Facts
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
                <Binding key={binding.bindingId} binding={binding} mayUnbind={mayBind} />
              ))}
            </ul>
          )}
        </Section>
        {mayBind ? (
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
        <p className="break-words">
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
  const [isAsking, setAsking] = useState(false);
  const unbind = useUnbind(channelId);
  if (unbind.error) return <Problem error={unbind.error} onRetry={() => unbind.reset()} />;
  if (!isAsking) {
    return (
      <button
        type="button"
        aria-label={`Remove ${conversationId} to ${target}`}
        className="button px-2 py-0.5 text-xs"
        onClick={() => setAsking(true)}
      >
        Remove
      </button>
    );
  }
  return (
    <span className="flex flex-wrap justify-end gap-2">
      <button
        type="button"
        className="button border-bad/50 px-2 py-0.5 text-bad text-xs"
        disabled={unbind.isPending}
        onClick={() => unbind.mutate(bindingId)}
      >
        Remove it
      </button>
      <button type="button" className="button px-2 py-0.5 text-xs" onClick={() => setAsking(false)}>
        Keep
      </button>
    </span>
  );
}
