import { useMayCall, useMe } from '../../live/use-live.ts';
import type { SearchFilter } from '../../relay/search-filter.ts';
import { type Search, useSearch } from '../../relay/use-search.ts';
import { OlderRows } from '../older-rows.tsx';
import { Problem } from '../problem.tsx';
import { Empty } from '../split-page.tsx';
import { VirtualList } from '../virtual-list.tsx';
import { SearchHitRow } from './search-hit.tsx';
import { SearchTools } from './search-tools.tsx';

/** Finds what was said and done by its words, and leads to the moment. */
export function FindPage({ filter }: { readonly filter: SearchFilter }) {
  const isKnown = useMe() !== undefined;
  const maySearch = useMayCall('search/find');
  return (
    <main className="grid min-h-0 grid-cols-[minmax(0,1fr)] grid-rows-[auto_minmax(0,1fr)]">
      <h2 className="sr-only">Search</h2>
      {isKnown && !maySearch ? (
        <Empty title="This token may not search." />
      ) : (
        <>
          <SearchTools key={JSON.stringify(filter)} filter={filter} />
          <Results filter={filter} />
        </>
      )}
    </main>
  );
}

function Results({ filter }: { readonly filter: SearchFilter }) {
  const search = useSearch(filter);
  const { status, items, behind, older, isWhole } = search;
  return (
    <section aria-label="Found" aria-busy={status === 'reading'} className="flex min-h-0 flex-col">
      <p role="status" className="measure px-4 py-1.5 text-soft text-xs">
        {wordsOf(search)}
        {behind > 0 ? ` The ${behind} newest cannot be found yet.` : ''}
      </p>
      <VirtualList
        label="Found"
        items={items}
        keyOf={(hit) => `${hit.in}/${hit.id}`}
        rowHeight={76}
        row={(hit) => <SearchHitRow hit={hit} />}
        footer={<OlderRows list={{ status: status === 'ready' ? 'ready' : 'reading', items, isWhole, older }} end="That is all." />}
        empty={<WhyNone search={search} />}
      />
    </section>
  );
}

function wordsOf({ status, items, isWhole }: Search): string {
  if (status === 'reading') return 'Searching…';
  if (status !== 'ready') return '';
  return `${items.length}${isWhole ? '' : ' or more'} found`;
}

function WhyNone({ search: { status, error, readAgain } }: { readonly search: Search }) {
  switch (status) {
    case 'nothing':
      return (
        <Empty title="What do you look for?">
          <p>Everything that was said to somebody, and what agents said, thought, called and changed, is found by its words.</p>
        </Empty>
      );
    case 'ready':
      return <Empty title="Nothing was found.">Fewer words, or fewer limits, find more.</Empty>;
    case 'failed':
      return (
        <div className="px-4 py-3">
          <Problem error={error} onRetry={readAgain} />
        </div>
      );
    case 'reading':
      return null;
  }
}
