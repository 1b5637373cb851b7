import { Dialog } from 'radix-ui';
import { useState } from 'react';

/** A secret that is shown once, to be taken along. */
export function ShownOnce({ secret }: { readonly secret: string }) {
  const [copied, setCopied] = useState<'not yet' | 'copied' | 'failed'>('not yet');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(secret);
      setCopied('copied');
    } catch {
      // Not offered, or not allowed, on pages without TLS: the text can still be selected.
      setCopied('failed');
    }
  };
  return (
    <div className="grid gap-3">
      <p>This is the only time it is shown. The relay keeps no copy.</p>
      <code data-token-secret className="select-all break-all rounded-lg bg-raised p-3 font-mono text-xs">
        {secret}
      </code>
      <div className="flex items-center justify-end gap-3">
        {copied === 'failed' ? <span className="text-warn text-xs">The browser does not let this page copy: select it.</span> : null}
        <button type="button" className="button" onClick={() => void copy()}>
          {copied === 'copied' ? 'Copied ✔' : 'Copy'}
        </button>
        <Dialog.Close className="button button-main">Done</Dialog.Close>
      </div>
    </div>
  );
}
