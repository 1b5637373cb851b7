import {
  type Agent,
  type Approval,
  type ApprovalRule,
  ApprovalRuleSchema,
  type CreateApprovalRule,
  isPlainFolder,
  isRunner,
  loosely,
  type PendingApproval,
  questionAllowedBy,
  RelayError,
  understood,
} from 'agent-relay-protocol';
import { type Resource, recordKey } from './resource.ts';

const storedRule = loosely(ApprovalRuleSchema);

export const ruleResource: Resource<ApprovalRule> = {
  name: 'approval-rules',
  read: (stored) => storedRule.parse(stored),
  keys: ({ agentId: agent, tag, ended }) => {
    const active = String(ended === null);
    const whose = agent === null ? [] : [ruleKey({ agent }), ruleKey({ agent, active })];
    return [ruleKey({ active }), ...whose, ...(tag === null || ended !== null ? [] : [ruleKey({ tag })])];
  },
  exclusive: () => [],
  isOpen: ({ ended }) => ended === null,
};

export const ruleKey = (fields: { agent?: string | undefined; tag?: string | undefined; active?: string | undefined }): string =>
  recordKey(fields);

/** Whether a rule says yes to a question: what it does not understand whole it does not. */
export function ruleAllows(rule: ApprovalRule, asked: PendingApproval, tags: readonly string[], now: number): boolean {
  const { agentId: agent, tag, kind, command, folder } = rule;
  const isItsAgent = agent === null ? tag !== null && tags.includes(tag) : agent === asked.agentId;
  if (!isItsAgent || endOf(rule, now) !== null) return false;
  return questionAllowedBy({ kind, command, folder }, asked);
}

/** Why a rule holds no longer; null while it does. */
export function endOf({ ended, expiresAt, maxUses, uses }: ApprovalRule, now: number): ApprovalRule['ended'] {
  if (ended !== null) return ended;
  if (expiresAt !== null && expiresAt <= now) return 'expired';
  return maxUses !== null && uses >= maxUses ? 'used_up' : null;
}

export const endRule = (rule: ApprovalRule, ended: NonNullable<ApprovalRule['ended']>, by: string, now: number): ApprovalRule => ({
  ...rule,
  ended,
  endedBy: by,
  endedAt: now,
});

export interface RuleOrigin {
  readonly id: number;
  readonly by: string;
  readonly now: number;
  /** The question that it is made from. */
  readonly asked: Approval | null;
}

/** @throws RelayError `validation_failed` naming what is missing, or what would allow more than it says. */
export function newRule(input: CreateApprovalRule, { id, by, now, asked }: RuleOrigin): ApprovalRule {
  const { agentId = null, tag = null, expiresAt = null, maxUses = null } = input;
  if ((agentId === null) === (tag === null)) throw wrong('agentId', 'say either an agent or a tag');
  const from = asked && understood(asked);
  if (asked && !from) throw wrong('approvalId', 'no rule understands this question: it is no plain command, and no edit of named files');
  const kind = input.kind ?? from?.kind ?? 'execute';
  const command = kind === 'execute' ? (input.command ?? from?.words ?? null) : null;
  if (kind === 'execute' && !command?.length) throw wrong('command', 'is missing: the words that a command begins with');
  if (kind === 'edit' && input.command) throw wrong('command', 'is for kind execute only');
  if (command && (isRunner(command[0] ?? '') || command[0]?.includes('=')))
    throw wrong('command', `${command[0]} runs whatever follows it: begin with the program itself`);
  const folder = input.folder ?? from?.folder;
  if (folder === undefined) throw wrong('folder', 'is missing');
  if (!isPlainFolder(folder)) throw wrong('folder', 'must be absolute, without . and ..');
  if (expiresAt !== null && expiresAt <= now) throw wrong('expiresAt', 'is over');
  const name = input.name ?? nameOf(kind, command, folder);
  const whose = { agentId, tag, kind, command: command && [...command], folder };
  return { id, name, ...whose, expiresAt, maxUses, uses: 0, createdAt: now, createdBy: by, endedAt: null, ended: null, endedBy: null };
}

function nameOf(kind: string, command: readonly string[] | null, folder: string): string {
  const what = command ? command.join(' ') : kind;
  const line = `${what} in ${folder}`.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, ' ').trim();
  return [...line].slice(0, 128).join('').trim();
}

const wrong = (path: string, message: string): RelayError =>
  new RelayError('validation_failed', `${path}: ${message}`, { issues: [{ path, message }] });

/** Tags by which rules find an agent: an agent says of itself what it likes, and gets nobody's yes by it. */
export const ruledTagsOf = ({ tags, givenTags = [] }: Pick<Agent, 'tags' | 'givenTags'>): readonly string[] =>
  tags.filter((tag) => givenTags.includes(tag));
