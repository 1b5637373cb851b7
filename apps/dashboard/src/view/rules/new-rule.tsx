import type { CreateApprovalRule, PendingApproval } from 'agent-relay-protocol';
import { useState } from 'react';
import { useCommand } from '../../live/use-command.ts';
import { useConnection } from '../../live/use-connection.ts';
import { useMayCall } from '../../live/use-live.ts';
import { visible } from '../approvals/approval-words.ts';
import { DialogEnd } from '../form/dialog-end.tsx';
import { Form } from '../form/form.tsx';
import { FormDialog } from '../form/form-dialog.tsx';
import { readRuleForm } from './read-rule-form.ts';
import { RuleFields } from './rule-fields.tsx';

/** Makes a standing rule, from a question or of its own. */
export function NewRule({ asked = null }: { readonly asked?: PendingApproval | null }) {
  const [isOpen, setOpen] = useState(false);
  const { now } = useConnection();
  const mayMake = useMayCall('rules/create');
  const create = useCommand(
    (relay, rule: CreateApprovalRule) => relay.rules.create(rule),
    () => setOpen(false),
  );
  if (!mayMake) return null;
  const from = asked === null ? {} : { agentId: asked.agentId, approvalId: asked.approvalId };
  return (
    <FormDialog
      open={asked === null ? 'New rule' : 'Always allow…'}
      label={asked === null ? undefined : `Always allow ${asked.title}`}
      title={asked === null ? 'A standing rule' : `Allow ${asked.agentId} this from now on`}
      description="From now on what fits is allowed without asking; each use is counted, and the rule can be revoked."
      place="top-16 max-h-[85vh] w-[30rem] overflow-y-auto"
      {...(asked !== null && { look: 'button px-2.5 py-1 text-xs' })}
      isOpen={isOpen}
      onOpenChange={(open) => {
        setOpen(open);
        if (!open) create.reset();
      }}
    >
      <Form className="grid gap-3" onSubmit={(fields) => create.run(readRuleForm(fields, from, now()))}>
        {asked === null ? null : <p className="break-words text-soft">{visible(asked.title)}</p>}
        <RuleFields asked={asked === null ? null : { kind: asked.kind, command: commandIn(asked.input), folder: asked.cwd ?? '' }} />
        <p className="text-soft text-xs">
          What fits is allowed without asking: one plain command that begins so, or files below the folder, none of them hidden. Each use is
          counted, and you can revoke it.
        </p>
        <DialogEnd command={create} word="Allow from now on" pendingWord="Making…" />
      </Form>
    </FormDialog>
  );
}

/** What a rule may be made of; the relay says why where one cannot. */
export const mayBeRule = ({ kind, form = [], options }: PendingApproval): boolean =>
  (kind === 'execute' || kind === 'edit') && form.length === 0 && (options?.some(({ outcome }) => outcome === 'allow') ?? true);

function commandIn(input: PendingApproval['input']): string {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return '';
  const { command } = input;
  return typeof command === 'string' ? command : '';
}
