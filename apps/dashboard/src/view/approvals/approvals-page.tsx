import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useList } from '../../live/use-list.ts';
import { useLive } from '../../live/use-live.ts';
import { useReadOn } from '../../live/use-read-on.ts';
import { approvalsView, isPendingApproval, keyOfApproval, PENDING_LIMIT } from '../../relay/approvals.ts';
import { keepInPlace } from '../../relay/keep-in-place.ts';
import { pendingApprovals } from '../../relay/open-counts.ts';
import { CutNote } from '../cut-note.tsx';
import { DecidedHeading } from '../decided-heading.tsx';
import { ListPane } from '../list-pane.tsx';
import { Empty, SplitPage } from '../split-page.tsx';
import { ApprovalCard } from './approval-card.tsx';
import { ApprovalTabs } from './approval-tabs.tsx';

/** What agents ask of people: what waits, the longest waiting first, and below it what was answered; with `by`, what that one answered. */
export function ApprovalsPage({ by }: { readonly by: string | null }) {
  const [kept, setKept] = useState<ReadonlySet<string>>(new Set());
  const approvals = useList(approvalsView);
  const { data: count = 0 } = useLive(pendingApprovals);
  const waiting = approvals.all.filter(isPendingApproval);
  useReadOn(approvals, { open: waiting.length, limit: PENDING_LIMIT });
  const keep = keepInPlace(kept, waiting.map(keyOfApproval));
  if (keep !== kept) setKept(keep);
  const open = by === null ? approvals.all.filter((approval) => keep.has(keyOfApproval(approval))).reverse() : [];
  const answered = approvals.all.filter((approval) => !keep.has(keyOfApproval(approval)) && (by === null || approval.by === by));
  const list = (
    <ListPane
      list={{ ...approvals, items: [...open, ...answered] }}
      label="Approvals"
      keyOf={keyOfApproval}
      rowHeight={130}
      row={(approval) => (
        <>
          {approval === answered[0] && by === null ? <DecidedHeading word="Answered" isNothingOpen={open.length === 0} /> : null}
          <div className="border-line border-b">
            <ApprovalCard approval={approval} isKept={keep.has(keyOfApproval(approval))} />
          </div>
        </>
      )}
      refused="What agents ask is for people to see."
      empty={<NoApprovals />}
      footer={approvals.isWhole ? null : <CutNote shown={waiting.length} count={count} />}
      noneFits={<Empty title={`None of the newest was answered by ${by}.`} />}
    />
  );
  return (
    <SplitPage
      title="Approvals"
      hint="What agents ask before they do it"
      tools={
        <>
          <ApprovalTabs chosen="questions" />
          {count > 0 ? <span className="text-soft text-xs">{count} waiting</span> : null}
          {by === null ? null : (
            <Link to="/approvals" className="text-accent text-xs hover:underline">
              Answered by {by} · show all
            </Link>
          )}
        </>
      }
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
        uses the network in a turn that a message began, and one with <code className="font-mono text-xs">--ask</code> before what goes
        beyond its folder. What nobody answers in time is not allowed.
      </p>
    </Empty>
  );
}
