import type { ApprovalOption } from 'agent-relay-protocol';
import type { SessionRights, ToolUse } from 'agent-relay-provider/kit';
import type { PermissionOutcome, PermissionQuestion } from '../acp/frames.ts';

type Options = PermissionQuestion['options'];

export const cancelled: PermissionOutcome = { outcome: 'cancelled' };

const ofKind = (options: Options, kind: string): PermissionOutcome | null => {
  const found = options.find((option) => option.kind === kind);
  return found ? selected(found.optionId) : null;
};

export const selected = (optionId: string): PermissionOutcome => ({ outcome: 'selected', optionId });

/** The yes that nobody is asked for. One for ever would take what follows out of our sight, so it is given only where everything is allowed anyway. */
export function allowing(options: Options, { mode, approval }: SessionRights): PermissionOutcome | null {
  return ofKind(options, 'allow_once') ?? (mode === 'unrestricted' && approval === 'open' ? ofKind(options, 'allow_always') : null);
}

export const declining = (options: Options): PermissionOutcome =>
  ofKind(options, 'reject_once') ?? ofKind(options, 'reject_always') ?? cancelled;

const outcomes: Readonly<Record<string, ApprovalOption['outcome']>> = {
  allow_once: 'allow',
  allow_always: 'allow_always',
  reject_once: 'deny',
  reject_always: 'deny',
};

const usual: Readonly<Record<ApprovalOption['outcome'], string>> = {
  allow: 'Allow once',
  allow_session: 'Allow until the session ends',
  allow_always: 'Allow always',
  deny: 'Deny',
  cancel: 'Deny and stop the turn',
};

/**
 * The agent's own options, as a person is shown them. What is allowed for ever is asked about no more, and nobody's answer moves the fence of a mode: where
 * that is about edits, which are judged by their files, it is left out.
 */
export function offered(options: Options, use: ToolUse, { mode }: Pick<SessionRights, 'mode'>): readonly ApprovalOption[] {
  const isFenced = mode !== 'unrestricted' && use.kind === 'edit';
  return options.flatMap(({ optionId: id, name, kind = '' }) => {
    const outcome = outcomes[kind];
    if (outcome === undefined || (outcome === 'allow_always' && isFenced)) return [];
    const label = name || usual[outcome];
    return [
      { id, outcome, label: outcome === 'allow_always' ? `${label} (then nobody is asked again, also when a message asks for it)` : label },
    ];
  });
}

export const offersAllowing = (options: readonly ApprovalOption[]): boolean => options.some(({ outcome }) => outcome.startsWith('allow'));
