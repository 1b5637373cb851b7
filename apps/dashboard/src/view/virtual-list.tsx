import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react';

interface VirtualListProps<Item> {
  readonly label: string;
  readonly items: readonly Item[];
  readonly keyOf: (item: Item) => string | number;
  readonly rowHeight: number;
  readonly row: (item: Item) => ReactNode;
  /** Shown in place of the rows when there are none. */
  readonly empty: ReactNode;
  readonly footer?: ReactNode;
  /** Scrolled to when it changes, e.g. what an address names. */
  readonly selected?: string | number | null;
}

/** Any number of rows, of which only those in sight exist. Arrow keys, Home and End move between the rows' first links or buttons. */
export function VirtualList<Item>({ label, items, keyOf, rowHeight, row, empty, footer, selected = null }: VirtualListProps<Item>) {
  const scroller = useRef<HTMLDivElement>(null);
  const toFocus = useRef<number | null>(null);
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 10,
    getItemKey: (index) => {
      const item = items[index];
      return item === undefined ? index : keyOf(item);
    },
  });
  const selectedIndex = selected === null ? -1 : items.findIndex((item) => keyOf(item) === selected);
  const shown = useRef<string | number | null>(null);
  useEffect(() => {
    if (selectedIndex === -1 || shown.current === selected) return;
    shown.current = selected;
    rows.scrollToIndex(selectedIndex, { align: 'auto' });
  }, [selectedIndex, selected, rows]);
  useEffect(() => {
    if (toFocus.current === null) return;
    const target = scroller.current?.querySelector<HTMLElement>(`[data-index="${toFocus.current}"] :is(a, button)`);
    if (!target) return;
    toFocus.current = null;
    target.focus();
  });
  const onKeyDown = (event: KeyboardEvent) => {
    const focused = document.activeElement?.closest<HTMLElement>('[data-index]');
    const from = Number(focused?.dataset['index'] ?? -1);
    const to = { ArrowDown: from + 1, ArrowUp: from - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to === undefined || to < 0 || to >= items.length || isTyping(event.target)) return;
    event.preventDefault();
    toFocus.current = to;
    rows.scrollToIndex(to, { align: 'auto' });
    scroller.current?.querySelector<HTMLElement>(`[data-index="${to}"] :is(a, button)`)?.focus();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the arrow keys only move between what can be focused anyway
    <div ref={scroller} onKeyDown={onKeyDown} className="min-h-0 grow overflow-y-auto">
      {items.length === 0 ? empty : null}
      <ul aria-label={label} className="relative" style={{ height: rows.getTotalSize() }}>
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
              {row(item)}
            </li>
          );
        })}
      </ul>
      {footer}
    </div>
  );
}

const isTyping = (target: EventTarget): boolean =>
  target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
