import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { useCommand } from '../../live/use-command.ts';
import { FormDialog } from '../form/form-dialog.tsx';
import type { StartSessionRequest } from './read-spawn-form.ts';

/** Read when somebody opens it: the first page is no larger for it. */
const SpawnForm = lazy(async () => ({ default: (await import('./spawn-form.tsx')).SpawnForm }));

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
      <Suspense fallback={<p className="text-soft">Looking for machines…</p>}>
        <SpawnForm start={start} />
      </Suspense>
    </FormDialog>
  );
}
