import { execFile, spawn } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Task } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { startTestRelay, type TestRelay } from '../src/testing.ts';
import { poll } from './support/poll.ts';

const examples = fileURLToPath(new URL('../../../examples/integrations', import.meta.url));
const token = 'ops-secret';

/** What the relay answers, as far as these tests read it. */
interface Body {
  readonly outcome: string;
  readonly task: Task;
  readonly data: readonly (Task & { readonly attempts: number })[];
  readonly error?: { readonly code: string };
}

const start = (more: Record<string, unknown> = {}, settings: Record<string, string> = {}) =>
  startTestRelay({
    settings: { AGENT_RELAY_INTEGRATIONS: JSON.stringify([{ name: 'ops-monitor', token, ...more }]), ...settings },
  });

async function call(relay: TestRelay, method: string, path: string, options: { body?: unknown; token?: string } = {}) {
  const response = await fetch(`${relay.url}/api${path}`, {
    method,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${options.token ?? token}` },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body }; // a relay's answer: asserted by what follows
}

const report = (relay: TestRelay, body: unknown, as?: string) =>
  call(relay, 'POST', '/integrations/events', { body, ...(as === undefined ? {} : { token: as }) });

const tasksOf = async (relay: TestRelay): Promise<readonly Task[]> =>
  (await call(relay, 'GET', '/tasks', { token: relay.ownerToken })).body.data;

const alarm = {
  type: 'alarm',
  severity: 'critical',
  dedupeKey: 'prod-api:5xx',
  title: 'prod-api 5xx rate high',
  target: 'cap:ops',
  channel: 'alerts',
};

test('a token of the configuration reports, once created and then repeated, and is held to its scopes', async () => {
  await using relay = await start({ scopes: ['tasks:create'], targets: ['cap:ops'], channels: ['alerts'] });
  expect(await report(relay, alarm)).toMatchObject({
    status: 201,
    body: { outcome: 'created', task: { source: 'ops-monitor', status: 'open' } },
  });
  expect(await report(relay, alarm)).toMatchObject({ status: 200, body: { outcome: 'repeated', task: { occurrenceCount: 2 } } });
  expect(await report(relay, alarm, 'not the token')).toMatchObject({ status: 401, body: { error: { code: 'unauthorized' } } });
  expect(await report(relay, { ...alarm, target: 'broadcast', dedupeKey: 'x' })).toMatchObject({
    status: 403,
    body: { error: { code: 'forbidden_target' } },
  });
  for (const [method, path] of [
    ['GET', '/integrations'],
    ['GET', '/messages'],
    ['GET', '/agents'],
    ['POST', '/messages'],
  ] as const) {
    const refused = await call(relay, method, path, method === 'POST' ? { body: { to: 'x', body: 'x' } } : {});
    expect([path, refused.status, refused.body.error?.code]).toEqual([path, 403, 'forbidden_scope']);
  }
  expect(await report(relay, { ...alarm, body: 1 })).toMatchObject({ status: 400, body: { error: { issues: [{ path: 'body' }] } } });
});

test.each(['tasks:create', 'events:create'])('by %s it reads its own tasks and what was told of them, and nobody else’s', async (scope) => {
  await using relay = await start({ scopes: [scope] });
  const { id } = (await report(relay, alarm)).body.task;
  const foreign = (await report(relay, { ...alarm, source: 'another' }, relay.ownerToken)).body.task.id;
  const read = async (path: string, as = token) => {
    const { status, body } = await call(relay, 'GET', path, { token: as });
    return body.error?.code ?? [status, body.data?.map((task) => task.id)];
  };
  expect(await read('/tasks', relay.ownerToken)).toEqual([200, [foreign, id]]);
  expect(await read('/tasks')).toEqual([200, [id]]);
  expect(await read('/tasks?source=ops-monitor&status=active')).toEqual([200, [id]]);
  expect(await read('/tasks?source=another')).toBe('forbidden_scope');
  expect((await call(relay, 'GET', `/tasks/${id}`)).body).toMatchObject({ id, source: 'ops-monitor' });
  expect((await call(relay, 'GET', `/tasks/${id}/events`)).body.data).toMatchObject([{ type: 'task.created' }]);
  for (const path of [`/tasks/${foreign}`, `/tasks/${foreign}/events`]) expect(await read(path)).toBe('not_found');
  expect(await read('/callbacks')).toEqual([200, []]);
  expect((await call(relay, 'POST', '/callbacks/1/redeliver')).body.error?.code).toBe('forbidden_scope');
});

test('by tasks:write it reads its own tasks too', async () => {
  await using relay = await start({ scopes: ['tasks:write'] });
  const { id } = (await report(relay, alarm)).body.task;
  await report(relay, { ...alarm, source: 'another' }, relay.ownerToken);
  expect((await call(relay, 'GET', '/tasks')).body.data.map((task) => task.id)).toEqual([id]);
});

test('a token that creates tasks under any name has none of its own to read', async () => {
  await using relay = await start();
  const made = await call(relay, 'POST', '/tokens', { token: relay.ownerToken, body: { name: 'cron', scopes: ['tasks:create'] } });
  const { token: cron } = made.body as unknown as { readonly token: string }; // the owner made one, and the next lines use it
  expect((await report(relay, { ...alarm, source: 'cron' }, cron)).status).toBe(201);
  for (const path of ['/tasks', '/tasks/1', '/callbacks']) expect((await call(relay, 'GET', path, { token: cron })).status).toBe(403);
});

test.each([[['tasks:create']], [['events:create']], [['tasks:write']], [['*']]])('%j opens the ingress', async (scopes) => {
  await using relay = await start({ scopes });
  expect((await report(relay, alarm)).status).toBe(201);
});

test('with its scopes it reads and speaks in its own name', async () => {
  await using relay = await start({ scopes: ['tasks:read', 'messages:write'], targets: ['id:ops-lead'] });
  expect((await report(relay, alarm)).body.error?.code).toBe('forbidden_scope');
  const sent = await call(relay, 'POST', '/messages', { body: { to: 'id:ops-lead', body: 'deploy done' } });
  expect(sent).toMatchObject({
    status: 201,
    body: { from: 'ops-monitor', sender: { relation: 'integration', principal: 'integration:ops-monitor' } },
  });
  const other = await call(relay, 'POST', '/messages', { body: { to: 'broadcast', body: 'x' } });
  expect(other).toMatchObject({ status: 403, body: { error: { code: 'forbidden_target' } } });
  const listed = await call(relay, 'GET', '/integrations');
  expect(listed.body.data).toMatchObject([{ name: 'ops-monitor', configured: true, targets: ['id:ops-lead'] }]);
  expect(JSON.stringify(listed.body)).not.toContain(token);
});

test('over its limit it is told when to come back', async () => {
  await using relay = await start({}, { AGENT_RELAY_INTEGRATION_RATE_LIMIT_PER_MINUTE: '2' });
  await report(relay, alarm);
  await report(relay, alarm);
  const refused = await report(relay, alarm);
  expect([refused.status, refused.body.error?.code]).toEqual([429, 'rate_limited']);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(55);
});

test('500 parallel events over HTTP make one task and one message', async () => {
  await using relay = await start({}, { AGENT_RELAY_INTEGRATION_RATE_LIMIT_PER_MINUTE: '10000' });
  const answers = await Promise.all(Array.from({ length: 500 }, () => report(relay, alarm)));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  expect(await tasksOf(relay)).toMatchObject([{ occurrenceCount: 500 }]);
  expect((await call(relay, 'GET', '/messages?claimable=true', { token: relay.ownerToken })).body.data).toHaveLength(1);
});

test('callbacks reach a private address only with the operator’s leave, signed with the token’s hash', async () => {
  const received: { readonly body: string; readonly signature: string }[] = [];
  const receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      received.push({ body, signature: String(request.headers['x-agent-relay-signature']) });
      response.writeHead(200).end();
    });
  });
  await new Promise<void>((resolve) => void receiver.listen(0, '127.0.0.1', resolve));
  const { port } = receiver.address() as AddressInfo; // it listens on TCP
  try {
    {
      await using refusing = await start({ callbackUrl: `http://localhost:${port}/hook` });
      await report(refusing, alarm);
      const listed = async () => (await call(refusing, 'GET', '/callbacks', { token: refusing.ownerToken })).body.data;
      await poll('an attempt', async () => (await listed())[0]?.attempts === 1);
      expect(await listed()).toMatchObject([{ status: 'pending', lastError: expect.stringContaining('not public') }]);
    }
    expect(received).toEqual([]);
    await using relay = await start({ callbackUrl: `http://localhost:${port}/hook` }, { AGENT_RELAY_CALLBACK_ALLOW_PRIVATE: '1' });
    const { task } = (await report(relay, alarm)).body;
    await poll('the callback', () => received.length === 1);
    const [{ body = '', signature = '' } = {}] = received;
    expect(JSON.parse(body)).toMatchObject({ event: 'task.created', task: { id: task.id, status: 'open' } });
    const [, time] = /^t=(\d+),v1=/u.exec(signature) ?? [];
    const key = createHash('sha256').update(token).digest('hex');
    expect(signature).toBe(`t=${time},v1=${createHmac('sha256', key).update(`${time}.${body}`).digest('hex')}`);
  } finally {
    await new Promise((resolve) => receiver.close(resolve));
  }
});

const run = promisify(execFile);

/** An example as its own process, with what it reads on standard input. */
async function runExample(relay: TestRelay, command: string, args: readonly string[], input?: string) {
  const env = { PATH: process.env['PATH'] ?? '', AGENT_RELAY_URL: relay.url, INTEGRATION_TOKEN: token };
  const running = run(command, [...args], { cwd: examples, env });
  if (input === undefined) running.child.stdin?.end();
  else if (running.child.stdin) createReadStream(join(examples, 'payloads', input)).pipe(running.child.stdin);
  const { stdout } = await running;
  return stdout
    .trim()
    .split('\n')
    .map((line): { outcome: string; task: Task | null } => JSON.parse(line));
}

test('example: a shell alert is raised, repeated and resolved, whatever characters it has', async () => {
  await using relay = await start();
  const title = 'db-1: "91%" full \\ é';
  const body = 'line one\n\tline two';
  expect(await runExample(relay, './ops-alert.sh', ['disk:db-1', title, body])).toMatchObject([
    { outcome: 'created', task: { title, body, target: 'cap:ops', severity: 'warning' } },
  ]);
  expect(await runExample(relay, './ops-alert.sh', ['disk:db-1', title])).toMatchObject([{ outcome: 'repeated' }]);
  expect(await runExample(relay, './ops-alert.sh', ['--resolve', 'disk:db-1', title])).toMatchObject([
    { outcome: 'resolved', task: { status: 'done' } },
  ]);
});

test('example: a support ticket becomes a task with its link', async () => {
  await using relay = await start();
  expect(await runExample(relay, './support-ticket.sh', [], 'support-ticket.json')).toMatchObject([
    {
      outcome: 'created',
      task: {
        title: 'Ticket #4711: Export is empty since Monday',
        severity: 'high',
        externalUrl: 'https://desk.example/tickets/4711',
        dedupeKey: 'ticket:4711',
      },
    },
  ]);
});

test('example: each alert of an Alertmanager delivery is a task of its own until it is resolved', async () => {
  await using relay = await start();
  const adapter = [process.execPath, ['prometheus-alertmanager.mjs']] as const;
  const fired = await runExample(relay, ...adapter, 'alertmanager-firing.json');
  expect(fired.map(({ task }) => [task?.title, task?.severity])).toEqual([
    ['api: 5xx rate is high', 'critical'],
    ['db-1: the disk is 91% full', 'warning'],
  ]);
  expect((await runExample(relay, ...adapter, 'alertmanager-firing.json')).map(({ outcome }) => outcome)).toEqual(['repeated', 'repeated']);
  expect(await runExample(relay, ...adapter, 'alertmanager-resolved.json')).toMatchObject([{ outcome: 'resolved' }]);
  expect((await tasksOf(relay)).map(({ status }) => status)).toEqual(['open', 'done']);
});

test('example: a GitHub issue is taken from a signed delivery only, and closing it resolves the task', async () => {
  await using relay = await start();
  const adapter = [process.execPath, ['github-issue.mjs']] as const;
  expect(await runExample(relay, ...adapter, 'github-issue-opened.json')).toMatchObject([
    {
      outcome: 'created',
      task: { title: 'octo-org/shop#1347: Checkout fails for "quoted" names', externalUrl: 'https://github.com/octo-org/shop/issues/1347' },
    },
  ]);
  const env = {
    PATH: process.env['PATH'] ?? '',
    AGENT_RELAY_URL: relay.url,
    INTEGRATION_TOKEN: token,
    GITHUB_WEBHOOK_SECRET: 'hook-secret',
  };
  const child = spawn(process.execPath, ['github-issue.mjs', '--listen', '0'], {
    cwd: examples,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
    });
    await poll('the adapter to listen', () => said.includes('listens on'));
    const port = Number(/\d+/u.exec(said)?.[0]);
    const body = readFileSync(join(examples, 'payloads/github-issue-closed.json'));
    const deliver = async (signature: string) =>
      (
        await fetch(`http://127.0.0.1:${port}/`, {
          method: 'POST',
          body,
          headers: { 'x-github-event': 'issues', 'x-hub-signature-256': signature },
        })
      ).status;
    expect(await deliver('sha256=00')).toBe(401);
    expect((await tasksOf(relay))[0]?.status).toBe('open');
    expect(await deliver(`sha256=${createHmac('sha256', 'hook-secret').update(body).digest('hex')}`)).toBe(202);
    expect((await tasksOf(relay))[0]?.status).toBe('done');
  } finally {
    child.kill('SIGKILL');
  }
});
