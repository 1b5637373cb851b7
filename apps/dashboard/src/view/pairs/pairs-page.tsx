import { Link } from '@tanstack/react-router';
import type { Pair } from 'agent-relay-protocol';
import { useList } from '../../live/use-list.ts';
import { isOpenPair, pairsView } from '../../relay/pairs.ts';
import { Ago } from '../ago.tsx';
import { ListPane } from '../list-pane.tsx';
import { Empty, SplitPage } from '../split-page.tsx';
import { PairDetail } from './pair-detail.tsx';
import { PairMark } from './pair-looks.tsx';

/** Exclusive live chats of two agents: the open ones first. */
export function PairsPage({ pairId }: { readonly pairId: number | null }) {
  const pairs = useList(pairsView, (all) => [...all.filter(isOpenPair), ...all.filter((pair) => !isOpenPair(pair))]);
  const chosen = pairs.all.find(({ id }) => id === pairId);
  const list = (
    <ListPane
      list={pairs}
      label="Pairs"
      keyOf={({ id }) => id}
      rowHeight={72}
      selected={pairId}
      row={(pair) => <PairRow pair={pair} isSelected={pair.id === pairId} />}
      refused="This token may not see pairs."
      empty={<NoPairs />}
    />
  );
  return (
    <SplitPage
      title="Pairs"
      hint="Exclusive live chats of two agents"
      list={list}
      detail={pairId === null ? null : <PairDetail key={pairId} id={pairId} known={chosen ?? null} />}
    />
  );
}

function PairRow({ pair, isSelected }: { readonly pair: Pair; readonly isSelected: boolean }) {
  return (
    <Link
      to="/pairs/$pairId"
      params={{ pairId: String(pair.id) }}
      aria-current={isSelected}
      data-pair-id={pair.id}
      className={`grid gap-0.5 border-line border-b px-4 py-2 hover:bg-raised ${isSelected ? 'bg-raised' : ''} ${isOpenPair(pair) ? '' : 'opacity-70'}`}
    >
      <span className="flex items-baseline gap-2">
        <span className="min-w-0 truncate font-medium">
          {pair.requester} ⇄ {pair.target}
        </span>
        <span className="grow" />
        <span className="shrink-0 text-soft text-xs">
          <Ago at={'endedAt' in pair ? pair.endedAt : pair.requestedAt} />
        </span>
      </span>
      <span className="truncate">{pair.objective}</span>
      <span className="truncate text-xs">
        <PairMark pair={pair} />
      </span>
    </Link>
  );
}

function NoPairs() {
  return (
    <Empty title="No pairs yet.">
      <p>
        An agent invites another to a live chat of just the two with the tool <code className="font-mono text-xs">relay_pair</code>, or you
        do for it: <code className="font-mono text-xs">agent-relay pair Reviewer --from Lead --objective "…"</code>
      </p>
    </Empty>
  );
}
