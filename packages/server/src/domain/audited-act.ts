import type { Route, RouteName } from 'agent-relay-protocol';
import { asText } from 'agent-relay-protocol';

/** What holding one of these lets somebody do is remembered, whatever the route. */
const power: ReadonlySet<string | null> = new Set(['*', 'sessions:write', 'approvals:write', 'holds:write', 'nodes:write']);
/** Of other scopes, what changes what others are, have or may. */
const besides: readonly RouteName[] = [
  'agents/remove',
  'agents/approval',
  'agents/label',
  'agents/tags',
  'messages/remove',
  'channels/bind',
  'channels/unbind',
  'tokens/create',
  'tokens/revoke',
  'login/create',
  'callbacks/redeliver',
  'push/subscribe',
  'push/unsubscribe',
];

/**
 * Whether a call is remembered by who made it. Whatever is sent is, where it interrupts or steers its recipient's turn; a card, where a
 * person gave it a kind or tags.
 */
export function isAudited(
  name: RouteName,
  { method, scope }: Pick<Route, 'method' | 'scope'>,
  { input, isPerson }: { readonly input: unknown; readonly isPerson: boolean },
): boolean {
  if (method === 'GET') return false;
  if (['now', 'urgent'].includes(asText(fieldsOf(input)['mode']))) return true;
  if (name === 'agents/register') return isPerson && ['kind', 'tags'].some((field) => fieldsOf(input)[field] !== undefined);
  return power.has(scope) || besides.includes(name);
}

/** Texts, which may hold anything, and what is a secret. */
const unsaid = [
  'body',
  'task',
  'subject',
  'message',
  'title',
  'text',
  'reason',
  'objective',
  'answers',
  'updatedInput',
  'input',
  'fields',
  'code',
  'token',
  'secret',
  'webhook',
  'endpoint',
  'idempotencyKey',
];

/** What a call was about, and what else it asked: words, numbers, and lists of words. */
export function actOf(input: unknown): { readonly subject: string | null; readonly details: Readonly<Record<string, Detail>> } {
  const fields = fieldsOf(input);
  const subject = [fields['id'], fields['agent'], fields['agentId'], fields['name'], fields['to']].find(
    (value) => typeof value === 'string' || typeof value === 'number',
  );
  const details = Object.entries(fields).flatMap(([name, value]) => {
    const detail = name === 'id' || unsaid.includes(name) ? null : detailOf(value);
    return detail === null ? [] : [[name, detail] as const];
  });
  return { subject: subject === undefined ? null : String(subject).slice(0, 300), details: Object.fromEntries(details) };
}

type Detail = string | number | boolean | string[];

function detailOf(value: unknown): Detail | null {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'string') return value.slice(0, 300);
  if (!Array.isArray(value)) return null;
  return value.flatMap((part) => (typeof part === 'string' ? [part.slice(0, 100)] : [])).slice(0, 64);
}

const fieldsOf = (input: unknown): Readonly<Record<string, unknown>> =>
  typeof input === 'object' && input !== null ? (input as Readonly<Record<string, unknown>>) : {}; // an object has fields
