import { readFile } from 'node:fs/promises';
import { createNodeRelayClient } from 'agent-relay-client/node';
import type { Claim, RelayEvent, ReportedEvent } from 'agent-relay-protocol';
import { databasePathOf, ownerTokenPath } from 'agent-relay-server';
import { type TempHome, tempHome } from 'agent-relay-testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningProgram, startAgentRelay } from '../support/programs.ts';
import { until } from '../support/until.ts';
import { type Answer, type Call, Racers } from './racers.ts';

const integration = { name: 'ops', token: 'token-of-the-integration' };
const env = {
  AGENT_RELAY_INTEGRATIONS: JSON.stringify([integration]),
  AGENT_RELAY_INTEGRATION_RATE_LIMIT_PER_MINUTE: '1000000',
  // The same two invite each other again and again.
  AGENT_RELAY_PAIR_RATE_PER_MINUTE: '0',
  AGENT_RELAY_REPEAT_LIMIT: '0',
};
const PROCESSES = 4;
const RACERS = 200;
/** Whoever comes late finds the work held still. */
const LEASE_MS = 120_000;
const SHORT_LEASE_MS = 2_500;

let home: TempHome;
let relay: RunningProgram;
let client: ReturnType<typeof createNodeRelayClient>;
const tokens = new Map<string, string>();

beforeAll(async () => {
  home = await tempHome();
  relay = await startAgentRelay({ home, env, args: ['--no-local-node'] });
  const token = (await readFile(ownerTokenPath(databasePathOf(relay.env)), 'utf8')).trim();
  client = createNodeRelayClient({ url: relay.url, token });
  const names = Array.from({ length: RACERS }, (_, index) => `racer-${index}`);
  await Promise.all(
    names.map(async (name) => {
      const registered = await client.agents.register({ id: name, name, tags: ['ops'], withToken: true });
      tokens.set(name, registered.token ?? '');
    }),
  );
});

afterAll(async () => {
  await client.close();
  await relay.end();
  await home.remove();
});

const report = (dedupeKey: string, more: object = {}): Call => ({
  method: 'POST',
  path: '/integrations/events',
  token: integration.token,
  body: { title: `${dedupeKey} is full`, target: 'tag:ops', dedupeKey, ...more },
});

const claims = (taskId: number, leaseMs = LEASE_MS): readonly Call[] =>
  [...tokens].map(([agentId, token]) => ({ method: 'POST', path: `/tasks/${taskId}/claim`, token, body: { agentId, leaseMs } }));

/** How often each status came, with its code. */
function tally(answers: readonly Answer[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status, error } of answers) {
    const key = error ? `${status} ${error.code}` : String(status);
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

const won = ({ status }: Answer) => status < 300;
const reported = (answer: Answer) => answer.body as ReportedEvent; // asserted by what follows
const claimed = (answer: Answer | undefined) => answer?.body as Claim; // asserted by what follows

async function newTask(dedupeKey: string): Promise<number> {
  await using racers = await Racers.start(1);
  const [[answer] = []] = await racers.race(relay.url, [report(dedupeKey)]);
  return (answer && reported(answer).task?.id) ?? 0;
}

/** Everything the log tells of a dedupe key: the messages that offered it. */
async function offersOf(dedupeKey: string): Promise<readonly number[]> {
  const { cursor } = await client.messages.cursor();
  const found: number[] = [];
  const ending = new AbortController();
  const note = (event: RelayEvent) => {
    if (event.type === 'message.new' && event.message.payload?.['dedupeKey'] === dedupeKey) found.push(event.message.id);
    if (event.seq >= cursor) ending.abort();
  };
  for await (const event of client.events({ after: 0, signal: ending.signal })) note(event);
  return found;
}

test('500 parallel reports from several processes make one task and one message, and are counted 500 times', async () => {
  await using racers = await Racers.start(PROCESSES);
  const answers = (
    await racers.race(
      relay.url,
      Array.from({ length: 500 }, () => report('disk')),
    )
  ).flat();
  expect(tally(answers)).toEqual({ '201': 1, '200': 499 });
  const { data: tasks } = await client.tasks.list({ source: 'ops' });
  expect(tasks).toMatchObject([{ dedupeKey: 'disk', occurrenceCount: 500, status: 'open' }]);
  const { data: messages } = await client.messages.list({ claimable: true });
  expect(messages.map(({ id }) => id)).toEqual([tasks[0]?.id]);
  expect(await offersOf('disk')).toEqual([tasks[0]?.id]);
  expect(new Set(answers.map((answer) => reported(answer).task?.occurrenceCount)).size).toBe(500);
});

test('of 200 racers for a task in several processes one wins and 199 are told that it is claimed', async () => {
  await using racers = await Racers.start(PROCESSES);
  const id = await newTask('memory');
  const answers = (await racers.race(relay.url, claims(id))).flat();
  expect(tally(answers)).toEqual({ '200': 1, '409 already_claimed': RACERS - 1 });
  const { agentId, fence } = claimed(answers.find(won));
  expect(await client.tasks.get({ id })).toMatchObject({ status: 'claimed', claimedBy: agentId });
  expect(new Set(answers.filter((answer) => !won(answer)).map(({ error }) => error?.details?.['agentId']))).toEqual(new Set([agentId]));
  expect(fence).toBe(1);
});

test('a winner that is killed keeps the task for its lease, then there is one next winner, and the old fence is refused', async () => {
  await using racers = await Racers.start(PROCESSES);
  const id = await newTask('network');
  const first = await racers.race(relay.url, claims(id, SHORT_LEASE_MS));
  // Where the race takes longer than a lease there are several, one after another: the last of them is meant.
  const dead = claimed(
    first
      .flat()
      .filter(won)
      .toSorted((one, other) => claimed(other).fence - claimed(one).fence)[0],
  );
  const isOfDead = (answer: Answer) => won(answer) && claimed(answer).claimId === dead.claimId;
  await racers.kill(first.findIndex((answers) => answers.some(isOfDead)));
  if (dead.status !== 'held') throw new Error('the winner holds the task');

  const others = claims(id).filter((call) => call.token !== tokens.get(dead.agentId));
  const second = (await racers.race(relay.url, others, { gone: dead.agentId })).flat();
  expect(tally(second)).toEqual({ '200': 1, '409 already_claimed': RACERS - 2 });
  const next = claimed(second.find(won));
  expect(next.fence).toBe(dead.fence + 1);
  expect(next.claimedAt).toBeGreaterThanOrEqual(dead.leaseExpiresAt);

  const old = { agentId: dead.agentId, fence: dead.fence, result: 'too late' };
  const token = tokens.get(dead.agentId) ?? '';
  const late = await racers.race(relay.url, [
    { method: 'PATCH', path: `/tasks/${id}/status`, token, body: { ...old, status: 'done' } },
    { method: 'POST', path: `/claims/${dead.claimId}/complete`, token, body: old },
  ]);
  expect(tally(late.flat())).toEqual({ '409 stale_fence': 2 });
  expect(await client.tasks.get({ id })).toMatchObject({ status: 'claimed', claimedBy: next.agentId, result: null });
});

test('reporters that repeat what was not answered while the relay is killed make one message, and no report counts twice', async () => {
  const BATCH = 800;
  await using racers = await Racers.start(PROCESSES);
  const countedAbove = async (before: number) => {
    const { data } = await client.tasks.list({ source: 'ops', limit: 1 });
    const [task] = data;
    return task?.dedupeKey === 'power' && task.occurrenceCount > before && task.occurrenceCount;
  };
  const answers: Answer[] = [];
  let total = 0;
  // A kill that came when all of its batch was reported already counts for none: there is another batch then.
  for (let kills = 0; kills < 3; ) {
    const before = total;
    total += BATCH;
    const calls = Array.from({ length: BATCH }, (_, index) => report('power', { idempotencyKey: `event-${before + index}` }));
    const racing = racers.race(relay.url, calls, { inFlight: 4 });
    if ((await until('its first report', () => countedAbove(before).catch(() => null))) < total) kills += 1;
    await relay.end('SIGKILL');
    relay = await startAgentRelay({ home, env, port: Number(new URL(relay.url).port), args: ['--no-local-node'] });
    answers.push(...(await racing).flat());
  }
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 201]));
  const [task] = (await client.tasks.list({ source: 'ops', limit: 1 })).data;
  expect(task).toMatchObject({ dedupeKey: 'power', occurrenceCount: total });
  expect(await offersOf('power')).toEqual([task?.id]);
  expect(new Set(answers.map((answer) => reported(answer).task?.id))).toEqual(new Set([task?.id]));
});
