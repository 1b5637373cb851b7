import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { type Command, useCommand } from '../../live/use-command.ts';
import { useList } from '../../live/use-list.ts';
import { nodesView } from '../../relay/sessions.ts';
import { NoMachine } from '../fleet/no-machine.tsx';
import { DialogEnd } from '../form/dialog-end.tsx';
import { Form } from '../form/form.tsx';
import { FormDialog } from '../form/form-dialog.tsx';
import { Problem } from '../problem.tsx';
import { readSpawnForm, type StartSessionRequest } from './read-spawn-form.ts';
import { SpawnFields } from './spawn-fields.tsx';

/** The form for the machines that are there, or why there is none to fill. */
function SpawnForm({ start }: { readonly start: Command<StartSessionRequest, unknown> }) {
  const nodes = useList(nodesView);
  const [first, ...others] = nodes.all.filter(({ status }) => status === 'online');
  if (nodes.status === 'reading') return <p className="text-soft">Looking for machines…</p>;
  if (nodes.status === 'failed') return <Problem error={nodes.error} onRetry={nodes.readAgain} />;
  if (first === undefined) return <NoMachine away={nodes.all.map(({ name }) => name)} />;
  return (
    <Form className="space-y-3" onSubmit={(fields) => start.run(readSpawnForm(fields))}>
      <SpawnFields machines={[first, ...others]} />
      <DialogEnd command={start} word="Start" pendingWord="Starting…" />
    </Form>
  );
}

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
      <SpawnForm start={start} />
    </FormDialog>
  );
}
