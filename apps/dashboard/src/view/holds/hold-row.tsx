import { Link } from '@tanstack/react-router';
import type { Hold, OpenHold } from 'agent-relay-protocol';
import { useCommand } from '../../live/use-command.ts';
import { useMayCall } from '../../live/use-live.ts';
import { decideHold, type HoldOutcome, isOpenHold } from '../../relay/holds.ts';
import { ActButton } from '../act-button.tsx';
import { AgentLink } from '../agent-link.tsx';
import { Ago } from '../ago.tsx';
import { Problem } from '../problem.tsx';
import { ReasonButton } from '../reason-button.tsx';
import { ruleWords } from './hold-words.ts';

interface HoldRowProps {
  readonly hold: Hold;
  readonly onOutcome: (outcome: HoldOutcome) => void;
}

/** A message that was not sent: what it says, why it waits, and what a person can do about it, or who has decided. */
export function HoldRow({ hold, onOutcome }: HoldRowProps) {
  const isOpen = isOpenHold(hold);
  const { message, reason, attempts } = hold;
  return (
    <article data-hold-id={hold.id} data-hold-status={hold.status} className="grid gap-2 border-line border-b px-4 py-3">
      <header className="flex flex-wrap items-baseline gap-x-2 gap-y-0.5">
        <AgentLink id={message.from} className="font-semibold" />
        <span className="text-soft">→ {message.to.replace(/^id:/u, '')}</span>
        {message.channel === null ? null : <span className="text-accent text-xs">#{message.channel}</span>}
        <Rule hold={hold} />
        <span className="grow" />
        <span className="text-soft text-xs">
          held <Ago at={hold.heldAt} />
        </span>
      </header>
      {isOpen ? null : <Decision hold={hold} />}
      <p className="text-soft text-xs">
        {reason}
        {attempts > 1 ? ` · tried ${attempts} times` : ''} · <Thread threadId={message.threadId} />
      </p>
      <Said hold={hold} />
      {isOpen ? <Decide hold={hold} onOutcome={onOutcome} /> : null}
    </article>
  );
}

function Rule({ hold: { rule, status } }: { readonly hold: Hold }) {
  const { word, meaning } = ruleWords(rule);
  const tone = status === 'held' ? 'border-warn/50 text-warn' : 'border-line text-soft';
  return (
    <span className={`rounded border px-1.5 text-xs ${tone}`} title={meaning}>
      {word}
    </span>
  );
}

function Thread({ threadId }: { readonly threadId: number | null }) {
  if (threadId === null) return 'begins a thread';
  return (
    <Link to="/messages/$messageId" params={{ messageId: String(threadId) }} className="text-accent hover:underline">
      thread {threadId}
    </Link>
  );
}

function Said({ hold: { message, status } }: { readonly hold: Hold }) {
  const height = status === 'held' ? 'max-h-60' : 'max-h-20';
  return (
    <div className={`max-w-4xl overflow-y-auto rounded-lg bg-raised px-3 py-2 ${height}`}>
      {message.subject === null ? null : <p className="font-medium">{message.subject}</p>}
      <p className="whitespace-pre-wrap [overflow-wrap:anywhere]">{message.body}</p>
    </div>
  );
}

function Decide({ hold: { id, message }, onOutcome }: { readonly hold: OpenHold; readonly onOutcome: (outcome: HoldOutcome) => void }) {
  const mayDecide = useMayCall('holds/release');
  const decide = useCommand(decideHold, onOutcome);
  if (!mayDecide) return null;
  return (
    <div className="flex flex-wrap items-center gap-2">
      <ActButton
        aria-label={`Release ${id}`}
        className="button button-main px-2.5 py-1 text-xs"
        isBusy={decide.isPending}
        onClick={() => decide.run({ id, outcome: 'release' })}
      >
        Release
      </ActButton>
      <ReasonButton
        word="Refuse"
        label={`Refuse ${id}`}
        hint={`Why? ${message.from} is told; may stay empty`}
        keepWord="Not yet"
        isPending={decide.isPending}
        onReason={(because) => decide.run({ id, outcome: 'refuse', because })}
      />
      <Problem error={decide.error} />
    </div>
  );
}

function Decision({ hold }: { readonly hold: Exclude<Hold, OpenHold> }) {
  const when = (
    <span className="text-soft">
      by {hold.decidedBy} <Ago at={hold.decidedAt} />
    </span>
  );
  if (hold.status === 'refused') {
    return (
      <p className="text-xs">
        <span className="text-bad">✕ refused</span> {when}
        {hold.because === null ? null : <span>: {hold.because}</span>}
      </p>
    );
  }
  return (
    <p className="text-xs">
      <span className="text-good">✔ released</span> {when} as{' '}
      <Link to="/messages/$messageId" params={{ messageId: String(hold.messageId) }} className="text-accent hover:underline">
        message {hold.messageId}
      </Link>
    </p>
  );
}
