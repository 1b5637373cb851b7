import { Dialog } from 'radix-ui';
import { useCopy } from './use-copy.ts';

interface ShownOnceProps {
  readonly secret: string;
  readonly note?: string;
}

/** A secret that is shown once, to be taken along. */
export function ShownOnce({ secret, note = 'This is the only time it is shown. The relay keeps no copy.' }: ShownOnceProps) {
  const { outcome, copy } = useCopy(secret);
  return (
    <div className="grid gap-3">
      <p>{note}</p>
      <code data-token-secret className="select-all break-all rounded-lg bg-raised p-3 font-mono text-xs">
        {secret}
      </code>
      <div className="flex items-center justify-end gap-3">
        {outcome === 'failed' ? <span className="text-warn text-xs">The browser does not let this page copy: select it.</span> : null}
        <button type="button" className="button" onClick={copy}>
          {outcome === 'copied' ? 'Copied ✔' : 'Copy'}
        </button>
        <Dialog.Close className="button button-main">Done</Dialog.Close>
      </div>
    </div>
  );
}
