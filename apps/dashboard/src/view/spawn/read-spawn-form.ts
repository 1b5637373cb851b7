import type { RouteRequest } from 'agent-relay-protocol';
import type { Fields } from '../form/read-fields.ts';

export type StartSessionRequest = RouteRequest<'sessions/start'>;

/** The request that a filled form asks for. */
export const readSpawnForm = (fields: Fields): StartSessionRequest => ({
  name: fields.text('name'),
  provider: fields.text('provider'),
  mode: fields.oneOf('mode', ['agentic', 'safe', 'unrestricted']),
  approval: fields.oneOf('approval', ['open', 'guarded', 'read-only']),
  ask: fields.isOn('ask'),
  ...fields.optional('task'),
  ...fields.optional('cwd'),
  ...fields.optional('model'),
  ...fields.optional('node'),
  ...(fields.text('sandbox') === 'os' ? { sandbox: 'os' as const } : {}),
});
