import type { Approval, ApprovalOption, FormField, PendingApproval } from 'agent-relay-protocol';
import { known } from '../known.ts';

type Input = Exclude<Approval['input'], undefined>;

const kinds: Readonly<Record<Approval['kind'], string>> = {
  read: 'wants to read',
  edit: 'wants to write',
  execute: 'wants to run',
  search: 'wants to search',
  fetch: 'wants to use the network',
  message: 'wants to send',
  think: 'wants to think',
  other: 'asks',
};

export const kindWords = (kind: string): string => known(kinds, kind, (word) => `asks (${word})`);

/** What came of a question. `detail` is what was said with it, when that says more. */
export interface Outcome {
  readonly mark: string;
  readonly tone: 'good' | 'bad' | 'soft';
  readonly words: string;
  readonly detail: string | null;
}

export function outcomeOf(approval: Exclude<Approval, PendingApproval>): Outcome {
  const { status, by, message: said } = approval;
  const chosen = [chosenWords(approval), ...answeredWords(approval), said].filter((words) => words !== null);
  const message = chosen.length === 0 ? null : chosen.join('; ');
  if (status === 'cancelled') return { mark: '–', tone: 'soft', words: 'withdrawn before anybody answered', detail: message };
  if (by === 'timeout') return { mark: '⧗', tone: 'soft', words: 'not allowed: nobody answered in time', detail: null };
  if (status === 'allowed') return { mark: '✔', tone: 'good', words: `allowed by ${by}`, detail: message };
  if (status === 'denied') return { mark: '✕', tone: 'bad', words: `denied by ${by}`, detail: message };
  return { mark: '?', tone: 'soft', words: `${String(status satisfies never)} by ${by}`, detail: message };
}

type Answered = Exclude<Approval, PendingApproval>;

function chosenWords({ optionId, options = [], updatedInput }: Answered): string | null {
  const option = optionId === undefined || optionId === 'allow' || optionId === 'deny' ? undefined : optionId;
  const label = option === undefined ? undefined : visible(options.find(({ id }) => id === option)?.label ?? option);
  const edited = updatedInput === undefined ? undefined : `instead ${textOf(updatedInput)}`;
  return [label, edited].filter((words) => words !== undefined).join(', ') || null;
}

const answeredWords = ({ answers = {}, form = [] }: Answered): readonly string[] =>
  Object.entries(answers).map(([id, said]) => `${visible(form.find((field) => field.id === id)?.text ?? id)} ${visible(said.join(', '))}`);

export type AskedField = FormField;

/** Where a person's own words stand, beside the choices of a field. */
export const ownWordsName = (fieldId: string): string => `${fieldId} in own words`;

/** What there is to press. There is always a no, which may say why. */
export interface Options {
  readonly yes: readonly ApprovalOption[];
  /** The yes that holds this once; the first where each holds for longer. */
  readonly mainYes: ApprovalOption | undefined;
  readonly plainNo: ApprovalOption;
  readonly otherNos: readonly ApprovalOption[];
}

const usual: readonly ApprovalOption[] = [
  { id: 'allow', label: 'Allow once', outcome: 'allow' },
  { id: 'deny', label: 'Deny', outcome: 'deny' },
];

const allowing: ReadonlySet<string> = new Set<ApprovalOption['outcome']>(['allow', 'allow_session', 'allow_always']);

export function optionsOf({ options = usual }: { readonly options?: readonly ApprovalOption[] | undefined }): Options {
  const nos = options.filter(({ outcome }) => !allowing.has(outcome));
  const plainNo = nos.find(({ outcome }) => outcome === 'deny') ?? { id: 'deny', label: 'Deny', outcome: 'deny' };
  const yes = options.filter(({ outcome }) => allowing.has(outcome));
  return {
    yes,
    mainYes: yes.find(({ outcome }) => outcome === 'allow') ?? yes[0],
    plainNo,
    otherNos: nos.filter((option) => option !== plainNo),
  };
}

/** One thing a person reads before allowing it. */
export interface InputPart {
  /** Null where it goes without saying. */
  readonly name: string | null;
  readonly text: string;
  readonly look: 'command' | 'removed' | 'added' | 'diff' | 'plain';
  /** Of which file it is, where that is said beside it. */
  readonly file?: string;
}

const looks: Readonly<Record<string, InputPart['look']>> = {
  command: 'command',
  old_string: 'removed',
  new_string: 'added',
  content: 'added',
  diff: 'diff',
};

/** Whether what is asked is named by its command and nothing else: what would run says it by itself. */
export const isNamedByCommand = ({ title, input }: { readonly title: string; readonly input?: Input | undefined }): boolean =>
  input !== undefined && partsOf(input).some(({ look, text }) => look === 'command' && text.trim() === visible(title).trim());

const ofFiles: ReadonlySet<InputPart['look']> = new Set<InputPart['look']>(['removed', 'added', 'diff']);

/** What would run, the command first, nothing left out. */
export function partsOf(input: Input): readonly InputPart[] {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return [{ name: null, text: textOf(input), look: 'plain' }];
  const { changes } = input;
  if (Object.keys(input).length === 1 && Array.isArray(changes)) return changes.flatMap(partsOf);
  const file = input['file_path'] ?? input['path'];
  const parts = Object.entries(input).flatMap(([name, value]): InputPart[] => {
    if (value === null) return [];
    const look = looks[name] ?? 'plain';
    return [
      {
        name: look === 'command' ? null : name.replaceAll('_', ' '),
        text: textOf(value),
        look,
        ...(typeof file === 'string' && ofFiles.has(look) && { file }),
      },
    ];
  });
  return parts.sort((one, other) => Number(other.look === 'command') - Number(one.look === 'command'));
}

const textOf = (value: Input): string => visible(typeof value === 'string' ? value : JSON.stringify(value, null, 2));

/** Signs that have no look of their own or turn what follows around, told by their number: a person allows what is seen. */
export const visible = (text: string): string =>
  text.replace(/(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}}`);
