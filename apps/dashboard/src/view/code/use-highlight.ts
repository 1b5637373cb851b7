import { useEffect, useState } from 'react';
import type { Highlight } from './highlight.ts';

/** What colours code; its script is read with the first code that is shown. Null until then, and where it cannot be read: plain is as good. */
export function useHighlight(isWanted: boolean): Highlight | null {
  const [highlight, setHighlight] = useState<Highlight | null>(null);
  useEffect(() => {
    if (!isWanted) return;
    let isShown = true;
    import('./highlight.ts').then(
      (module) => isShown && setHighlight(() => module.highlight),
      () => {},
    );
    return () => {
      isShown = false;
    };
  }, [isWanted]);
  return highlight;
}
