import { Link } from '@tanstack/react-router';
import type { SearchHit } from 'agent-relay-protocol';
import { AgentLink } from '../agent-link.tsx';
import { Ago } from '../ago.tsx';
import { known } from '../known.ts';
import { readSnippet, withoutTool } from './snippet.ts';

const kinds: Readonly<Record<string, string>> = {
  'user.message': 'was asked',
  'text.completed': 'said',
  'reasoning.completed': 'thought',
  'tool.started': 'called',
  'tool.completed': 'had back',
  'file.changed': 'changed',
  'plan.updated': 'planned',
  'approval.requested': 'asked for',
  'approval.resolved': 'was answered',
  'turn.failed': 'failed',
  'agent.error': 'met an error',
  'session.ended': 'ended',
};

/** Something that was found: who said or did it, when, and the way to the moment. */
export function SearchHitRow({ hit }: { readonly hit: SearchHit }) {
  const { pieces: found, handed } = readSnippet(hit.snippet);
  const pieces = hit.in === 'activity' && hit.tool !== null ? withoutTool(found, hit.tool) : found;
  return (
    <article className="grid gap-1 border-line border-b px-4 py-3" data-hit={hit.in}>
      <header className="flex flex-wrap items-baseline gap-x-2 text-xs">
        {hit.in === 'messages' ? <MessageWords hit={hit} /> : <ActivityWords hit={hit} />}
        {handed === null ? null : (
          <span className="text-soft">
            by <AgentLink id={handed.from} /> in{' '}
            <Link to="/messages/$messageId" params={{ messageId: String(handed.messageId) }} className="text-accent hover:underline">
              message {handed.messageId}
            </Link>
          </span>
        )}
        <span className="grow" />
        <span className="text-soft">
          <Ago at={hit.at} />
        </span>
      </header>
      <Moment hit={hit}>
        {pieces.length === 0
          ? 'Show it'
          : pieces.map(({ text, isMatch }, index) =>
              isMatch ? (
                <mark key={index} className="rounded-sm bg-warn/25 text-inherit">
                  {text}
                </mark>
              ) : (
                <span key={index}>{text}</span>
              ),
            )}
      </Moment>
      {hit.in === 'activity' && hit.files.length > 0 ? (
        <p className="font-mono text-soft text-xs [overflow-wrap:anywhere]">{hit.files.map(({ path }) => path).join('  ')}</p>
      ) : null}
    </article>
  );
}

type HitOf<In extends SearchHit['in']> = Extract<SearchHit, { readonly in: In }>;

const MessageWords = ({ hit: { from, to, channel, id } }: { readonly hit: HitOf<'messages'> }) => (
  <>
    <AgentLink id={from} className="font-semibold text-sm" />
    <span className="text-soft">→ {to.replace(/^id:/u, '')}</span>
    {channel === null ? null : <span className="text-accent">#{channel}</span>}
    <span className="text-soft">message {id}</span>
  </>
);

const ActivityWords = ({ hit: { agentId, type, tool } }: { readonly hit: HitOf<'activity'> }) => (
  <>
    <AgentLink id={agentId} className="font-semibold text-sm" />
    <span className="text-soft">{known(kinds, type, (word) => word)}</span>
    {tool === null ? null : <code className="rounded bg-raised px-1 font-mono">{tool}</code>}
  </>
);

const look = 'line-clamp-4 whitespace-pre-wrap text-sm hover:underline [overflow-wrap:anywhere]';

function Moment({ hit, children }: { readonly hit: SearchHit; readonly children: React.ReactNode }) {
  return hit.in === 'messages' ? (
    <Link to="/messages/$messageId" params={{ messageId: String(hit.id) }} className={look}>
      {children}
    </Link>
  ) : (
    <Link to="/agents/$agentId" params={{ agentId: hit.agentId }} search={{ session: hit.sessionId, entry: hit.id }} className={look}>
      {children}
    </Link>
  );
}
