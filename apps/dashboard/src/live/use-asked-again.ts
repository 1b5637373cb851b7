import { useEffect } from 'react';

/** Asks again and again while somebody looks, for what the log does not tell of. */
export function useAskedAgain(readAgain: () => void, everyMs: number): void {
  useEffect(() => {
    const timer = setInterval(readAgain, everyMs);
    return () => clearInterval(timer);
  }, [readAgain, everyMs]);
}
