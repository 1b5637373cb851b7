import { type RefObject, useEffect, useRef } from 'react';

/** So near an end of what was read a reader is about to come to it. */
const NEAR = '1500px';

/** Reads on when whoever looks at a list comes near this place at its end, for as long as there is more. */
export function useReadWhenNear(isWanted: boolean, read: () => void): RefObject<HTMLDivElement | null> {
  const place = useRef<HTMLDivElement>(null);
  const ask = useRef(read);
  useEffect(() => {
    ask.current = read;
  });
  useEffect(() => {
    if (!isWanted || !place.current) return;
    // Its own list is looked at.
    const near = { root: place.current.parentElement, rootMargin: NEAR };
    const observer = new IntersectionObserver((looks) => looks.at(-1)?.isIntersecting && ask.current(), near);
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [isWanted]);
  return place;
}
