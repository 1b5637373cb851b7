import { useEffect } from 'react';
import type { List } from './use-list.ts';

/** Reads a list again that was cut to so many of what is open, once most of those are decided. */
export function useReadOn(
  { isWhole, status, readAgain }: List<unknown>,
  { open, limit }: { readonly open: number; readonly limit: number },
): void {
  const isWanted = status === 'ready' && !isWhole && open < limit / 2;
  useEffect(() => {
    if (isWanted) readAgain();
  }, [isWanted, readAgain]);
}
