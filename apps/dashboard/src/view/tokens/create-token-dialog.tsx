import { useState } from 'react';
import { useCommand } from '../../live/use-command.ts';
import { FormDialog } from '../form/form-dialog.tsx';
import { ShownOnce } from '../shown-once.tsx';
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
      {create.output ? <ShownOnce secret={create.output.token} /> : <TokenForm create={create} />}
    </FormDialog>
  );
}
