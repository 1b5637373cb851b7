import type { Abilities, NodeProvider } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { startTestRelay } from '../src/testing.ts';
import { attachNode } from './support/fake-node.ts';
import { agentRelay } from './support/run-command.ts';

const abilities: Abilities = {
  steer: 'joins',
  approvals: true,
  diffs: true,
  resume: true,
  modes: ['safe', 'agentic', 'unrestricted'],
  sandbox: ['bwrap'],
};
const acme: NodeProvider = {
  id: 'acme',
  available: true,
  version: '2.0',
  reason: null,
  abilities: { ...abilities, steer: 'waits', resume: false, modes: ['unrestricted'], sandbox: [] },
};
const missing = ['gemini', 'goose', 'kimi', 'vibe'].map((id): NodeProvider => {
  return {
    id,
    available: false,
    version: null,
    reason: `${id} is not installed on this machine; install it with ${id}-install`,
    abilities,
  };
});

test('people see what each machine can run, what that can do, and how to install the rest', async () => {
  await using relay = await startTestRelay();
  const desk = await attachNode(relay.url, relay.ownerToken, 'desk', [
    { id: 'claude', available: true, version: '2.1', reason: null, abilities },
    acme,
    ...missing,
  ]);
  const attic = await attachNode(relay.url, relay.ownerToken, 'attic');
  const heading = 'PROVIDER  VERSION  STEER  APPROVALS  DIFFS  RESUME  MODES';
  expect((await agentRelay(relay, 'providers', 'desk')).out).toBe(
    [
      `desk (${desk.nodeId}), online`,
      `${heading}                      SANDBOX`,
      'claude    2.1      joins  yes        yes    yes     safe,agentic,unrestricted  bwrap',
      'acme      2.0      waits  yes        yes    no      unrestricted               -',
      'Not there:',
      ...missing.map(({ id, reason }) => `  ${id.padEnd(6)}  ${reason}`),
    ].join('\n'),
  );
  expect((await agentRelay(relay, 'providers', 'attic')).out).toBe(
    [`attic (${attic.nodeId}), online`, `${heading}  SANDBOX`, 'claude    1        ?      ?          ?      ?       ?      ?'].join('\n'),
  );
  const json = (await agentRelay(relay, 'providers', '--json')).out.split('\n').map((line) => JSON.parse(line));
  expect(json).toHaveLength(7);
  expect(json).toContainEqual({ nodeId: desk.nodeId, machine: 'desk', status: 'online', ...acme });
  expect(await agentRelay(relay, 'providers', 'cellar')).toEqual({ code: 1, out: '', notes: 'error: there is no machine cellar' });
  const refused = await agentRelay(relay, 'spawn', 'acme', '--name', 'Worker');
  expect(refused).toMatchObject({
    code: 1,
    notes: 'error: acme cannot work in mode agentic, only in unrestricted; claude can (unsupported)',
  });
  expect((await agentRelay(relay, 'doctor')).out).toContain(
    '-      not there: gemini, goose, kimi, vibe; agent-relay providers says how to install each',
  );
  expect((await agentRelay(relay, 'spawn', 'cladue', '--name', 'Worker', '--node', 'desk')).notes).toBe(
    'error: The node desk has no provider cladue: did you mean claude? It has claude, acme. (provider_unavailable)',
  );
  await Promise.all([desk, attic].map(({ peer }) => peer.close()));
  await expect
    .poll(async () => (await agentRelay(relay, 'providers', 'desk')).out)
    .toBe(`desk (${desk.nodeId}), offline\nWhat it can run is not known while it is offline.`);
});

test('the modes of a machine are those that its owner allows', async () => {
  await using relay = await startTestRelay();
  const providers = [{ id: 'claude', available: true, version: '2.1', reason: null, abilities }];
  const desk = await attachNode(relay.url, relay.ownerToken, 'desk', providers);
  await desk.peer.request('nodes/heartbeat', { sessions: [], offer: { providers, terms: { modes: ['safe'] } } });
  const { out } = await agentRelay(relay, 'providers', 'desk');
  expect(out.split('\n').at(-1)).toBe('claude    2.1      joins  yes        yes    yes     safe   bwrap');
  await desk.peer.close();
});
