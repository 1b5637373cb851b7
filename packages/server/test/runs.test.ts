import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RelayClient, readRun, recordRun, replayRun } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { type AgentEvent, RUN_RECORD_VERSION, type RunRecord, type Task } from 'agent-relay-protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestRelay, type TestRelay } from '../src/testing.ts';
import { attachNode } from './support/fake-node.ts';
import { poll } from './support/poll.ts';
import { agentRelay } from './support/run-command.ts';

const quiet = { AGENT_RELAY_PAIR_RATE_PER_MINUTE: '0', AGENT_RELAY_REPEAT_LIMIT: '0' };
const clientOf = (relay: TestRelay): RelayClient => createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
const said: AgentEvent = { type: 'text.completed', turnId: 't', itemId: 'i', text: 'It is green' };

let first: TestRelay;
let records: RunRecord[];
/** Of the messages of the run, in their order. */
let ids: number[];

/** A person asks, an agent asks others, one of them answers, one fails, and one comes too late for what was said to all. */
beforeAll(async () => {
  first = await startTestRelay({ settings: quiet });
  await using owner = clientOf(first);
  const { peer } = await attachNode(first.url, first.ownerToken, 'laptop');
  const { sessionId } = await owner.sessions.start({ name: 'Lead', provider: 'claude', tags: ['team'] });
  await peer.request('activity/append', { sessionId, entries: [{ seq: 1, at: Date.now(), event: said }] });
  for (const id of ['Ann', 'Bob']) await owner.agents.register({ id, name: id, tags: ['team'], label: `${id} of the team` });
  const asked = await owner.messages.send({ to: 'Ann', body: 'Is it green?' });
  const toAll = await owner.messages.send({ from: 'Ann', to: 'tag:team', body: 'Who knows?' });
  await owner.deliveries.report({ id: 'Bob', reports: [{ messageId: toAll.id, state: 'seen', evidence: 'turn' }] });
  const answer = await owner.messages.send({ from: 'Bob', replyTo: toAll.id, body: 'Green' });
  await owner.inbox.ack({ id: 'Ann', ids: [answer.id] });
  const wrong = await owner.messages.send({ from: 'Ann', to: 'Bob', body: 'To nobody any more' });
  await owner.deliveries.report({ id: 'Bob', reports: [{ messageId: wrong.id, state: 'failed', reason: 'It was gone' }] });
  const lastly = await owner.messages.send({ from: 'Ann', replyTo: answer.id, body: 'Thanks' });
  // In a later millisecond: a record tells what came first by its time.
  const before = Date.now();
  await poll('the next millisecond', () => Date.now() > before);
  await owner.agents.register({ id: 'Late', name: 'Late', tags: ['team'] });
  const toLate = await owner.messages.send({ from: 'Ann', to: 'Late', body: 'Good evening' });
  ids = [asked, toAll, answer, wrong, lastly, toLate].map(({ id }) => id);
  records = await recordRun(owner, { recordedAt: Date.now() });
  await peer.close();
});
afterAll(() => first.close());

const aTask: Task = {
  ...{ id: 7, source: 'monitor', type: null, severity: null, title: 'Disk full', body: '', target: 'id:Nobody', channel: null },
  ...{ dedupeKey: null, externalUrl: null, metadata: null, status: 'open', claimedBy: null, claimId: null, result: null, progress: null },
  ...{ occurrenceCount: 1, lastSeenAt: 1, createdAt: 1, updatedAt: 1, endedAt: null },
};

const replayedOn = async (settings: object, run: readonly RunRecord[] = records) => {
  await using relay = await startTestRelay({ settings: { ...quiet, ...settings } });
  await using client = clientOf(relay);
  const replayed = await replayRun(run, { relay: client });
  return { ...replayed, again: await recordRun(client, { recordedAt: 1 }) };
};

const messagesOf = (run: readonly RunRecord[]) => run.flatMap((record) => (record.type === 'message' ? [record.message] : []));

describe('a recorded run', () => {
  test('says who took part, what was said, what became of it and what was done, in the order of time', () => {
    expect(records[0]).toMatchObject({ type: 'run', version: RUN_RECORD_VERSION, relayVersion: expect.any(String) });
    expect(records[0]?.type === 'run' && records[0].agents.map(({ id }) => id).toSorted()).toEqual(['Ann', 'Bob', 'Late', 'Lead', 'owner']);
    expect(messagesOf(records).map(({ id }) => id)).toEqual(ids);
    const times = records.flatMap((record) => (record.type === 'run' ? [] : [record.at]));
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect(records.flatMap((record) => (record.type === 'activity' ? [record.entry.event] : []))).toEqual([said]);
    const receipts = records.flatMap((record) => (record.type === 'receipt' ? [record.receipt] : []));
    expect(receipts.map(({ messageId, agentId, state }) => [ids.indexOf(messageId), agentId, state])).toEqual(
      expect.arrayContaining([
        [1, 'Bob', 'answered'],
        [1, 'Lead', 'queued'],
        [3, 'Bob', 'failed'],
      ]),
    );
  });

  test('comes out as it was on a fresh relay, in the same threads, and is recorded there alike', async () => {
    const { messages, differences, again } = await replayedOn({});
    expect({ messages, differences }).toEqual({ messages: 6, differences: [] });
    const shapeOf = (run: readonly RunRecord[]) => {
      const numbers = messagesOf(run).map(({ id }) => id);
      return messagesOf(run).map(({ from, to, body, replyTo, threadId }) => ({
        from,
        to,
        body,
        replyTo: replyTo === null ? null : numbers.indexOf(replyTo),
        thread: numbers.indexOf(threadId),
      }));
    };
    expect(shapeOf(again)).toEqual(shapeOf(records));
  });

  test('differs where the relay holds what was let through, and where somebody else is in a group', async () => {
    const held = await replayedOn({ AGENT_RELAY_HOP_LIMIT: '1' });
    expect(held.differences).toEqual(
      expect.arrayContaining([{ type: 'refused', messageId: ids[4], code: 'message_held', reason: expect.any(String) }]),
    );
    const run = records.map((record) =>
      record.type === 'run'
        ? { ...record, agents: record.agents.map((agent) => (agent.id === 'Lead' ? { ...agent, tags: [] } : agent)) }
        : record,
    );
    expect((await replayedOn({}, run)).differences).toEqual([
      { type: 'receipt', messageId: ids[1], agentId: 'Lead', recorded: 'queued', replayed: null },
    ]);
  });

  test('is played to no relay that knows one of its agents', async () => {
    await using client = clientOf(first);
    const { cursor } = await client.messages.cursor({});
    await expect(replayRun(records, { relay: client })).rejects.toMatchObject({ code: 'name_taken' });
    expect((await client.messages.cursor({})).cursor).toBe(cursor);
  });

  test('is played to no relay where somebody else would be reached or spoken for, whatever its first line says', async () => {
    const callbackUrl = 'https://ops.invalid/hook';
    const integration = { name: 'ops', token: 'the-token-of-ops', scopes: ['tasks:create'], callbackUrl };
    await using relay = await startTestRelay({ settings: { ...quiet, AGENT_RELAY_INTEGRATIONS: JSON.stringify([integration]) } });
    await using client = clientOf(relay);
    const [run] = records;
    const [message] = messagesOf(records);
    if (run?.type !== 'run' || !message) throw new Error('a run has both');
    const refusalOf = (...lines: RunRecord[]) =>
      replayRun([{ ...run, agents: [] }, ...lines], { relay: client }).then(
        () => null,
        (error: unknown) => error,
      );
    const said = (more: object): RunRecord => ({
      type: 'message',
      at: 1,
      message: { ...message, from: 'Stranger', to: 'id:Nobody', ...more },
    });
    const reported = (more: object): RunRecord => ({ type: 'task', at: 1, history: [], task: { ...aTask, ...more } });
    const called = await refusalOf(reported({ source: 'ops' }));
    expect(called).toMatchObject({ code: 'name_taken', message: expect.stringContaining('call ops back') });
    await client.agents.register({ id: 'Resident', name: 'Resident', label: 'in-house' });
    const refused = [
      said({ from: 'Resident' }),
      said({ to: 'id:Resident' }),
      said({ to: 'broadcast' }),
      said({ to: 'in-house' }),
      reported({ target: 'id:Resident' }),
      reported({ source: 'Resident' }),
      reported({ target: 'channel:general' }),
    ];
    for (const line of refused)
      expect(await refusalOf(line)).toMatchObject({ code: 'name_taken', message: expect.stringContaining('Resident') });
    expect((await client.messages.list({})).data).toEqual([]);
  });

  test('of some agents holds what they said and received', async () => {
    await using client = clientOf(first);
    const ofLead = await recordRun(client, { recordedAt: 1, agents: ['Lead'] });
    expect(messagesOf(ofLead).map(({ id }) => id)).toEqual([ids[1]]);
    expect(messagesOf(await recordRun(client, { recordedAt: 1, since: Date.now() + 1_000 }))).toEqual([]);
  });

  test('is read again as it was written; what is none is refused with its line', () => {
    const text = records.map((record) => JSON.stringify(record)).join('\n');
    expect(readRun(`${text}\n\n`)).toEqual(records);
    const codeOf = (wrong: string) => {
      try {
        return readRun(wrong);
      } catch (error) {
        return error;
      }
    };
    const [header = ''] = text.split('\n');
    expect(codeOf('')).toMatchObject({ code: 'validation_failed', message: expect.stringContaining('line 1') });
    expect(codeOf(`${header}\n{"type":`)).toMatchObject({ code: 'validation_failed', message: 'line 2: It is no JSON' });
    expect(codeOf(`${header}\n{"type":"message"}`)).toMatchObject({ message: expect.stringContaining('line 2') });
    expect(codeOf(`${header}\n${header}`)).toMatchObject({ message: expect.stringContaining('line 2') });
    // Of what a word tells apart that is of another version nothing is known.
    for (const later of [
      '{"type":"dream","at":1}',
      '{"type":"approval","at":1,"approval":{"status":"dreamt"}}',
      '{"type":"claim","at":1,"claim":{"status":"constructor"}}',
    ])
      expect(codeOf(`${header}\n${later}`)).toMatchObject({ code: 'validation_failed', message: expect.stringContaining('line 2') });
    expect(codeOf(text.slice(header.length + 1))).toMatchObject({ message: expect.stringContaining('line 1') });
    expect(codeOf(header.replace(`"version":${RUN_RECORD_VERSION}`, `"version":${RUN_RECORD_VERSION + 1}`))).toMatchObject({
      code: 'unsupported',
    });
  });
});

test('a run is recorded and replayed at a terminal, whose exit says whether it came out alike', async () => {
  await using other = await startTestRelay({ settings: { ...quiet, AGENT_RELAY_HOP_LIMIT: '1' } });
  const folder = await mkdtemp(join(tmpdir(), 'runs-'));
  const file = join(folder, 'run.ndjson');
  const { code, out } = await agentRelay(first, 'record');
  expect([code, readRun(out).length]).toEqual([0, records.length]);
  await writeFile(file, out);
  const replayed = await agentRelay(other, 'replay', file);
  expect(replayed.code).toBe(1);
  expect(replayed.out).toMatch(new RegExp(`^message ${ids[4]} was refused: .+ \\(message_held\\)$`, 'mu'));
  expect(replayed.notes).toMatch(/\nerror: it did not come out as it was$/u);
  expect(replayed.notes).toMatch(/^5 messages were played; 2 differences\.\n/u);
  // What was refused answers nothing: where the run does not say that it did, one thing is otherwise.
  await using third = await startTestRelay({ settings: { ...quiet, AGENT_RELAY_HOP_LIMIT: '1' } });
  const unanswered = readRun(out).map((record) =>
    record.type === 'receipt' && record.receipt.messageId === ids[2] && record.receipt.state === 'answered'
      ? { ...record, receipt: { ...record.receipt, state: 'queued' as const } }
      : record,
  );
  await writeFile(join(folder, 'unanswered'), unanswered.map((record) => JSON.stringify(record)).join('\n'));
  expect((await agentRelay(third, 'replay', join(folder, 'unanswered'))).notes).toMatch(/^5 messages were played; 1 difference\.\n/u);
  expect(await agentRelay(other, 'replay', join(folder, 'none'))).toMatchObject({
    code: 2,
    notes: expect.stringMatching(/^error: .*none/u),
  });
  // On the relay that the agents ran on it cannot be played: there it is said how to have another.
  expect(await agentRelay(first, 'replay', file)).toMatchObject({
    code: 1,
    notes: expect.stringMatching(/\(name_taken\)\n.* agent-relay serve --port 0 --db \S+ --no-local-node\n/u),
  });
  expect((await agentRelay(first, 'record', 'Nobody')).code).not.toBe(0);
  await rm(folder, { recursive: true });
});
