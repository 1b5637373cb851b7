import type { Approval, PendingApproval } from 'agent-relay-protocol';
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

export function outcomeOf({ status, by, message }: Exclude<Approval, PendingApproval>): Outcome {
  if (status === 'cancelled') return { mark: '–', tone: 'soft', words: 'withdrawn before anybody answered', detail: message };
  if (by === 'timeout') return { mark: '⧗', tone: 'soft', words: 'not allowed: nobody answered in time', detail: null };
  if (status === 'allowed') return { mark: '✔', tone: 'good', words: `allowed by ${by}`, detail: message };
  if (status === 'denied') return { mark: '✕', tone: 'bad', words: `denied by ${by}`, detail: message };
  return { mark: '?', tone: 'soft', words: `${String(status satisfies never)} by ${by}`, detail: message };
}

/** One thing a person reads before allowing it. */
export interface InputPart {
  /** Null where it goes without saying. */
  readonly name: string | null;
  readonly text: string;
  readonly look: 'command' | 'removed' | 'added' | 'diff' | 'plain';
}

const looks: Readonly<Record<string, InputPart['look']>> = {
  command: 'command',
  old_string: 'removed',
  new_string: 'added',
  content: 'added',
  diff: 'diff',
};

/** What would run, the command first, nothing left out. */
export function partsOf(input: Input): readonly InputPart[] {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return [{ name: null, text: textOf(input), look: 'plain' }];
  const { changes } = input;
  if (Object.keys(input).length === 1 && Array.isArray(changes)) return changes.flatMap(partsOf);
  const parts = Object.entries(input).flatMap(([name, value]): InputPart[] => {
    if (value === null) return [];
    const look = looks[name] ?? 'plain';
    return [{ name: look === 'command' ? null : name.replaceAll('_', ' '), text: textOf(value), look }];
  });
  return parts.sort((one, other) => Number(other.look === 'command') - Number(one.look === 'command'));
}

const textOf = (value: Input): string => visible(typeof value === 'string' ? value : JSON.stringify(value, null, 2));

/** Signs that have no look of their own or turn what follows around, told by their number: a person allows what is seen. */
export const visible = (text: string): string =>
  text.replace(/(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}}`);
