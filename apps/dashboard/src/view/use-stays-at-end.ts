import { type MouseEvent, type RefObject, useEffect, useRef } from 'react';

/** So near the end a reader counts as being there. */
const NEAR_PX = 80;

interface StaysAtEnd {
  readonly isOn: boolean;
  /** What is new when something was added; null while there is nothing. */
  readonly changed: unknown;
  readonly toEnd: () => void;
}

/** What a scroller tells, so that it is known where its reader is. */
interface ReaderWatch {
  readonly onScroll: () => void;
  /** Whoever unfolds something reads that: it does not move away. */
  readonly onClickCapture: (event: MouseEvent) => void;
}

/** Keeps the end in sight while the reader is there, also when the room for it changes, and stands still while the reader looks further up. */
export function useStaysAtEnd(scroller: RefObject<HTMLDivElement | null>, { isOn, changed, toEnd }: StaysAtEnd): ReaderWatch {
  const isAtEnd = useRef(isOn);
  /** How far down the reader was at the end. */
  const lowestPx = useRef(0);
  const heightPx = useRef(0);
  const go = useRef(toEnd);
  useEffect(() => {
    go.current = toEnd;
  });
  useEffect(() => {
    if (changed !== null && isAtEnd.current) go.current();
  }, [changed]);
  useEffect(() => {
    if (!scroller.current) return;
    const observer = new ResizeObserver(() => isAtEnd.current && go.current());
    observer.observe(scroller.current);
    return () => observer.disconnect();
  }, [scroller]);
  return {
    onScroll: () => {
      const element = scroller.current;
      // One that is not shown has no height, and its reader is where they were.
      if (!element || element.clientHeight === 0) return;
      const { scrollTop, scrollHeight, clientHeight } = element;
      const isNear = scrollHeight - scrollTop - clientHeight < NEAR_PX;
      // A list that became shorter moves its reader up, who has gone nowhere.
      const isShorter = scrollHeight < heightPx.current;
      heightPx.current = scrollHeight;
      if (isShorter) lowestPx.current = Math.min(lowestPx.current, scrollTop);
      // Far from the end is also who was at it when much more came; who looks further up has gone up.
      if (isNear || scrollTop < lowestPx.current - NEAR_PX) isAtEnd.current = isNear;
      lowestPx.current = isNear ? scrollTop : Math.max(lowestPx.current, scrollTop);
    },
    onClickCapture: ({ target }) => {
      if (target instanceof Element && target.closest('summary')) isAtEnd.current = false;
    },
  };
}
