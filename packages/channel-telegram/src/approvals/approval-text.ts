import { createHash } from 'node:crypto';
import type { Approval, ApprovalStatus } from 'agent-relay-protocol';
import { printable } from 'agent-relay-wire';
import type { Text } from '../telegram/bot-api.ts';
import { formText } from './approval-answers.ts';
import type { ApprovalKey } from './approval-source.ts';

/** Leaves room for how it ended. */
const MAX_QUESTION_LENGTH = 3500;
const MAX_TITLE_LENGTH = 500;

export interface Question extends Text {
  /** Nobody should allow what they cannot read. */
  readonly isWhole: boolean;
}

export function questionText(asked: Pick<Approval, 'agentId' | 'title' | 'cwd' | 'input' | 'form'>): Question {
  const { agentId, title, cwd, form = [] } = asked;
  const input = form.length === 0 ? inputText(asked.input) : formText(form);
  const details = printable(input);
  const shownTitle = cut(printable(title).replaceAll('\n', ' '), MAX_TITLE_LENGTH);
  const folder = cwd === undefined ? '' : cut(printable(cwd).replaceAll('\n', ' '), MAX_TITLE_LENGTH);
  const before = `${agentId} asks${form.length === 0 ? ': may I do this?' : ' you:'}\n\n${shownTitle}${cwd === undefined ? '' : `\nin ${folder}`}`;
  const room = MAX_QUESTION_LENGTH - before.length;
  const shown = cut(details, room);
  // What hides something, such as an order of characters that is not the one they run in, is not what a person sees.
  const isWhole = shown === details && details === lines(input) && shownTitle === title && folder === (cwd ?? '');
  const note = isWhole ? '' : '\n\nThis is not all of it: it can be allowed in the dashboard, where the whole is shown.';
  if (shown.trim() === '') return { text: before + note, isWhole };
  const offset = before.length + 2;
  return { text: `${before}\n\n${shown}${note}`, entities: [{ type: 'pre', offset, length: shown.length }], isWhole };
}

/** How a question stands; `by` is null when the relay no longer knows it. */
export interface Standing extends ApprovalKey {
  readonly status: ApprovalStatus;
  readonly by: string | null;
}

/** How a question ended, in a line. `name` is who pressed the button here. */
export function outcomeText({ status, by }: Pick<Standing, 'status' | 'by'>, name: string | null): string {
  const who = printable(name ?? by ?? 'somebody').replaceAll('\n', ' ');
  switch (status) {
    case 'pending':
      return 'Still open.';
    case 'allowed':
      return `✅ Allowed by ${who}.`;
    case 'denied':
      return by === 'timeout' ? '⌛ Denied: nobody answered in time.' : `⛔ Denied by ${who}.`;
    case 'cancelled':
      return by === 'timeout' ? '⌛ Nobody answered in time.' : '➖ No longer needed: the turn or the session ended.';
  }
  // Of a relay of a later version.
  return `➖ No longer open: ${printable(String(status satisfies never))}.`;
}

/** A name for the question that fits into a button, the same after every start. */
export const approvalKey = ({ agentId, approvalId }: ApprovalKey): string =>
  createHash('sha256')
    .update(JSON.stringify([agentId, approvalId]))
    .digest('base64url')
    .slice(0, 22);

/** Most tools have a command or one text that says it all. */
function inputText(input: unknown): string {
  if (input === undefined || input === null) return '';
  if (typeof input === 'string') return input;
  if (typeof input === 'object' && 'command' in input && typeof input.command === 'string' && Object.keys(input).length === 1)
    return input.command;
  return JSON.stringify(input, null, 2);
}

const lines = (text: string): string => text.replaceAll('\r\n', '\n');

function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text.slice(0, length - 1).replace(/\p{Surrogate}$/u, '')}…`;
}
