import { useState } from 'react';

/** Puts a text into the clipboard. Where the browser does not let the page, as without TLS, it has failed, and the text can still be selected. */
export function useCopy(text: string) {
  const [outcome, setOutcome] = useState<'not yet' | 'copied' | 'failed'>('not yet');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setOutcome('copied');
    } catch {
      setOutcome('failed');
    }
  };
  return { outcome, copy: () => void copy() };
}
