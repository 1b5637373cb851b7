import { type RefObject, useEffect, useRef } from 'react';

/** So near the end a reader counts as being there. */
const NEAR_PX = 80;

interface StaysAtEnd {
  readonly isOn: boolean;
  /** What is new when something was added; null while there is nothing. */
  readonly changed: unknown;
  readonly toEnd: () => void;
}

/** Keeps the end in sight while the reader is there, and stands still while the reader looks further up. The answer goes to `onScroll`. */
export function useStaysAtEnd(scroller: RefObject<HTMLDivElement | null>, { isOn, changed, toEnd }: StaysAtEnd): () => void {
  const isAtEnd = useRef(isOn);
  const go = useRef(toEnd);
  useEffect(() => {
    go.current = toEnd;
  });
  useEffect(() => {
    if (changed !== null && isAtEnd.current) go.current();
  }, [changed]);
  return () => {
    const element = scroller.current;
    if (element) isAtEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX;
  };
}
