import type { Approval, PendingApproval } from 'agent-relay-protocol';
import { useEffect, useRef } from 'react';
import { useCommand } from '../../live/use-command.ts';
import { useMayCall } from '../../live/use-live.ts';
import { answerApproval, isPendingApproval, keyOfApproval } from '../../relay/approvals.ts';
import { AgentLink } from '../agent-link.tsx';
import { Ago } from '../ago.tsx';
import { Fold } from '../fold.tsx';
import { AnswerBar } from './approval-answer.tsx';
import { ApprovalInput } from './approval-input.tsx';
import { isNamedByCommand, kindWords, outcomeOf, visible } from './approval-words.ts';

interface ApprovalCardProps {
  readonly approval: Approval;
  /** Whether an answered one keeps the height it had while it waited. */
  readonly isKept?: boolean;
}

/** What an agent asks, whole, and the answer: to give, or given. */
export function ApprovalCard({ approval, isKept = false }: ApprovalCardProps) {
  const self = useRef<HTMLElement>(null);
  const answer = useCommand(answerApproval);
  const mayAnswer = useMayCall('approvals/resolve');
  const isPending = isPendingApproval(approval);
  // Folded away it is not said, so the title says it.
  const isOpen = isPending || isKept;
  const isAnsweredHere = answer.output !== undefined && !isPending;
  // The button that had the focus is gone; the card is still there, and the arrow keys go on from it.
  useEffect(() => {
    if (isAnsweredHere) self.current?.focus({ preventScroll: true });
  }, [isAnsweredHere]);
  return (
    <article
      ref={self}
      tabIndex={-1}
      aria-label={`${approval.agentId} ${kindWords(approval.kind)}`}
      data-approval-id={approval.approvalId}
      data-approval-status={approval.status}
      className="grid gap-2 px-4 py-3 outline-none"
    >
      <header className="flex flex-wrap items-baseline gap-x-2 gap-y-0.5">
        <AgentLink id={approval.agentId} className="font-semibold" />
        <span className="text-soft">{kindWords(approval.kind)}</span>
        <span className="grow" />
        <span className="text-soft text-xs">
          asked <Ago at={approval.requestedAt} />
        </span>
      </header>
      {isOpen && isNamedByCommand(approval) ? null : <p className="break-words font-medium">{visible(approval.title)}</p>}
      {approval.cwd === undefined ? null : (
        <p className="break-all text-soft text-xs">
          in <code className="font-mono">{visible(approval.cwd)}</code>
        </p>
      )}
      {approval.input === undefined ? null : <Asked name={keyOfApproval(approval)} input={approval.input} isOpen={isOpen} />}
      {isPendingApproval(approval) && mayAnswer ? <AnswerBar approval={approval} answer={answer} /> : null}
      {isPendingApproval(approval) ? null : <Answered approval={approval} isKept={isKept} />}
    </article>
  );
}

interface AskedProps {
  readonly name: string;
  readonly input: Exclude<Approval['input'], undefined>;
  readonly isOpen: boolean;
}

/** Of what is over, the input is there for those who want it. */
function Asked({ name, input, isOpen }: AskedProps) {
  if (isOpen) return <ApprovalInput input={input} />;
  return (
    <Fold name={name} className="text-xs" summaryLook="w-fit text-soft hover:text-ink" summary="What it asked">
      <div className="pt-1.5">
        <ApprovalInput input={input} />
      </div>
    </Fold>
  );
}

const tones = { good: 'text-good', bad: 'text-bad', soft: 'text-soft' } as const;

function Answered({ approval, isKept }: { readonly approval: Exclude<Approval, PendingApproval>; readonly isKept: boolean }) {
  const { mark, tone, words, detail } = outcomeOf(approval);
  return (
    <p className={`break-words text-xs ${isKept ? 'min-h-7 pt-1' : ''}`}>
      <span className={tones[tone]}>
        {mark} {words}
      </span>{' '}
      <span className="text-soft">
        <Ago at={approval.resolvedAt} />
      </span>
      {detail === null ? null : `: ${detail}`}
    </p>
  );
}
