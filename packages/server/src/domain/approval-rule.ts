import {
  type Agent,
  type Approval,
  type ApprovalRule,
  ApprovalRuleSchema,
  type CreateApprovalRule,
  loosely,
  type PendingApproval,
  RelayError,
} from 'agent-relay-protocol';
import { isRunner, plainCommand } from './plain-command.ts';
import { type Resource, recordKey } from './resource.ts';

const storedRule = loosely(ApprovalRuleSchema);

export const ruleResource: Resource<ApprovalRule> = {
  name: 'approval-rules',
  read: (stored) => storedRule.parse(stored),
  keys: ({ agent, tag, ended }) => {
    const active = String(ended === null);
    const whose = agent === null ? [] : [ruleKey({ agent }), ruleKey({ agent, active })];
    return [ruleKey({ active }), ...whose, ...(tag === null || ended !== null ? [] : [ruleKey({ tag })])];
  },
  exclusive: () => [],
  isOpen: ({ ended }) => ended === null,
};

export const ruleKey = (fields: { agent?: string | undefined; tag?: string | undefined; active?: string | undefined }): string =>
  recordKey(fields);

/** A question as a rule could allow it: the kind of tool, the words or the files, and the folder; null for what no rule understands. */
interface Understood {
  readonly kind: 'execute' | 'edit';
  readonly words: readonly string[];
  readonly files: readonly string[];
  readonly folder: string;
}

export function understood(asked: Pick<Approval, 'kind' | 'cwd' | 'input' | 'options' | 'form'>): Understood | null {
  const { kind, cwd, input, options, form = [] } = asked;
  const isOnceOffered = options === undefined || options.some(({ outcome }) => outcome === 'allow');
  if (!isOnceOffered || form.length > 0 || cwd === undefined || segmentsOf(cwd) === null || !isObject(input)) return null;
  if (kind === 'execute') {
    const words = onlyHas(input, ['command', 'description', 'reason', 'timeout']) ? commandOf(input) : null;
    return words && { kind, words, files: [], folder: cwd };
  }
  const files = kind === 'edit' ? editedFiles(input) : null;
  return files && { kind: 'edit', words: [], files, folder: cwd };
}

const commandOf = ({ command }: Fields): readonly string[] | null => (typeof command === 'string' ? plainCommand(command) : null);

/** Whether a rule says yes to a question: what it does not understand whole it does not. */
export function ruleAllows(rule: ApprovalRule, asked: PendingApproval, tags: readonly string[], now: number): boolean {
  const { agent, tag, kind, command, folder } = rule;
  const isItsAgent = agent === null ? tag !== null && tags.includes(tag) : agent === asked.agentId;
  if (!isItsAgent || endOf(rule, now) !== null) return false;
  const use = understood(asked);
  if (use === null || use.kind !== kind || !isInside(folder, use.folder)) return false;
  if (kind === 'edit') return use.files.every((file) => isInside(folder, file));
  return command !== null && command.length <= use.words.length && command.every((word, index) => word === use.words[index]);
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
  const { agent = null, tag = null, expiresAt = null, maxUses = null } = input;
  if ((agent === null) === (tag === null)) throw wrong('agent', 'say either an agent or a tag');
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
  if (segmentsOf(folder) === null) throw wrong('folder', 'must be absolute, without . and ..');
  if (expiresAt !== null && expiresAt <= now) throw wrong('expiresAt', 'is over');
  const name = input.name ?? nameOf(kind, command, folder);
  const whose = { agent, tag, kind, command: command && [...command], folder };
  return { id, name, ...whose, expiresAt, maxUses, uses: 0, createdAt: now, createdBy: by, endedAt: null, ended: null, endedBy: null };
}

function nameOf(kind: string, command: readonly string[] | null, folder: string): string {
  const what = command ? command.join(' ') : kind;
  const line = `${what} in ${folder}`.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, ' ').trim();
  return [...line].slice(0, 128).join('').trim();
}

const wrong = (path: string, message: string): RelayError =>
  new RelayError('validation_failed', `${path}: ${message}`, { issues: [{ path, message }] });

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A field that nobody here knows may change what is done. */
const onlyHas = (input: Fields, known: readonly string[]): boolean => Object.keys(input).every((name) => known.includes(name));

const editFields = [
  'file_path',
  'notebook_path',
  'path',
  'content',
  'old_string',
  'new_string',
  'replace_all',
  'edits',
  'new_source',
  'cell_id',
  'cell_type',
  'edit_mode',
];

/** Every file that an edit names; null where one of them cannot be read. */
function editedFiles(input: Fields): readonly string[] | null {
  const { changes } = input;
  if (Array.isArray(changes)) return onlyHas(input, ['changes']) ? changedFiles(changes) : null;
  if (!onlyHas(input, editFields)) return null;
  return texts([input['file_path'], input['notebook_path'], input['path']].filter((file) => file !== undefined));
}

function changedFiles(changes: readonly unknown[]): readonly string[] | null {
  const files = changes.flatMap((change) => {
    if (!isObject(change) || !onlyHas(change, ['path', 'change', 'moveTo', 'diff'])) return [null];
    return change['moveTo'] === null || change['moveTo'] === undefined ? [change['path']] : [change['path'], change['moveTo']];
  });
  return texts(files);
}

const texts = (values: readonly unknown[]): readonly string[] | null =>
  values.length > 0 && values.every((value) => typeof value === 'string') ? values : null;

/** The parts of an absolute path; null for one that is not, or that goes back up. */
function segmentsOf(path: string): readonly string[] | null {
  const [, drive = ''] = /^([A-Za-z]:)[\\/]/u.exec(path) ?? [];
  if (drive === '' && !path.startsWith('/')) return null;
  const parts = path.slice(drive.length + 1).split(drive === '' ? '/' : /[\\/]/u);
  // Systems end a path at NUL, pass over what is not seen, and know files by short names as well.
  if (parts.some((part) => /[\p{Cc}\p{Cf}]|~\d/u.test(part))) return null;
  const named = parts.at(-1) === '' ? parts.slice(0, -1) : parts;
  return named.some((part) => part === '' || part === '.' || part === '..') ? null : [drive, ...named];
}

/** What is hidden below the folder can run commands, or say what may: no rule reaches it. */
function isInside(folder: string, path: string): boolean {
  const [outer, inner] = [segmentsOf(folder), segmentsOf(path)];
  if (outer === null || inner === null || outer.length > inner.length) return false;
  return outer.every((part, index) => part === inner[index]) && !inner.slice(outer.length).some((part) => part.startsWith('.'));
}

/** Tags by which rules find an agent: an agent says of itself what it likes, and gets nobody's yes by it. */
export const ruledTagsOf = ({ tags, givenTags = [] }: Pick<Agent, 'tags' | 'givenTags'>): readonly string[] =>
  tags.filter((tag) => givenTags.includes(tag));
