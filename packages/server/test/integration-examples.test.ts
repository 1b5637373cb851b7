import { execFile, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Task } from 'agent-relay-protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { startTestRelay, type TestRelay } from '../src/testing.ts';
import { poll } from './support/poll.ts';

const examples = fileURLToPath(new URL('../../../examples/integrations', import.meta.url));
const payload = (name: string) => JSON.parse(readFileSync(join(examples, 'payloads', name), 'utf8'));
const token = 'ops-secret';
const secret = 'hook-secret';
const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function relayWith(limitPerMinute = 10_000): Promise<TestRelay> {
  const relay = await startTestRelay({
    settings: {
      AGENT_RELAY_INTEGRATIONS: JSON.stringify([{ name: 'ops-monitor', token }]),
      AGENT_RELAY_INTEGRATION_RATE_LIMIT_PER_MINUTE: String(limitPerMinute),
    },
  });
  cleanUps.push(() => relay[Symbol.asyncDispose]());
  return relay;
}

const environment = (url: string) => ({
  PATH: process.env['PATH'] ?? '',
  AGENT_RELAY_URL: url,
  INTEGRATION_TOKEN: token,
  GITHUB_WEBHOOK_SECRET: secret,
  ANSWER_WITHIN_MS: '1500',
});

/** An example that listens, and what it answers to a delivery. */
async function listening(file: string, url: string) {
  const child = spawn(process.execPath, [file, '--listen', '0'], {
    cwd: examples,
    env: environment(url),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  cleanUps.push(() => child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  await poll('the adapter to listen', () => said.includes('listens on'));
  const port = Number(/listens on (\d+)/u.exec(said)?.[1]);
  return async (body: unknown, headers: Record<string, string> = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const signature = `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`;
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      body: text,
      headers: { 'content-type': 'application/json', 'x-github-event': 'issues', 'x-hub-signature-256': signature, ...headers },
    });
    const answer = (await response.json()) as { taken: number; refused: { index: number }[]; waiting: number };
    return { status: response.status, retryAfter: response.headers.get('retry-after'), ...answer };
  };
}

async function tasksOf(relay: TestRelay): Promise<readonly Task[]> {
  const response = await fetch(`${relay.url}/api/tasks?limit=500`, { headers: { authorization: `Bearer ${relay.ownerToken}` } });
  return ((await response.json()) as { data: Task[] }).data; // a relay's answer: asserted by what follows
}

const alert = (more: object) => ({ ...payload('alertmanager-firing.json').alerts[0], ...more });
const delivery = (...alerts: unknown[]) => ({ version: '4', alerts });

describe('the Alertmanager example', () => {
  test('takes alerts with odd fields, each as a task of its own', async () => {
    const relay = await relayWith();
    const deliver = await listening('prometheus-alertmanager.mjs', relay.url);
    const odd = delivery(
      null,
      alert({ fingerprint: 'f1', annotations: { summary: '' } }),
      alert({ fingerprint: 'f2', labels: { alertname: 'Long', severity: 's'.repeat(100) } }),
      alert({ fingerprint: 'f3', generatorURL: 'prometheus:9090/graph' }),
      alert({ fingerprint: 'f4', annotations: null, labels: null }),
      alert({ fingerprint: undefined, labels: { alertname: 'A' } }),
      alert({ fingerprint: undefined, labels: { alertname: 'B' } }),
      alert({ fingerprint: 'x'.repeat(400), labels: { alertname: 'C' } }),
    );
    expect(await deliver(odd)).toEqual({ status: 202, retryAfter: null, taken: 7, refused: [], waiting: 0 });
    const tasks = await tasksOf(relay);
    expect(tasks).toHaveLength(7);
    expect(tasks.find(({ dedupeKey }) => dedupeKey === 'alertmanager:f1')?.title).toBe('HighErrorRate');
    const resolved = alert({ fingerprint: undefined, labels: { alertname: 'A' }, status: 'resolved' });
    expect((await deliver(delivery(resolved))).taken).toBe(1);
    expect((await tasksOf(relay)).filter(({ status }) => status === 'done')).toHaveLength(1);
  });

  test('one alert that the relay refuses for good costs the others nothing, and is no failure of the delivery', async () => {
    const relay = await relayWith();
    const deliver = await listening('prometheus-alertmanager.mjs', relay.url);
    const labels = { deep: JSON.parse(`${'['.repeat(300)}${']'.repeat(300)}`) };
    expect(await deliver(delivery(alert({ fingerprint: 'deep', labels }), alert({ fingerprint: 'good' })))).toMatchObject({
      status: 202,
      taken: 1,
      refused: [{ index: 0 }],
    });
    expect(await tasksOf(relay)).toHaveLength(1);
  });

  test('150 alerts to a limited sender are answered in time, and come through by repetition', async () => {
    const relay = await relayWith(100);
    const deliver = await listening('prometheus-alertmanager.mjs', relay.url);
    const many = delivery(...Array.from({ length: 150 }, (_, index) => alert({ fingerprint: `f${index}` })));
    const startedAt = performance.now();
    const first = await deliver(many);
    expect(performance.now() - startedAt).toBeLessThan(30_000);
    expect(first).toMatchObject({ status: 503, taken: 100, waiting: 50 });
    expect(Number(first.retryAfter)).toBeGreaterThan(0);
    // What was taken is not reported again: no task counts a second time.
    await deliver(many);
    expect((await tasksOf(relay)).every(({ occurrenceCount }) => occurrenceCount === 1)).toBe(true);
  });

  test('what is no delivery is a 400', async () => {
    const deliver = await listening('prometheus-alertmanager.mjs', 'http://127.0.0.1:1');
    expect([(await deliver('nope')).status, (await deliver({ version: '3', alerts: [] })).status]).toEqual([400, 400]);
  });
});

const issue = (more: object = {}, issueMore: object = {}) => {
  const opened = payload('github-issue-opened.json');
  return { ...opened, ...more, issue: { ...opened.issue, ...issueMore } };
};

describe('the GitHub example', () => {
  test('takes a form, an author who has left, and actions that it has no use for', async () => {
    const relay = await relayWith();
    const deliver = await listening('github-issue.mjs', relay.url);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const gone = issue({}, { user: null, body: null });
    expect(await deliver(`payload=${encodeURIComponent(JSON.stringify(gone))}`, form)).toMatchObject({ status: 202, taken: 1 });
    expect(await tasksOf(relay)).toMatchObject([{ metadata: { author: 'ghost' } }]);
    expect(await deliver(issue({ action: 'pinned' }, { labels: undefined }))).toMatchObject({ status: 202, taken: 0 });
    expect((await deliver({ action: 'opened' })).status).toBe(400);
    expect((await deliver({ zen: 'x' }, { 'x-github-event': 'ping' })).status).toBe(202);
  });

  test('an edit of a closed issue makes no task, and losing the label ends it', async () => {
    const relay = await relayWith();
    const deliver = await listening('github-issue.mjs', relay.url);
    expect(await deliver(issue({ action: 'edited' }, { state: 'closed' }))).toMatchObject({ status: 202, taken: 0 });
    expect(await tasksOf(relay)).toEqual([]);
    await deliver(issue());
    const unlabelled = issue({ action: 'unlabeled', label: { name: 'agent' } }, { labels: [] });
    expect(await deliver(unlabelled)).toMatchObject({ status: 202, taken: 1 });
    expect(await tasksOf(relay)).toMatchObject([{ status: 'done' }]);
  });

  test('waits for a relay that is away, and says so when it stays away', async () => {
    const deliver = await listening('github-issue.mjs', 'http://127.0.0.1:1');
    const startedAt = performance.now();
    expect(await deliver(issue())).toMatchObject({ status: 503, waiting: 1 });
    expect(performance.now() - startedAt).toBeGreaterThan(400);
  });
});

test('a ticket without a number makes no task that others would share', async () => {
  const relay = await relayWith();
  const failed = await new Promise<boolean>((resolve) => {
    const child = execFile('./support-ticket.sh', [], { cwd: examples, env: environment(relay.url) }, (error) => resolve(error !== null));
    child.stdin?.end('{"subject":"x"}');
  });
  expect(failed).toBe(true);
  expect(await tasksOf(relay)).toEqual([]);
});
