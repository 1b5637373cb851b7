import { createHash } from 'node:crypto';
import type { SendMessage } from 'agent-relay-protocol';
import { spellingOf } from '../../domain/scopes.ts';

/**
 * What makes two sends the same: what is said to whom, however it is written down, and not how long the sender waits for it, nor which step of a trace it is. What is left out is
 * the same as what it then is, `x` the same as `id:x`.
 */
export function digestOf({ waitFor: _wait, idempotencyKey: _key, from: _from, type, ...said }: SendMessage): string {
  const { traceparent: _parent, tracestate: _state, ...content } = said;
  const { to, kind = type ?? 'chat', mode = 'next', claimable = false } = content;
  return digestOfFields({ ...content, kind, mode, claimable, to: to === undefined ? null : spellingOf(to) });
}

/** The same for the same fields, in whichever order they were given, at every depth. */
export const digestOfFields = (content: object): string =>
  createHash('sha256').update(JSON.stringify(content, inOrder)).digest('base64url');

const inOrder = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
    : value;
