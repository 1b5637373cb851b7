import type { AgentEvent, Message } from 'agent-relay-protocol';

/** One thing that is looked for: a word, or some that stand together. */
export interface SearchTerm {
  readonly words: readonly string[];
  readonly isExcluded: boolean;
}

/** Of one message or entry; what is beyond is not found. */
const MAX_CHARACTERS = 32_768;

/** How many terms one search has, and how many words one term. */
export const searchLimits = { terms: 16, words: 8 } as const;

/** `fix "build error" -test`: in the order given, each once. Whatever has no letter and no digit is nothing that could be found. */
export function readSearch(text: string): readonly SearchTerm[] {
  const terms = new Map<string, SearchTerm>();
  for (const [, minus, quoted, word] of text.matchAll(/(-?)(?:"([^"]*)"?|(\S+))/gu)) {
    const words = wordsIn(quoted ?? word ?? '');
    const isExcluded = minus === '-';
    if (words.length > 0) terms.set(`${isExcluded ? '-' : ''}${words.join(' ').toLowerCase()}`, { words, isExcluded });
  }
  return [...terms.values()];
}

/** As the index takes a text apart. */
export const wordsIn = (text: string): readonly string[] => text.normalize('NFC').match(/[\p{L}\p{N}\p{M}\p{Co}]+/gu) ?? [];

/** What of a message is searched. */
export const messageText = ({ subject, body }: Pick<Message, 'subject' | 'body'>): string =>
  (subject === null ? body : `${subject}\n${body}`).slice(0, MAX_CHARACTERS);

/** What of an event is searched: nothing of what is said again elsewhere, or means something to programs only. */
export function eventText(event: AgentEvent): string {
  return textsOf(event)
    .filter((text) => text !== undefined && text !== '')
    .join('\n')
    .slice(0, MAX_CHARACTERS);
}

/** The files that an event tells of. */
export const filesOf = (event: AgentEvent): readonly { readonly path: string; readonly change: string }[] =>
  event.type === 'file.changed'
    ? event.changes.flatMap(({ path, change, movedTo }) => [
        { path, change },
        ...(movedTo === undefined ? [] : [{ path: movedTo, change: 'added' }]),
      ])
    : [];

export const toolOf = (event: AgentEvent): string | null => (event.type === 'tool.started' ? event.name : null);

function textsOf(event: AgentEvent): readonly (string | undefined)[] {
  switch (event.type) {
    case 'user.message':
    case 'text.completed':
    case 'reasoning.completed':
    case 'output.line':
      return [event.text];
    case 'tool.started':
      return titled(event);
    case 'tool.completed':
      return [event.output];
    case 'approval.requested':
      return titled(event);
    case 'approval.resolved':
      return [event.message];
    case 'file.changed':
      return event.changes.flatMap(({ path, movedTo, diff }) => [path, movedTo, diff]);
    case 'plan.updated':
      return event.steps.map(({ step }) => step);
    case 'turn.started':
      return [event.cause];
    case 'turn.failed':
      return [event.error.message];
    case 'agent.error':
    case 'quota.warning':
      return [event.message];
    case 'session.ended':
      return [event.detail];
    default:
      return [];
  }
}

/** A title is often a tool's name and what matters most of its input, which is not said again. */
const titled = ({ title, input }: { readonly title: string; readonly input?: unknown }): readonly string[] => [
  title,
  ...stringsIn(input).filter((text) => title !== text && !title.endsWith(`: ${text}`)),
];

/** The texts in a value, in order, without its names. Enough of them: it is cut anyway. */
function stringsIn(value: unknown): readonly string[] {
  const found: string[] = [];
  const waiting: unknown[] = [value];
  for (let length = 0; waiting.length > 0 && length < MAX_CHARACTERS; ) {
    const next = waiting.shift();
    if (typeof next === 'string') {
      found.push(next);
      length += next.length;
    } else if (typeof next === 'object' && next !== null) waiting.unshift(...Object.values(next).slice(0, 1_000));
  }
  return found;
}
