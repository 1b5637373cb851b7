import { useState } from 'react';
import { isPendingApproval, keyOfApproval } from '../../relay/collections.ts';
import { keepInPlace } from '../../relay/keep-in-place.ts';
import { useApprovals } from '../../relay/use-approvals.ts';
import { useMayCall, useMe } from '../../relay/use-relay.ts';
import { DecidedHeading } from '../decided-heading.tsx';
import { Problem } from '../problem.tsx';
import { Empty, SplitPage } from '../split-page.tsx';
import { VirtualList } from '../virtual-list.tsx';
import { ApprovalCard } from './approval-card.tsx';

/** What agents ask of people: what waits, the longest waiting first, and below it what was answered. */
export function ApprovalsPage() {
  const { isSuccess } = useMe();
  const maySee = useMayCall('approvals/list');
  const approvals = useApprovals();
  const all = approvals.data ?? [];
  const waiting = all.filter(isPendingApproval);
  const [kept, setKept] = useState<ReadonlySet<string>>(new Set());
  const keep = keepInPlace(kept, waiting.map(keyOfApproval));
  if (keep !== kept) setKept(keep);
  const open = all.filter((approval) => keep.has(keyOfApproval(approval))).reverse();
  const answered = all.filter((approval) => !keep.has(keyOfApproval(approval)));
  const list = (
    <>
      <div className="px-4 empty:hidden">
        <Problem error={approvals.error} onRetry={() => void approvals.refetch()} />
      </div>
      {isSuccess && !maySee ? <Empty title="What agents ask is for people to see." /> : null}
      <VirtualList
        label="Approvals"
        items={[...open, ...answered]}
        keyOf={keyOfApproval}
        rowHeight={130}
        row={(approval) => (
          <>
            {approval === answered[0] ? <DecidedHeading word="Answered" isNothingOpen={open.length === 0} /> : null}
            <div className="border-line border-b">
              <ApprovalCard approval={approval} isKept={keep.has(keyOfApproval(approval))} />
            </div>
          </>
        )}
        empty={approvals.isSuccess ? <NoApprovals /> : null}
      />
    </>
  );
  return (
    <SplitPage
      title="Approvals"
      hint="What agents ask before they do it"
      tools={waiting.length > 0 ? <span className="text-soft text-xs">{waiting.length} waiting</span> : null}
      list={list}
      detail={null}
    />
  );
}

function NoApprovals() {
  return (
    <Empty title="No agent has asked for anything.">
      <p>
        An agent that was started with <code className="font-mono text-xs">--approval guarded</code> asks here before it writes, runs or
        uses the network in a turn that a message began. What nobody answers in time is not allowed.
      </p>
    </Empty>
  );
}
