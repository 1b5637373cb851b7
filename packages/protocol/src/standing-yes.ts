import type { Approval } from './approval.ts';
import type { ApprovalRule } from './approval-rule.ts';
import { plainCommand } from './plain-command.ts';

type Question = Pick<Approval, 'kind' | 'cwd' | 'input' | 'options' | 'form'>;

/** A question as a rule could allow it: the kind of tool, the words or the files, and the folder; null for what no rule understands. */
export interface Understood {
  readonly kind: 'execute' | 'edit';
  readonly words: readonly string[];
  readonly files: readonly string[];
  readonly folder: string;
}

export function understood(asked: Question): Understood | null {
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

/** Whether a standing yes covers a question: what is not understood whole it does not. */
export function questionAllowedBy({ kind, command, folder }: Pick<ApprovalRule, 'kind' | 'command' | 'folder'>, asked: Question): boolean {
  const use = understood(asked);
  if (use === null || use.kind !== kind || !isInside(folder, use.folder)) return false;
  if (kind === 'edit') return use.files.every((file) => isInside(folder, file));
  return command !== null && command.length <= use.words.length && command.every((word, index) => word === use.words[index]);
}

/** Absolute, and named without going back up. */
export const isPlainFolder = (folder: string): boolean => segmentsOf(folder) !== null;

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
