import { useVirtualizer, type Virtualizer } from '@tanstack/react-virtual';
import {
  type FocusEvent,
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { UnfoldedContext } from './fold.tsx';
import { useStaysAtEnd } from './use-stays-at-end.ts';

export interface VirtualListProps<Item> {
  readonly label: string;
  readonly items: readonly Item[];
  readonly keyOf: (item: Item) => string | number;
  readonly rowHeight: number;
  readonly row: (item: Item) => ReactNode;
  /** Shown in place of the rows when there are none. */
  readonly empty: ReactNode;
  readonly header?: ReactNode;
  readonly footer?: ReactNode;
  /** Scrolled to when it changes, e.g. what an address names. */
  readonly selected?: string | number | null;
  /**
   * `list`: begins at its start; one stop for Tab, from which arrow keys, Home and End move between the rows' first links or buttons. `log`: what comes is added at its end,
   * where it begins unless something is selected, and where it stays while the reader is there; Home and End go to its ends.
   */
  readonly kind?: 'list' | 'log';
}

type Rows = Virtualizer<HTMLDivElement, Element>;
type Scroller = RefObject<HTMLDivElement | null>;

/** Any number of rows, of which only those in sight exist. */
export function VirtualList<Item>(props: VirtualListProps<Item>) {
  const { label, items, keyOf, rowHeight, row, empty, header, footer, selected = null, kind = 'list' } = props;
  const isLog = kind === 'log';
  const scroller = useRef<HTMLDivElement>(null);
  const getItemKey = useItemKeys(items, keyOf);
  const rows: Rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 10,
    getItemKey,
  });
  const last = items.at(-1);
  const reader = useStaysAtEnd(scroller, {
    isOn: isLog && selected === null,
    // A row grows when what belongs to it arrives, e.g. its receipts.
    changed: last === undefined ? null : `${keyOf(last)}/${rows.getTotalSize()}`,
    toEnd: () => rows.scrollToIndex(items.length - 1, { align: 'end' }),
  });
  const selectedIndex = useIndexOf(items, getItemKey, selected);
  useScrolledTo(rows, selected, { index: selectedIndex, isLog });
  useStaysInPlace(rows, scroller, { items, keyOf, isOn: isLog });
  const [unfolded] = useState(() => new Set<string>());
  const { onKeyDown, onFocus } = useArrowKeys(scroller, rows, { count: items.length, selected: selectedIndex, isOn: !isLog });
  return (
    <div
      ref={scroller}
      className="min-h-0 grow overflow-y-auto"
      {...(isLog
        ? { role: 'log', 'aria-label': label, tabIndex: 0, onKeyDown: toEdge(rows, items.length), ...reader }
        : { onKeyDown, onFocus })}
    >
      {header}
      {items.length === 0 ? empty : null}
      <ul aria-label={label} className="measure relative" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ index, key, start }) => {
          const item = items[index];
          return item === undefined ? null : (
            <li
              key={key}
              ref={rows.measureElement}
              data-index={index}
              aria-setsize={items.length}
              aria-posinset={index + 1}
              className="absolute inset-x-0"
              style={{ transform: `translateY(${start}px)` }}
            >
              <UnfoldedContext value={unfolded}>{row(item)}</UnfoldedContext>
            </li>
          );
        })}
      </ul>
      {footer}
    </div>
  );
}

/** The key of each row; another function only once the rows are others, for then all of them are placed anew. */
function useItemKeys<Item>(items: readonly Item[], keyOf: (item: Item) => string | number): (index: number) => string | number {
  // What is the key of an item does not change.
  const [keyOfItem] = useState(() => keyOf);
  return useCallback(
    (index: number) => {
      const item = items[index];
      return item === undefined ? index : keyOfItem(item);
    },
    [items, keyOfItem],
  );
}

function useIndexOf(items: readonly unknown[], keyAt: (index: number) => string | number, key: string | number | null): number {
  return useMemo(() => (key === null ? -1 : items.findIndex((_item, index) => keyAt(index) === key)), [items, keyAt, key]);
}

/** Brings what is selected into sight, once for each that is. */
function useScrolledTo(
  rows: Rows,
  selected: string | number | null,
  { index, isLog }: { readonly index: number; readonly isLog: boolean },
): void {
  const shown = useRef<string | number | null>(null);
  useEffect(() => {
    if (index === -1 || shown.current === selected) return;
    shown.current = selected;
    rows.scrollToIndex(index, { align: isLog ? 'center' : 'auto' });
  }, [index, selected, rows, isLog]);
}

/** Home and End go there at once: a browser glides, and stops where a row that comes into sight is not as high as was thought. */
const toEdge =
  (rows: Rows, count: number) =>
  (event: KeyboardEvent): void => {
    if (count === 0 || isTyping(event.target) || (event.key !== 'Home' && event.key !== 'End')) return;
    event.preventDefault();
    if (event.key === 'Home') rows.scrollToIndex(0, { align: 'start' });
    else rows.scrollToIndex(count - 1, { align: 'end' });
  };

interface Placed<Item> {
  readonly items: readonly Item[];
  readonly keyOf: (item: Item) => string | number;
  readonly isOn: boolean;
}

/** Rows that come in above leave what is read where it is. */
function useStaysInPlace<Item>(rows: Rows, scroller: Scroller, { items, keyOf, isOn }: Placed<Item>): void {
  const [first] = items;
  const firstKey = first === undefined ? null : keyOf(first);
  const before = useRef(firstKey);
  useLayoutEffect(() => {
    const last = before.current;
    before.current = firstKey;
    if (!isOn || last === null || last === firstKey || !scroller.current) return;
    const index = items.findIndex((item) => keyOf(item) === last);
    const above = index > 0 ? rows.measurementsCache[index]?.start : undefined;
    if (above !== undefined) scroller.current.scrollTop += above;
  }, [firstKey, isOn, items, keyOf, rows, scroller]);
}

interface Arrows {
  readonly count: number;
  /** Where Tab comes in first; -1 for the first row. */
  readonly selected: number;
  readonly isOn: boolean;
}

/** Tab stops at one row of a list, whatever it has in it; the arrow keys, Home and End lead to the others. */
function useArrowKeys(scroller: Scroller, rows: Rows, { count, selected, isOn }: Arrows) {
  const toFocus = useRef<number | null>(null);
  const [visited, setVisited] = useState<number | null>(null);
  const stop = visited ?? Math.max(0, selected);
  const targetIn = (index: number) => scroller.current?.querySelector<HTMLElement>(`[data-index="${index}"] :is(a, button, summary)`);
  useLayoutEffect(() => {
    if (!isOn || !scroller.current) return;
    const shown = [...scroller.current.querySelectorAll<HTMLElement>('[data-index]')];
    const stopShown = shown.find((row) => Number(row.dataset['index']) === stop) ?? shown[0];
    for (const row of shown) for (const one of row.querySelectorAll<HTMLElement>(stops)) one.tabIndex = row === stopShown ? 0 : -1;
  });
  // A row out of sight exists only once it was scrolled to.
  useEffect(() => {
    const target = toFocus.current === null ? null : targetIn(toFocus.current);
    if (!target) return;
    toFocus.current = null;
    target.focus();
  });
  const indexOf = (element: Element | null) => Number(element?.closest<HTMLElement>('[data-index]')?.dataset['index'] ?? -1);
  const onFocus = ({ target }: FocusEvent) => {
    const index = indexOf(target);
    if (index !== -1) setVisited(index);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const from = indexOf(document.activeElement);
    if (from === -1) return; // not in a row: in a dialog that one has opened
    const to = { ArrowDown: from + 1, ArrowUp: from - 1, Home: 0, End: count - 1 }[event.key];
    if (to === undefined || to < 0 || to >= count || isTyping(event.target)) return;
    event.preventDefault();
    toFocus.current = to;
    rows.scrollToIndex(to, { align: 'auto' });
    targetIn(to)?.focus();
  };
  return { onKeyDown, onFocus };
}

/** What Tab would stop at in each row. */
const stops = 'a[href], button, input, select, textarea, summary';

const isTyping = (target: EventTarget): boolean =>
  target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
