import type { ReactNode } from 'react';
import type { List } from '../live/use-list.ts';
import { Problem } from './problem.tsx';
import { Empty } from './split-page.tsx';
import { VirtualList, type VirtualListProps } from './virtual-list.tsx';

interface ListPaneProps<Item> extends Omit<VirtualListProps<Item>, 'items' | 'empty'> {
  readonly list: List<Item>;
  /** Said to who may not read it. */
  readonly refused: string;
  /** Shown when there is nothing at all. */
  readonly empty: ReactNode;
  /** Shown when there is something and nothing of it is shown. */
  readonly noneFits?: ReactNode;
}

/** A list of the relay as it stands: its rows, or why there are none. */
export function ListPane<Item>({ list, refused, empty, noneFits = null, ...rows }: ListPaneProps<Item>) {
  return (
    <>
      <div className="px-4 empty:hidden">
        <Problem error={list.error} onRetry={list.readAgain} />
      </div>
      {list.status === 'refused' ? <Empty title={refused} /> : null}
      <VirtualList {...rows} items={list.items} empty={list.status !== 'ready' ? null : list.all.length > 0 ? noneFits : empty} />
    </>
  );
}
