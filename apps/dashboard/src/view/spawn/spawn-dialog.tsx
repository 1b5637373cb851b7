import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useCommand } from '../../live/use-command.ts';
import { DialogEnd } from '../form/dialog-end.tsx';
import { Form } from '../form/form.tsx';
import { FormDialog } from '../form/form-dialog.tsx';
import { readSpawnForm, type StartSessionRequest } from './read-spawn-form.ts';
import { SpawnFields } from './spawn-fields.tsx';

/** Starts an agent and leads to its page. */
export function SpawnDialog() {
  const [isOpen, setOpen] = useState(false);
  const navigate = useNavigate();
  const start = useCommand(
    (relay, request: StartSessionRequest) => relay.sessions.start(request),
    ({ agentId }) => {
      setOpen(false);
      void navigate({ to: '/agents/$agentId', params: { agentId } });
    },
  );
  const change = (open: boolean) => {
    setOpen(open);
    if (!open) start.reset();
  };
  return (
    <FormDialog
      open="New agent"
      title="Start an agent"
      description="Starts a coding agent on one of your machines."
      place="top-24 w-[28rem]"
      isOpen={isOpen}
      onOpenChange={change}
    >
      <Form className="space-y-3" onSubmit={(fields) => start.run(readSpawnForm(fields))}>
        <SpawnFields />
        <DialogEnd command={start} word="Start" pendingWord="Starting…" />
      </Form>
    </FormDialog>
  );
}
