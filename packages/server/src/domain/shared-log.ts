import type { ActivityEntry } from 'agent-relay-protocol';
import { isApprovalEvent } from './approval.ts';
import { withoutSecretShapes } from './secret-shapes.ts';

/**
 * Tokens of this relay, and those that setup makes for its owner: whoever reads a log that is shared must not become who the agent is. Of one that was cut off
 * what is left may be enough to guess the rest.
 */
const ownTokens = /(?:ar_[a-z]+|owner|relay)_(?:[\w-]{43}|[\w-]{32,42}(?=…|$))/gu;
const HIDDEN = '[a token, hidden]';

/** What the relay knows itself, and nobody else may learn. */
export interface KnownSecrets {
  readonly texts: readonly string[];
  /** Words that are known by their hashes and lengths alone. To ask whether one is costs a hash. */
  readonly words: { readonly lengths: ReadonlySet<number>; readonly isOne: (word: string) => boolean };
  /** A text without what a terminal would obey. */
  readonly withoutColours: (text: string) => string;
}

/**
 * What a link shows of an entry; null for nothing. What is asked of people is theirs to see, and of what comes in pieces, live, only the whole is
 * shown, for a token that lies across two of them would be found in neither.
 */
export function sharedEntry(entry: ActivityEntry, { texts, words, withoutColours }: KnownSecrets): ActivityEntry | null {
  const { event } = entry;
  const isLive = entry.id === 0;
  if (isLive || isApprovalEvent(event)) return null;
  const written = texts.flatMap(spellingsOf).sort((one, other) => other.length - one.length);
  const hideTokens = (text: string) => {
    const shown = written.reduce((left, secret) => left.replaceAll(secret, HIDDEN), text).replace(ownTokens, HIDDEN);
    return withoutSecretShapes(words.lengths.size === 0 ? shown : withoutWords(shown, words));
  };
  return { ...entry, event: withTexts(event, (text) => hideAlsoInColours(text, withoutColours(text), hideTokens)) };
}

/** Colours may stand within a secret, and between it and the word that says what it is: they go with it. */
function hideAlsoInColours(text: string, plain: string, hide: (text: string) => string): string {
  const shown = hide(text);
  if (plain === text) return shown;
  const hidden = hide(plain);
  return hidden === plain ? shown : hidden;
}

/** As a command, an address or JSON has it. */
const spellingsOf = (secret: string): readonly string[] => [
  ...new Set([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]),
];

/** What sets words apart in commands, addresses and code. A token may have some of it within, and `=` behind. */
const pieces = /[^\s"'`<>()[\]{},;|&\\$=:?#.!/@%]+=*/gu;
const MOST_PIECES = 6;

/** Each word that is one, whatever stands around it. */
function withoutWords(text: string, { lengths, isOne }: KnownSecrets['words']): string {
  return text.replaceAll(/\S{8,}/gu, (run) => {
    const parts = [...run.matchAll(pieces)].map(({ 0: piece, index: start }) => {
      const bare = piece.replace(/=+$/u, '');
      return { start, ends: [...new Set([start + bare.length, start + piece.length])] };
    });
    let [shown, told] = ['', 0];
    for (const [index, { start }] of parts.entries()) {
      const within = start < told ? [] : parts.slice(index, index + MOST_PIECES).flatMap(({ ends }) => ends);
      const end = within.toReversed().find((at) => lengths.has(at - start) && isOne(run.slice(start, at)));
      if (end === undefined) continue;
      shown += `${run.slice(told, start)}${HIDDEN}`;
      told = end;
    }
    return shown + run.slice(told);
  });
}

/** Any JSON with other texts, in values and in names. */
function withTexts<Value>(value: Value, change: (text: string) => string): Value {
  const changed = (part: unknown): unknown => {
    if (typeof part === 'string') return change(part);
    if (Array.isArray(part)) return part.map(changed);
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([name, member]) => [change(name), changed(member)]));
  };
  return changed(value) as Value; // the same shape: only text within its texts is another
}
