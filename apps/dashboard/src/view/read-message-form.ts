import type { RouteRequest } from 'agent-relay-protocol';
import type { Fields } from './form/read-fields.ts';

export type SendRequest = RouteRequest<'messages/send'>;

/** The message that a filled form asks to send, in answer to another or not; null while it says nothing, or to nobody. */
export function readMessageForm(fields: Fields, replyTo: number | null): SendRequest | null {
  const [to, body] = [fields.text('to'), fields.text('body')];
  if (to === '' || body === '') return null;
  return {
    to,
    body,
    mode: fields.oneOf('mode', ['next', 'now', 'urgent', 'fyi']),
    idempotencyKey: crypto.randomUUID(),
    ...(replyTo === null ? {} : { replyTo }),
  };
}
