import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useList } from '../../live/use-list.ts';
import { useLive } from '../../live/use-live.ts';
import { useReadOn } from '../../live/use-read-on.ts';
import { type HoldOutcome, holdsView, isOpenHold, OPEN_HOLDS } from '../../relay/holds.ts';
import { openHolds } from '../../relay/open-counts.ts';
import { CutNote } from '../cut-note.tsx';
import { DecidedHeading } from '../decided-heading.tsx';
import { ListPane } from '../list-pane.tsx';
import { NoticeBox } from '../notice-box.tsx';
import { Empty, SplitPage } from '../split-page.tsx';
import { HoldRow } from './hold-row.tsx';

/** Messages the loop guard keeps: those that wait, the longest waiting first, and below them what was decided. */
export function HoldsPage() {
  const [outcome, setOutcome] = useState<HoldOutcome | null>(null);
  const holds = useList(holdsView);
  const { data: count = 0 } = useLive(openHolds);
  const open = holds.all.filter(isOpenHold).reverse();
  useReadOn(holds, { open: open.length, limit: OPEN_HOLDS });
  const decided = holds.all.filter((hold) => !isOpenHold(hold));
  const list = (
    <ListPane
      list={{ ...holds, items: [...open, ...decided] }}
      label="Held messages"
      keyOf={({ id }) => id}
      rowHeight={150}
      row={(hold) => (
        <>
          {hold === decided[0] ? <DecidedHeading word="Decided" isNothingOpen={open.length === 0} /> : null}
          <HoldRow hold={hold} onOutcome={setOutcome} />
        </>
      )}
      refused="This token may not read messages."
      empty={<NoHolds />}
      footer={holds.isWhole ? null : <CutNote shown={open.length} count={count} />}
    />
  );
  return (
    <SplitPage
      title="Held messages"
      hint="What the loop guard keeps until a person decides"
      tools={
        <>
          {count > 0 ? <span className="text-soft text-xs">{count} waiting</span> : null}
          <span className="grow" />
          {outcome === null ? null : (
            <NoticeBox key={outcome.id} onClose={() => setOutcome(null)}>
              <OutcomeWords outcome={outcome} />
            </NoticeBox>
          )}
        </>
      }
      list={list}
      detail={null}
    />
  );
}

function OutcomeWords({ outcome }: { readonly outcome: HoldOutcome }) {
  switch (outcome.type) {
    case 'released':
      return (
        <>
          Sent as{' '}
          <Link to="/messages/$messageId" params={{ messageId: String(outcome.messageId) }} className="text-accent hover:underline">
            message {outcome.messageId}
          </Link>
          {outcome.matched === 0 ? ', but it reached nobody' : outcome.matched === 1 ? '' : ` to ${outcome.matched} agents`}
        </>
      );
    case 'refused':
      return 'Refused; its sender is told';
    case 'too-late':
      return `${outcome.told} before you answered`;
  }
}

function NoHolds() {
  return (
    <Empty title="Nothing is held.">
      <p>
        When agents answer each other too long, too fast or in the same words, or an agent has used up its token budget, their messages wait
        here until you release or refuse them.
      </p>
    </Empty>
  );
}
