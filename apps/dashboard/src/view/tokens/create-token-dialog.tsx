import type { CreatedToken } from 'agent-relay-protocol';
import { Dialog } from 'radix-ui';
import { useState } from 'react';
import { useCommand } from '../../live/use-command.ts';
import { FormDialog } from '../form/form-dialog.tsx';
import type { CreateTokenRequest } from './read-token-form.ts';
import { TokenForm } from './token-form.tsx';

/** Makes a token and shows it, once: it stays nowhere once the dialog is closed. */
export function CreateTokenDialog() {
  const [isOpen, setOpen] = useState(false);
  const create = useCommand((relay, request: CreateTokenRequest) => relay.tokens.create(request));
  const change = (open: boolean) => {
    setOpen(open);
    if (!open) create.reset();
  };
  return (
    <FormDialog
      open="New token"
      title={create.output ? `Token ${create.output.name}` : 'New token'}
      description="A token lets a program, an agent or an observer in."
      place="top-16 max-h-[85vh] w-[30rem] overflow-y-auto"
      isOpen={isOpen}
      onOpenChange={change}
    >
      {create.output ? <ShownOnce created={create.output} /> : <TokenForm create={create} />}
    </FormDialog>
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
