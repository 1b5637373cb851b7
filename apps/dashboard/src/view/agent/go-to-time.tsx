import { useNavigate } from '@tanstack/react-router';
import { RelayError } from 'agent-relay-client';
import { useState } from 'react';
import { useCommand } from '../../live/use-command.ts';
import { useNow } from '../../live/use-connection.ts';
import { useMayCall } from '../../live/use-live.ts';
import { readAgentsShown } from '../../relay/agents-shown.ts';
import { entryAt } from '../../relay/entry-at.ts';
import { DialogEnd } from '../form/dialog-end.tsx';
import { Form } from '../form/form.tsx';
import { FormDialog } from '../form/form-dialog.tsx';
import { Labelled } from '../form/labelled.tsx';
import { localMinute } from '../format.ts';

interface GoToTimeProps {
  readonly agentId: string;
  /** Which of its sessions is looked at; null for all. */
  readonly session: string | null;
}

/** Leads to what an agent did at a time. */
export function GoToTime({ agentId, session }: GoToTimeProps) {
  const [isOpen, setOpen] = useState(false);
  const navigate = useNavigate();
  const now = useNow();
  const go = useCommand(async (relay, at: number) => {
    const entry = await entryAt(relay, { id: agentId, ...(session !== null && { session }) }, at);
    if (entry === null) throw new RelayError('not_found', `${agentId} has done nothing yet`);
    setOpen(false);
    await navigate({
      to: '/agents/$agentId',
      params: { agentId },
      search: (before) => ({ ...readAgentsShown({ ...before }), ...(session !== null && { session }), entry }),
    });
  });
  if (!useMayCall('agents/activity')) return null;
  return (
    <FormDialog
      open="Go to a time"
      title="What it did at a time"
      description="Leads to what the agent did at a time, or next after it."
      place="top-24 w-[22rem]"
      isOpen={isOpen}
      onOpenChange={(open) => {
        setOpen(open);
        go.reset();
      }}
    >
      <Form className="grid gap-3" onSubmit={(fields) => go.run(new Date(fields.text('at')).getTime())}>
        <Labelled text="Time">
          <input type="datetime-local" name="at" required className="field w-full" defaultValue={localMinute(now)} />
        </Labelled>
        <DialogEnd command={go} word="Go there" pendingWord="Looking…" />
      </Form>
    </FormDialog>
  );
}
