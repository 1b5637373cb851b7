import { CreateTokenSchema } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { type Fields, readFields } from '../form/read-fields.ts';
import { readTokenForm } from './read-token-form.ts';

const form = (fields: Record<string, string | string[]>): Fields => {
  const data = new FormData();
  for (const [name, values] of Object.entries(fields)) for (const value of [values].flat()) data.append(name, value);
  return readFields(data);
};

test('a form becomes a request that fits the kind, without what the kind has no use for', () => {
  const filled = {
    name: ' ci ',
    scope: ['tasks:read', 'nonsense', 'messages:write'],
    agentId: 'Worker',
    targets: 'tag:ops,  id:Lead',
    days: '30',
  };
  const scoped = readTokenForm('scoped', form(filled));
  expect(scoped).toEqual({
    name: 'ci',
    kind: 'scoped',
    scopes: ['messages:write', 'tasks:read'],
    targets: ['tag:ops', 'id:Lead'],
    expiresInMs: 2_592_000_000,
  });
  expect(readTokenForm('observer', form({ ...filled, days: '' }))).toEqual({ name: 'ci', kind: 'observer' });
  const agent = readTokenForm('agent', form({ name: 'bot', agentId: 'Worker', targets: '', days: '' }));
  expect(agent).toEqual({ name: 'bot', kind: 'agent', agentId: 'Worker' });
  const channel = readTokenForm('channel', form({ name: 'phone', agentId: 'telegram', targets: '', days: '' }));
  expect(channel).toEqual({ name: 'phone', kind: 'channel', agentId: 'telegram' });
  for (const request of [scoped, agent, channel]) expect(CreateTokenSchema.safeParse(request).success).toBe(true);
});
