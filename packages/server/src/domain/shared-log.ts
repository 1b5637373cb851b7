import type { ActivityEntry } from 'agent-relay-protocol';
import { isApprovalEvent } from './approval.ts';

/** Tokens of this relay, and the credential of its owner: whoever reads a log that is shared must not become who the agent is. */
const ownTokens = /(?:ar_[a-z]+|owner)_[\w-]{43}/gu;
const HIDDEN = '[a token, hidden]';

/**
 * What a link shows of an entry; null for nothing. What is asked of people is theirs to see, and of what comes in pieces, live, only the whole is
 * shown, for a token that lies across two of them would be found in neither.
 */
export function sharedEntry(entry: ActivityEntry): ActivityEntry | null {
  const { event } = entry;
  const isLive = entry.id === 0;
  if (isLive || isApprovalEvent(event)) return null;
  return { ...entry, event: withoutTokens(event) };
}

/** Of any JSON, in values and in names. */
function withoutTokens<Value>(value: Value): Value {
  const hidden = (part: unknown): unknown => {
    if (typeof part === 'string') return part.replace(ownTokens, HIDDEN);
    if (Array.isArray(part)) return part.map(hidden);
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([name, member]) => [name.replace(ownTokens, HIDDEN), hidden(member)]));
  };
  return hidden(value) as Value; // the same shape: only text within its texts is another
}
