import type { Share } from 'agent-relay-protocol';
import { useState } from 'react';
import { useCommand } from '../../live/use-command.ts';
import { useList } from '../../live/use-list.ts';
import { useMayCall } from '../../live/use-live.ts';
import { sharesView } from '../../relay/shares.ts';
import { Ago } from '../ago.tsx';
import { ConfirmButton } from '../confirm-button.tsx';
import { Choices } from '../form/choices.tsx';
import { DialogEnd } from '../form/dialog-end.tsx';
import { Form } from '../form/form.tsx';
import { FormDialog } from '../form/form-dialog.tsx';
import { Labelled } from '../form/labelled.tsx';
import { ShownOnce } from '../shown-once.tsx';
import { isOfThisMachine, terminalAddress } from '../terminal-address.ts';

const DAY_MS = 86_400_000;
const lives = [
  { id: String(DAY_MS), word: 'a day' },
  { id: String(7 * DAY_MS), word: 'a week' },
  { id: String(30 * DAY_MS), word: '30 days' },
];

interface ShareLogProps {
  readonly agentId: string;
  readonly sessionId: string;
}

/** Makes a link that shows one session's log to whoever has it, and ends those that there are. */
export function ShareLog({ agentId, sessionId }: ShareLogProps) {
  const [isOpen, setOpen] = useState(false);
  const mayShare = useMayCall('shares/create');
  const create = useCommand((relay, expiresInMs: number) => relay.shares.create({ agentId, sessionId, expiresInMs }));
  if (!mayShare) return null;
  return (
    <FormDialog
      open="Share"
      title={create.output ? 'Link to this session’s log' : 'Share this session’s log'}
      description="Makes a link that shows this session's log to whoever has it."
      place="top-24 w-[28rem]"
      isOpen={isOpen}
      onOpenChange={(open) => {
        setOpen(open);
        create.reset();
      }}
    >
      {create.output ? (
        <div className="grid gap-3">
          {isOfThisMachine(window.location) ? (
            <p className="text-warn text-xs">
              This address leads here on the relay’s machine only. For somebody elsewhere put in one under which they reach the relay.
            </p>
          ) : null}
          <ShownOnce secret={terminalAddress(window.location) + create.output.path} />
        </div>
      ) : (
        <Form className="grid gap-3" onSubmit={(fields) => create.run(Number(fields.text('life')))}>
          <p className="text-soft">
            Whoever has the link reads all that the agent was told, read and did in this session, and what it does yet. Nobody has to sign
            in, and nothing else of the relay is shown.
          </p>
          <Labelled text="The link is good for">
            <Choices name="life" className="field w-full" defaultValue={String(7 * DAY_MS)} choices={lives} />
          </Labelled>
          <DialogEnd command={create} word="Make a link" pendingWord="Making…" />
        </Form>
      )}
      <Links agentId={agentId} />
    </FormDialog>
  );
}

function Links({ agentId }: { readonly agentId: string }) {
  const links = useList(sharesView(agentId)).all;
  if (links.length === 0) return null;
  return (
    <ul aria-label="Links" className="mt-3 grid max-h-48 gap-1 overflow-y-auto border-line border-t pt-3 text-soft text-xs">
      {links.map((share) => (
        <LinkRow key={share.id} share={share} />
      ))}
    </ul>
  );
}

function LinkRow({ share: { id, createdAt, expiresAt } }: { readonly share: Share }) {
  const revoke = useCommand((relay) => relay.shares.revoke({ id }));
  return (
    <li className="flex items-center gap-2" data-share={id}>
      <span className="grow">
        made <Ago at={createdAt} />, ends <Ago at={expiresAt} />
      </span>
      <ConfirmButton word="Revoke" label="Revoke this link" confirmWord="Ends at once: revoke" command={revoke} />
    </li>
  );
}
