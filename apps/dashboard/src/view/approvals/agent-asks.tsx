import { Link } from '@tanstack/react-router';
import { useList } from '../../live/use-list.ts';
import { approvalsView, isPendingApproval, keyOfApproval } from '../../relay/approvals.ts';
import { ApprovalCard } from './approval-card.tsx';

/** What one agent waits to be allowed: the question that has waited longest, and how many more there are. */
export function AgentAsks({ agentId }: { readonly agentId: string }) {
  const waiting = useList(approvalsView).all.filter((approval) => isPendingApproval(approval) && approval.agentId === agentId);
  const first = waiting.at(-1);
  if (first === undefined) return <div />;
  return (
    // However long the question is, the answer is in sight.
    <section
      aria-label={`What ${agentId} asks`}
      className="max-h-[45vh] min-h-0 overflow-y-auto border-warn border-t-2 bg-panel [&_[data-answer]]:sticky [&_[data-answer]]:bottom-0 [&_[data-answer]]:bg-panel [&_[data-answer]]:py-2"
    >
      <ApprovalCard key={keyOfApproval(first)} approval={first} />
      {waiting.length === 1 ? null : (
        <p className="px-4 pb-2 text-xs">
          <Link to="/approvals" className="text-accent hover:underline">
            {waiting.length - 1} more of its questions wait
          </Link>
        </p>
      )}
    </section>
  );
}
