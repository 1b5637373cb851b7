import type { Agent } from 'agent-relay-client';
import { useState } from 'react';
import { isOwner } from '../../live/permissions.ts';
import { useCommand } from '../../live/use-command.ts';
import { useMayCall, useMe } from '../../live/use-live.ts';
import { Choices } from '../form/choices.tsx';
import { DialogEnd } from '../form/dialog-end.tsx';
import { Form } from '../form/form.tsx';
import { FormDialog } from '../form/form-dialog.tsx';
import { Labelled } from '../form/labelled.tsx';
import { approvalModeWords } from '../spawn/spawn-words.ts';
import { type CardChange, readCardForm } from './read-card-form.ts';

const field = 'field w-full min-w-0 text-ink text-sm';
const approvals = ['open', 'guarded', 'read-only'] as const;

/** What an agent is called and which groups it belongs to, to be changed by who may. */
export function EditCard({ agent }: { readonly agent: Agent }) {
  const [isOpen, setOpen] = useState(false);
  const mayEdit = useMayCall('agents/tags');
  // A session that a machine runs keeps what it was started with.
  const maySetApproval = isOwner(useMe()) && agent.sessionId === null;
  const change = useCommand(
    async (relay, { label, approval, ...groups }: CardChange) => {
      await relay.agents.tags({ id: agent.id, ...groups });
      if (label !== agent.label) await relay.agents.label({ id: agent.id, label });
      if (approval !== null && approval !== agent.approval) await relay.agents.approval({ id: agent.id, approval });
    },
    () => setOpen(false),
  );
  if (!mayEdit) return null;
  return (
    <FormDialog
      open="Edit"
      title={`${agent.id}: label, groups, approval`}
      description="Changes what an agent is called, which groups it belongs to, and what it may do with mail."
      place="top-24 w-[26rem]"
      isOpen={isOpen}
      onOpenChange={(open) => {
        setOpen(open);
        change.reset();
      }}
    >
      <Form className="grid gap-3" onSubmit={(fields) => change.run(readCardForm(fields))}>
        <Labelled text="Label">
          <input name="label" className={field} defaultValue={agent.label ?? ''} placeholder="none" />
        </Labelled>
        <Labelled text="Tags">
          <input name="tags" className={field} defaultValue={agent.tags.join(' ')} placeholder="backend ops" />
        </Labelled>
        <Labelled text="Capabilities">
          <input name="capabilities" className={field} defaultValue={agent.capabilities.join(' ')} placeholder="review deploy" />
        </Labelled>
        <Labelled text="Channels it follows">
          <input name="channels" className={field} defaultValue={agent.channels?.join(' ') ?? '*'} placeholder="* for all of them" />
        </Labelled>
        {maySetApproval ? (
          <Labelled text="When a message comes">
            <Choices
              name="approval"
              className={field}
              defaultValue={agent.approval}
              choices={approvals.map((id) => ({ id, word: approvalModeWords[id] }))}
            />
          </Labelled>
        ) : null}
        <DialogEnd command={change} word="Save" pendingWord="Saving…" />
      </Form>
    </FormDialog>
  );
}
