import { Link } from '@tanstack/react-router';
import type { Pair } from 'agent-relay-protocol';
import { isOverPair } from '../../relay/collections.ts';
import { usePairs } from '../../relay/use-pairs.ts';
import { Ago } from '../ago.tsx';
import { Problem } from '../problem.tsx';
import { Empty, SplitPage } from '../split-page.tsx';
import { VirtualList } from '../virtual-list.tsx';
import { PairDetail } from './pair-detail.tsx';
import { PairMark } from './pair-looks.tsx';

/** Exclusive live chats of two agents: the open ones first. */
export function PairsPage({ pairId }: { readonly pairId: number | null }) {
  const pairs = usePairs();
  const all = pairs.data ?? [];
  const chosen = all.find(({ id }) => id === pairId);
  const ordered = [...all.filter((pair) => !isOverPair(pair)), ...all.filter(isOverPair)];
  const list = (
    <>
      <div className="px-4 empty:hidden">
        <Problem error={pairs.error} onRetry={() => void pairs.refetch()} />
      </div>
      <VirtualList
        label="Pairs"
        items={ordered}
        keyOf={({ id }) => id}
        rowHeight={72}
        selected={pairId}
        row={(pair) => <PairRow pair={pair} isSelected={pair.id === pairId} />}
        empty={pairs.isSuccess ? <NoPairs /> : null}
      />
    </>
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
      className={`grid gap-0.5 border-line border-b px-4 py-2 hover:bg-raised ${isSelected ? 'bg-raised' : ''} ${isOverPair(pair) ? 'opacity-70' : ''}`}
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
