import { type Hook, relayTriggers, type SetHook } from 'agent-relay-protocol';
import { useState } from 'react';
import { useCommand } from '../../live/use-command.ts';
import { useMayCall } from '../../live/use-live.ts';
import { AddressOptions } from '../address-options.tsx';
import { Choices } from '../form/choices.tsx';
import { DialogEnd } from '../form/dialog-end.tsx';
import { Form } from '../form/form.tsx';
import { FormDialog } from '../form/form-dialog.tsx';
import { Labelled } from '../form/labelled.tsx';
import { ShownOnce } from '../shown-once.tsx';
import { triggerWords } from './hook-words.ts';
import { readHookForm } from './read-hook-form.ts';

interface EditOwnHookProps {
  /** One of the relay's own that is changed; null for one more. */
  readonly hook: Hook | null;
  readonly onDone: () => void;
}

/** Writes what the relay itself does into its file. */
export function EditOwnHook({ hook, onDone }: EditOwnHookProps) {
  const [isOpen, setOpen] = useState(false);
  const maySet = useMayCall('hooks/set');
  const set = useCommand(
    (relay, asked: SetHook) => relay.hooks.set(asked),
    ({ secret }) => {
      if (secret === undefined) setOpen(false);
      onDone();
    },
  );
  if (!maySet) return null;
  const secret = set.output?.secret;
  return (
    <FormDialog
      open={hook === null ? 'Add a hook' : 'Change'}
      label={hook === null ? undefined : `Change ${hook.name}`}
      title={secret === undefined ? (hook === null ? 'What the relay does by itself' : hook.name) : 'What its posts are signed with'}
      description="The relay writes a message or posts to an address when this happens."
      place="top-16 max-h-[85vh] w-[30rem] overflow-y-auto"
      isOpen={isOpen}
      onOpenChange={(open) => {
        setOpen(open);
        if (!open) set.reset();
      }}
    >
      {secret === undefined ? (
        <Form className="grid gap-3" onSubmit={(fields) => set.run(readHookForm(fields, hook))}>
          <HookFields hook={hook} />
          <DialogEnd command={set} word={hook === null ? 'Add' : 'Save'} pendingWord="Writing…" />
        </Form>
      ) : (
        <ShownOnce secret={secret} note="It stands in the relay’s file, and is shown here this once." />
      )}
    </FormDialog>
  );
}

const triggers = relayTriggers.map((id) => ({ id, word: triggerWords(id) }));
const actions = [
  { id: 'relay', word: 'write to' },
  { id: 'webhook', word: 'post to' },
] as const;
const modes = [
  { id: '', word: 'as fits: one agent acts on it, many have it as context' },
  { id: 'next', word: 'at the next turn' },
  { id: 'now', word: 'now, steering the turn' },
  { id: 'urgent', word: 'at once, interrupting' },
  { id: 'fyi', word: 'as context only' },
] as const;

function HookFields({ hook }: Pick<EditOwnHookProps, 'hook'>) {
  const [action, setAction] = useState(hook?.action === 'webhook' ? 'webhook' : 'relay');
  const isPost = action === 'webhook';
  return (
    <>
      <Labelled text="When">
        <Choices name="trigger" aria-label="When" className="field text-ink text-sm" choices={triggers} defaultValue={hook?.trigger} />
      </Labelled>
      <div className="grid gap-2 sm:grid-cols-[9rem_minmax(0,1fr)]">
        <Labelled text="Does">
          <Choices
            name="action"
            aria-label="Does"
            className="field text-ink text-sm"
            choices={actions}
            value={action}
            onChange={({ target }) => setAction(target.value)}
          />
        </Labelled>
        {isPost ? <Whereto hook={hook} /> : <Whom hook={hook} />}
      </div>
      {isPost ? <Signed hook={hook} /> : <Words hook={hook} />}
      <Labelled text="Called (or nothing)">
        <input
          name="name"
          className="field text-ink text-sm"
          maxLength={64}
          defaultValue={hook?.name.startsWith('relay.on_') === false ? hook.name : ''}
        />
      </Labelled>
    </>
  );
}

const Whom = ({ hook }: Pick<EditOwnHookProps, 'hook'>) => (
  <Labelled text="Whom">
    <input
      name="to"
      required
      list="hook-targets"
      className="field min-w-0 text-ink text-sm"
      placeholder="Lead, #audit, tag:backend"
      defaultValue={hook?.action === 'relay' ? hook.does : ''}
    />
    <AddressOptions id="hook-targets" />
  </Labelled>
);

const Whereto = ({ hook }: Pick<EditOwnHookProps, 'hook'>) => (
  <Labelled text="Address">
    <input
      name="webhook"
      required
      type="url"
      className="field min-w-0 text-ink text-sm"
      placeholder="https://example.org/agents"
      defaultValue={hook?.action === 'webhook' ? hook.does : ''}
    />
  </Labelled>
);

const Signed = ({ hook }: Pick<EditOwnHookProps, 'hook'>) => (
  <Labelled text={hook?.action === 'webhook' ? 'Secret (left empty, the one it has)' : 'Secret (left empty, one is made and shown once)'}>
    <input name="secret" type="password" autoComplete="off" minLength={8} maxLength={512} className="field text-ink text-sm" />
  </Labelled>
);

const Words = ({ hook }: Pick<EditOwnHookProps, 'hook'>) => (
  <>
    <Labelled text="What it says (left empty, what happened)">
      <textarea name="body" rows={3} className="field text-ink text-sm" defaultValue={hook?.body ?? ''} />
    </Labelled>
    <Labelled text="How it arrives">
      <Choices name="mode" aria-label="How it arrives" className="field text-ink text-sm" choices={modes} defaultValue={hook?.mode ?? ''} />
    </Labelled>
  </>
);
