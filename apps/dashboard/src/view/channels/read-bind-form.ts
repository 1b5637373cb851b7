import type { RouteRequest } from 'agent-relay-protocol';
import type { Fields } from '../form/read-fields.ts';

export type BindRequest = RouteRequest<'channels/bind'>;

/** The binding that a filled form asks for. */
export const readBindForm = (channelId: string, fields: Fields): BindRequest => ({
  id: channelId,
  conversationId: fields.text('conversation'),
  target: fields.text('target'),
  mode: fields.oneOf('mode', ['exclusive', 'fanout']),
});
