// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of hooks, which no template fills
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestRelay, type TestRelay } from '../src/testing.ts';
import { attachNode } from './support/fake-node.ts';

let relay: TestRelay;
let owner: RelayClient;
const path = () => `${relay.databasePath}.hooks.yaml`;
const own = async () => (await owner.hooks.describe()).hooks.map(({ name, trigger, does, body }) => [name, trigger, does, body]);

beforeEach(async () => {
  relay = await startTestRelay();
  owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  for (const id of ['Lead', 'Worker', 'Other']) await owner.agents.register({ id, name: id });
});
afterEach(async () => {
  await owner.close();
  await relay.close();
});

test("a hook of the relay's own is written, changed and taken out from afar; what its owner wrote beside it stays", async () => {
  expect(existsSync(path())).toBe(false);
  const { hook, secret } = await owner.hooks.set({ trigger: 'task_failed', relay: 'Lead', body: 'look: ${title}' });
  expect([hook, secret]).toEqual([
    {
      ...{ nodeId: null, name: 'relay.on_task_failed[0]', agents: 'relay', trigger: 'task_failed', action: 'relay', does: 'Lead' },
      body: 'look: ${title}',
    },
    undefined,
  ]);
  writeFileSync(path(), `# mine\n${readFileSync(path(), 'utf8')}  codex:\n    on_turn_complete:\n      - command: "true" # quiet\n`);
  await owner.hooks.set({ trigger: 'task_failed', name: 'second', relay: '#audit', mode: 'fyi' });
  const changed = await owner.hooks.set({ replaces: hook.name, trigger: 'released', name: 'first', relay: 'Worker' });
  expect(changed.hook).toMatchObject({ name: 'first', trigger: 'released', does: 'Worker' });
  expect(await own()).toEqual([
    ['second', 'task_failed', '#audit', undefined],
    ['first', 'released', 'Worker', undefined],
  ]);
  await owner.hooks.remove({ name: 'second' });
  await owner.hooks.remove({ name: 'first' });
  expect(readFileSync(path(), 'utf8')).toBe('# mine\nhooks:\n  codex:\n    on_turn_complete:\n      - command: "true" # quiet\n');
});

test('a post has a secret: the one that is said, the one it had, or one that is shown once and in no list', async () => {
  const made = await owner.hooks.set({ trigger: 'stalled', name: 'tell', webhook: 'https://ci.example/agents?key=1' });
  expect(made.secret).toMatch(/^[\w-]{32}$/u);
  const listedAs = (await owner.hooks.describe()).hooks[0]?.does ?? '';
  expect(listedAs).toBe('https://ci.example/agents');
  await owner.hooks.set({ replaces: 'tell', trigger: 'spawned', name: 'tell', webhook: listedAs });
  expect(readFileSync(path(), 'utf8')).toContain('https://ci.example/agents?key=1');
  const moved = await owner.hooks.set({ replaces: 'tell', trigger: 'stalled', name: 'tell', webhook: 'https://ci.example/others' });
  expect(moved.secret).toBeUndefined();
  expect(readFileSync(path(), 'utf8')).toContain(`secret: ${made.secret}`);
  const listed = JSON.stringify([await owner.hooks.describe(), (await owner.audit.list({ limit: 10 })).data]);
  expect(listed).toContain('https://ci.example/others');
  expect(listed).not.toContain(made.secret);
  expect(listed).not.toContain('key=1');
});

test('what cannot be is refused with the word that is wrong, and nothing is written', async () => {
  await owner.hooks.set({ trigger: 'stalled', name: 'tell', relay: 'Lead' });
  const before = readFileSync(path(), 'utf8');
  const refused = async (hook: Parameters<typeof owner.hooks.set>[0]) => {
    const error = await owner.hooks.set(hook).catch((reason: unknown) => reason);
    return error;
  };
  for (const [hook, code, field] of [
    [{ trigger: 'stalled', name: 'tell', relay: 'Other' }, 'validation_failed', 'name'],
    [{ trigger: 'stalled', relay: 'Lead', body: '${nobody}' }, 'validation_failed', 'relay'],
    [{ trigger: 'stalled', webhook: 'ftp://x' }, 'validation_failed', 'webhook'],
    [{ trigger: 'stalled', webhook: 'https://x.example', secret: 'short' }, 'validation_failed', 'secret'],
    [{ trigger: 'stalled', webhook: 'https://x.example', relay: 'Lead' }, 'validation_failed', undefined],
    [{ replaces: 'none', trigger: 'stalled', relay: 'Lead' }, 'not_found', undefined],
  ] as const)
    expect(await refused(hook)).toMatchObject({ code, ...(field === undefined ? {} : { issues: [{ path: field }] }) });
  await expect(owner.hooks.remove({ name: 'none' })).rejects.toMatchObject({ code: 'not_found' });
  expect(readFileSync(path(), 'utf8')).toBe(before);
  writeFileSync(path(), 'hooks: [\n');
  await expect(owner.hooks.remove({ name: 'tell' })).rejects.toMatchObject({ code: 'busy' });
  expect(readFileSync(path(), 'utf8')).toBe('hooks: [\n');
});

test('what a machine does is left alone also where it stands in the same words', async () => {
  const shared = (list: string) => `hooks:\n  relay:\n    on_spawned: ${list}\n  codex:\n    on_spawned: *both\n`;
  for (const list of ['&both [{ relay: Lead }]', '[&one { relay: Lead }]']) {
    const text = shared(list).replace('*both', list.startsWith('[') ? '[*one]' : '*both');
    writeFileSync(path(), text);
    const set = owner.hooks.set({ replaces: 'relay.on_spawned[0]', trigger: 'spawned', relay: 'Other' });
    await expect(set).rejects.toMatchObject({ code: 'unsupported' });
    await expect(owner.hooks.remove({ name: 'relay.on_spawned[0]' })).rejects.toMatchObject({ code: 'unsupported' });
    expect(readFileSync(path(), 'utf8')).toBe(text);
  }
});

test("programs, notifications and standing yeses are not to be had from afar: they are the words of a machine's owner", async () => {
  const asked = { trigger: 'stalled', command: 'touch /tmp/here' };
  const answer = await fetch(`${relay.url}/api/hooks/own`, {
    ...{ method: 'POST', body: JSON.stringify(asked) },
    headers: { authorization: `Bearer ${relay.ownerToken}`, 'content-type': 'application/json' },
  });
  expect(answer.status).toBe(400);
  expect(existsSync(path())).toBe(false);
});

test('a hook whose message would reach nobody is refused as the message would be, and a trial says so of one that the file has', async () => {
  const set = (hook: object) => owner.hooks.set({ trigger: 'stalled', name: 'tell', ...hook });
  await expect(set({ relay: 'Nobody' })).rejects.toMatchObject({
    code: 'not_found',
    message: 'No agent is called Nobody: use its id, or id:Nobody to leave mail for one that is still to come',
  });
  await expect(set({ relay: 'Laed' })).rejects.toMatchObject({ code: 'not_found', details: { near: 'Lead' } });
  expect(existsSync(path())).toBe(false);
  for (const to of ['id:Nobody', '#audit', 'tag:none', 'broadcast', 'Lead']) await set({ relay: to, name: to });
  // Of a kind of agent one may be there when it happens.
  const node = await attachNode(relay.url, relay.ownerToken, 'desk');
  await owner.agents.register({ id: 'Away', name: 'Away', provider: 'gemini', status: 'offline' });
  for (const kind of ['claude', 'gemini']) {
    await set({ relay: kind, name: kind });
    expect(await owner.hooks.test({ name: kind })).toMatchObject({ outcome: 'failed', detail: expect.stringContaining(kind) });
  }
  await node.peer.close();
  await expect(set({ relay: 'codexx' })).rejects.toMatchObject({ code: 'not_found' });
  // Where it went before it may go on to, whoever is there now.
  await owner.agents.remove({ id: 'Lead' });
  expect((await set({ relay: 'Lead', name: 'Lead', replaces: 'Lead', body: 'more' })).hook).toMatchObject({ does: 'Lead', body: 'more' });
  await expect(set({ relay: 'Gone', name: 'Lead', replaces: 'Lead' })).rejects.toMatchObject({ code: 'not_found' });
  expect(await owner.hooks.test({ name: 'Lead' })).toMatchObject({
    outcome: 'failed',
    detail: expect.stringContaining('No agent is called Lead'),
  });
  expect(await owner.hooks.test({ name: '#audit' })).toMatchObject({ outcome: 'skipped' });
});
