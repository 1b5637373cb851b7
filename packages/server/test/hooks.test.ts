import { rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import type { Message, RelayEvent } from 'agent-relay-protocol';
import { isSigned, SIGNATURE_HEADER } from 'agent-relay-wire/node';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startTestRelay, type TestRelay } from '../src/testing.ts';

const until = <T>(check: () => T) => vi.waitFor(check, { timeout: 30_000, interval: 25 });

let relay: TestRelay;
let owner: RelayClient;
let written = 0;

const writeHooks = (text: string) => {
  const path = `${relay.databasePath}.hooks.yaml`;
  writeFileSync(path, text, { mode: 0o600 });
  written += 1;
  utimesSync(path, written, written);
};

beforeEach(async () => {
  relay = await startTestRelay({ settings: { AGENT_RELAY_CALLBACK_ALLOW_PRIVATE: '127.0.0.1' } });
  owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
});
afterEach(async () => {
  await owner.close();
  await relay.close();
});

test('the relay tells by itself of tasks and mail: in the name of whose it was, guarded, to nobody whose it was, and never of what it told', async () => {
  for (const id of ['Worker', 'Auditor']) await owner.agents.register({ id, name: id, channels: id === 'Auditor' ? ['audit'] : null });
  writeHooks(`
hooks:
  relay:
    on_message_received:
      - relay: "#audit"
        body: "\${agent} got \${message} from \${from}"
    on_task_claimed:
      - { name: back, relay: Worker }
`);
  const first = await owner.messages.send({ to: 'Worker', body: 'hello' });
  const sent = () => owner.messages.list({ channel: 'audit', limit: 10 }).then(({ data }) => data as readonly Message[]);
  await until(async () => expect(await sent()).toHaveLength(1));
  expect((await sent())[0]).toMatchObject({
    from: 'Worker',
    to: 'channel:audit',
    body: `Worker got ${first.id} from owner`,
    kind: 'hook',
    mode: 'fyi',
    meta: { hook: 'relay.on_message_received[0]', trigger: 'message_received', agentId: 'Worker' },
    sender: { relation: 'claimed' },
  });
  const { task } = await owner.integrations.report({ title: 'build', target: 'Worker', source: 'ci' });
  await owner.tasks.claim({ id: task?.id ?? 0, agentId: 'Worker' });
  await until(async () => {
    const { sources } = await owner.hooks.describe({});
    expect(sources[0]?.recent.find(({ hook }) => hook === 'back')).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('does not reach Worker, whose event it tells of'),
    });
  });
  const told: RelayEvent[] = [];
  const gone = new AbortController();
  for await (const event of owner.events({ after: 0, types: ['hook.completed'], signal: gone.signal })) {
    told.push(event);
    if (event.type === 'hook.completed' && event.hook === 'back') gone.abort();
  }
  expect(told).toContainEqual(
    expect.objectContaining({ type: 'hook.completed', agentId: 'Worker', outcome: 'succeeded', eventSeq: first.id }),
  );
  // What a hook sent directly would set it off again, and so on.
  writeHooks('hooks:\n  relay:\n    on_message_received:\n      - { name: direct, relay: Auditor }\n');
  await owner.messages.send({ to: 'Worker', body: 'once' });
  await until(async () => {
    const { data } = await owner.messages.list({ from: 'Worker', limit: 50 });
    expect(data.filter(({ to }) => to === 'id:Auditor')).toHaveLength(1);
  });
  const last = await owner.messages.send({ to: 'Worker', body: 'twice' });
  await until(async () => {
    const { data } = await owner.messages.list({ from: 'Worker', limit: 50 });
    expect(data.filter(({ to, id }) => to === 'id:Auditor' && id > last.id)).toHaveLength(1);
    expect(data.filter(({ to }) => to === 'id:Auditor')).toHaveLength(2);
  });
});

test('a question is told of when a person is needed for it: what a rule answers is not', async () => {
  const instanceId = 'one';
  await owner.agents.register({ id: 'Worker', name: 'Worker', instanceId });
  writeHooks(`hooks:\n  relay:\n    on_approval_needed:\n      - { relay: "#audit", body: "\${approval}" }\n`);
  await owner.rules.create({ agentId: 'Worker', command: ['npm', 'test'], folder: '/w' });
  const ask = (approvalId: string, command: string) =>
    owner.approvals.ask({
      ...{ id: 'Worker', instanceId, approvalId, kind: 'execute', title: command, cwd: '/w', input: { command } },
      options: [{ id: 'allow', label: 'Allow', outcome: 'allow' }],
    });
  expect(await ask('ruled', 'npm test')).toMatchObject({ status: 'allowed' });
  await ask('open', 'npm publish');
  await until(async () => {
    const { data } = await owner.messages.list({ channel: 'audit', limit: 10 });
    // Told in order: had the first one been, it would be here.
    expect(data.map(({ body }) => body)).toEqual(['open']);
  });
});

test('what answers the mail of a hook sets none off, and nobody else sends mail of that kind', async () => {
  for (const id of ['Worker', 'Lead']) await owner.agents.register({ id, name: id });
  writeHooks('hooks:\n  relay:\n    on_message_received:\n      - { name: tell, relay: Lead }\n');
  await owner.messages.send({ to: 'Worker', body: 'hello' });
  const told = async () => (await owner.messages.list({ to: 'Lead', limit: 50 })).data.filter(({ kind }) => kind === 'hook');
  await until(async () => expect(await told()).toHaveLength(1));
  const [first] = await told();
  await owner.messages.send({ from: 'Lead', replyTo: first?.id ?? 0, body: 'thank you' });
  // What comes after it has set the hook off: what came before it has not.
  const last = await owner.messages.send({ to: 'Worker', body: 'go on' });
  await until(async () => expect((await told()).map(({ body }) => body)).toContainEqual(expect.stringContaining(`message: ${last.id}`)));
  expect(await told()).toHaveLength(2);
  for (const [field, said] of Object.entries({ kind: { kind: 'hook' }, type: { type: 'hook' } }))
    await expect(owner.messages.send({ to: 'Worker', body: 'quiet', ...said })).rejects.toMatchObject({
      code: 'validation_failed',
      message: expect.stringContaining(`${field}: hook is the kind of what hooks send`),
    });
});

test('the owner sees the hooks and the faults of their file, tries one, and its webhook is signed', async () => {
  const seen: { readonly signed: boolean; readonly body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      const signature = String(request.headers[SIGNATURE_HEADER]);
      seen.push({ body, signed: isSigned({ body, signature, key: 'a-long-secret', now: Date.now() }) });
      response.writeHead(202).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/in`;
    writeHooks(`hooks:\n  relay:\n    on_released:\n      - { name: tell, webhook: "${url}?key=hidden", secret: a-long-secret }\n`);
    const { hooks, sources } = await owner.hooks.describe({});
    expect(hooks).toEqual([{ nodeId: null, name: 'tell', agents: 'relay', trigger: 'released', action: 'webhook', does: url }]);
    expect(sources).toMatchObject([{ nodeId: null, name: 'relay', fault: null }]);
    expect(await owner.hooks.test({ name: 'tell', fields: { reason: 'a trial' } })).toMatchObject({ outcome: 'succeeded' });
    expect(seen).toMatchObject([{ signed: true }]);
    expect(JSON.parse(seen[0]?.body ?? '')).toMatchObject({ hook: 'tell', trigger: 'released', fields: { reason: 'a trial' } });
    writeHooks('hooks:\n  relay:\n    on_released:\n      - { webhok: x }\n');
    const after = await owner.hooks.describe({});
    expect(after.hooks.map(({ name }) => name)).toEqual(['tell']);
    expect(after.sources[0]?.fault).toMatch(/hooks\.yaml:4: hooks\.relay\.on_released\[0\]: must have one of/u);
    await expect(owner.hooks.test({ name: 'none' })).rejects.toMatchObject({ code: 'not_found' });
  } finally {
    server.close();
    rmSync(`${relay.databasePath}.hooks.yaml`, { force: true });
  }
});
