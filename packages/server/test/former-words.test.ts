import { expect, test } from 'vitest';
import { startTestRelay } from '../src/testing.ts';

test('a standing rule and a link are made, and callbacks listed, by the words of older programs too; the answer has those of now', async () => {
  await using relay = await startTestRelay({ arrivalMs: 0 });
  const ask = async (path: string, body?: object) => {
    const headers = { authorization: `Bearer ${relay.ownerToken}`, 'content-type': 'application/json' };
    const response = await fetch(`${relay.url}/api${path}`, body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers });
    const answer: unknown = await response.json();
    return [response.status, answer];
  };
  await ask('/agents', { name: 'Worker' });
  const rule = await ask('/approvals/rules', { agent: 'Worker', command: ['ls'], folder: '/srv' });
  expect(rule).toEqual([201, expect.objectContaining({ agentId: 'Worker' })]);
  expect(rule).not.toEqual([201, expect.objectContaining({ agent: 'Worker' })]);
  const link = await ask('/shares', { agent: 'Worker', session: 'none' });
  expect(link).toEqual([404, { error: expect.objectContaining({ message: 'Worker has no session none' }) }]);
  expect(await ask('/callbacks?taskId=7')).toEqual([200, expect.objectContaining({ data: [] })]);
});
