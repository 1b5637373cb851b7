import type { ActivityEntry } from 'agent-relay-protocol';
import { isApprovalEvent } from './approval.ts';

/**
 * Tokens of this relay, and the credentials of its owner: whoever reads a log that is shared must not become who the agent is. Of one that was cut off
 * what is left may be enough to guess the rest.
 */
const ownTokens = /(?:ar_[a-z]+|owner|relay)_(?:[\w-]{43}|[\w-]{32,42}(?=…|$))/gu;
const HIDDEN = '[a token, hidden]';

/**
 * What a link shows of an entry; null for nothing. What is asked of people is theirs to see, and of what comes in pieces, live, only the whole is
 * shown, for a token that lies across two of them would be found in neither. `ownerTokens`: the owner's credentials, of whatever form.
 */
export function sharedEntry(entry: ActivityEntry, ownerTokens: readonly string[]): ActivityEntry | null {
  const { event } = entry;
  const isLive = entry.id === 0;
  if (isLive || isApprovalEvent(event)) return null;
  const hideTokens = (text: string) =>
    ownerTokens.reduce((shown, token) => shown.replaceAll(token, HIDDEN), text).replace(ownTokens, HIDDEN);
  return { ...entry, event: withTexts(event, hideTokens) };
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
