import type { CreatedToken } from 'agent-relay-protocol';
import { Dialog } from 'radix-ui';
import { useState } from 'react';
import { useCreateToken } from '../../relay/use-tokens.ts';
import { TokenForm } from './token-form.tsx';

/** Makes a token and shows it, once. */
export function CreateTokenDialog() {
  const [isOpen, setOpen] = useState(false);
  const create = useCreateToken();
  const change = (open: boolean) => {
    setOpen(open);
    if (!open) create.reset();
  };
  return (
    <Dialog.Root open={isOpen} onOpenChange={change}>
      <Dialog.Trigger className="button px-2 py-0.5 text-xs">New token</Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 bg-black/50" />
        <Dialog.Content className="fixed top-16 left-1/2 max-h-[85vh] w-[30rem] max-w-[92vw] -translate-x-1/2 overflow-y-auto rounded-xl border border-line bg-panel p-5 shadow-xl">
          <Dialog.Title className="mb-3 font-semibold">{create.data ? `Token ${create.data.name}` : 'New token'}</Dialog.Title>
          <Dialog.Description className="sr-only">A token lets a program, an agent or an observer in.</Dialog.Description>
          {create.data ? <ShownOnce created={create.data} /> : <TokenForm create={create} />}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function ShownOnce({ created }: { readonly created: CreatedToken }) {
  const [copied, setCopied] = useState<'not yet' | 'copied' | 'failed'>('not yet');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(created.token);
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
        {created.token}
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
