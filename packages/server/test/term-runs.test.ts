import { type RelayClient, readRun, recordRun, replayRun } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import type { RunRecord } from 'agent-relay-protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestRelay, type TestRelay } from '../src/testing.ts';
import { clientOf, later, quiet } from './support/recorded-relay.ts';

let relay: TestRelay;
let records: RunRecord[];

/** One that is talked in and hung up, one that is declined, and one that stays. */
async function pairUp(owner: RelayClient): Promise<void> {
  const invite = async (from: string, target: string) => {
    const { id } = await owner.pairs.request({ from, target, objective: 'Why is it red?' });
    await later();
    return id;
  };
  const talked = await invite('Ann', 'Bob');
  await owner.pairs.accept({ id: talked, agentId: 'Bob' });
  await later();
  const { id: said } = await owner.pairs.send({ id: talked, from: 'Ann', body: 'The clock' });
  await owner.pairs.send({ id: talked, from: 'Bob', body: 'Which one?', replyTo: said });
  await later();
  await owner.pairs.hangup({ id: talked, agentId: 'Bob', reason: 'Found' });
  await later();
  const declined = await invite('Bob', 'Ann');
  await owner.pairs.reject({ id: declined, agentId: 'Ann', reason: 'Not now' });
  await later();
  await invite('Ann', 'Bob');
}

async function ask(owner: RelayClient, id: string, approvalId: string, asked: object): Promise<void> {
  await owner.approvals.ask({ id, approvalId, kind: 'execute', title: approvalId, cwd: '/work', ...asked });
  await later();
}

/** One that answers, one that is made from a question, and one that is revoked before anything is asked. */
async function workByRules(owner: RelayClient): Promise<void> {
  // What an agent calls itself gets it nobody's yes.
  await owner.rules.create({ tag: 'own', command: ['npm', 'test'], folder: '/' });
  await owner.rules.create({ tag: 'team', command: ['npm', 'test'], folder: '/work', maxUses: 1 });
  await later();
  await ask(owner, 'Ann', 'by-rule', { input: { command: 'npm test -- --watch' } });
  await ask(owner, 'Ann', 'used-up', { input: { command: 'npm test' } });
  await owner.approvals.resolve({ id: 'Ann', approvalId: 'used-up', outcome: 'deny' });
  await ask(owner, 'Bob', 'made-from', { input: { command: 'make docs' } });
  await owner.rules.create({ agentId: 'Bob', approvalId: 'made-from' });
  await later();
  const revoked = await owner.rules.create({ agentId: 'Bob', command: ['git', 'push'], folder: '/work' });
  await later();
  await owner.rules.revoke({ id: revoked.id });
  await later();
  await ask(owner, 'Bob', 'after-all', { input: { command: 'git push' } });
}

/** One that keeps another from an edit and is given back, and one that is held. */
async function reserve(owner: RelayClient): Promise<void> {
  const { id } = await owner.reservations.create({ agentId: 'Ann', folder: '/work', patterns: ['src/'], enforced: true });
  await later();
  await ask(owner, 'Bob', 'kept', { kind: 'edit', input: { file_path: '/work/src/a.ts' } });
  await owner.reservations.release({ id, agentId: 'Ann' });
  await later();
  await ask(owner, 'Bob', 'free', { kind: 'edit', input: { file_path: '/work/src/a.ts' } });
  await owner.approvals.resolve({ id: 'Bob', approvalId: 'free', outcome: 'allow' });
  await owner.reservations.create({ agentId: 'Bob', folder: '/work', patterns: ['docs/**'], note: 'For the release' });
}

beforeAll(async () => {
  relay = await startTestRelay({ settings: quiet });
  await using owner = clientOf(relay);
  for (const [id, tags] of [
    ['Ann', ['own', 'team']],
    ['Bob', ['team']],
  ] as const) {
    await owner.agents.register({ id, name: id, instanceId: `of ${id}` });
    await owner.agents.tags({ id, tags: ['team'] });
    await owner.agents.register({ id, name: id, tags: [...tags], instanceId: `of ${id}` });
  }
  await later();
  await pairUp(owner);
  await workByRules(owner);
  await reserve(owner);
  await later();
  records = await recordRun(owner, { recordedAt: Date.now() });
});
afterAll(() => relay.close());

const linesOf = <Type extends RunRecord['type']>(run: readonly RunRecord[], type: Type) =>
  run.filter((record): record is Extract<RunRecord, { readonly type: Type }> => record.type === type);

async function replayed(run: readonly RunRecord[] = records) {
  await using fresh = await startTestRelay({ settings: quiet });
  await using client = clientOf(fresh);
  const outcome = await replayRun(run, { relay: client });
  return { ...outcome, again: await recordRun(client, { recordedAt: 1 }) };
}

const pairsOf = (run: readonly RunRecord[]) =>
  linesOf(run, 'pair').map(({ pair }) => [pair.requester, pair.target, pair.status, 'reason' in pair ? pair.reason : null]);
const reservationsOf = (run: readonly RunRecord[]) =>
  linesOf(run, 'reservation').map(({ reservation: { agentId, patterns, enforced, note, ended } }) => ({
    ...{ agentId, patterns, enforced, note, ended },
  }));
const rulesOf = (run: readonly RunRecord[]) =>
  linesOf(run, 'rule').map(({ rule: { name, agentId: agent, tag, uses, ended } }) => [name, agent, tag, uses, ended]);
/** Who answered, whatever its number. */
const answersOf = (run: readonly RunRecord[]) =>
  linesOf(run, 'approval').map(({ approval: { approvalId, status, by } }) => [approvalId, status, by?.replace(/:\d+$/u, '') ?? null]);
const saidOf = (run: readonly RunRecord[]) =>
  linesOf(run, 'message').flatMap(({ message: { from, to, kind, replyTo, threadId, meta } }) =>
    from === 'relay' ? [] : [[from, to, kind, replyTo === threadId, meta !== null && 'pairId' in meta && meta['pairId'] === threadId]],
  );

describe('a recorded run with pairs, reservations and standing rules', () => {
  test('holds what was and what is, with who answered', () => {
    expect(pairsOf(records)).toEqual([
      ['Ann', 'Bob', 'ended', 'Found'],
      ['Bob', 'Ann', 'rejected', 'Not now'],
      ['Ann', 'Bob', 'pending', null],
    ]);
    expect(reservationsOf(records)).toEqual([
      { agentId: 'Ann', patterns: ['src/'], enforced: true, note: null, ended: 'released' },
      { agentId: 'Bob', patterns: ['docs/**'], enforced: false, note: 'For the release', ended: null },
    ]);
    expect(rulesOf(records)).toEqual([
      ['npm test in /', null, 'own', 0, null],
      ['npm test in /work', null, 'team', 1, 'used_up'],
      ['make docs in /work', 'Bob', null, 1, null],
      ['git push in /work', 'Bob', null, 0, 'revoked'],
    ]);
    expect(answersOf(records)).toEqual([
      ['by-rule', 'allowed', 'rule'],
      ['used-up', 'denied', 'owner'],
      ['made-from', 'allowed', 'rule'],
      ['after-all', 'pending', null],
      ['kept', 'denied', 'reservation'],
      ['free', 'allowed', 'owner'],
    ]);
    expect(readRun(records.map((record) => JSON.stringify(record)).join('\n'))).toEqual(records);
  });

  test('is played by the relay’s own rules: who pairs, who is kept from what, and who answers', async () => {
    const { again, differences, messages, ...played } = await replayed();
    expect({ differences, ...played }).toEqual({
      ...{ differences: [], tasks: 0, claims: 0, approvals: 6, pairs: 3, reservations: 2, rules: 4 },
    });
    expect(pairsOf(again)).toEqual(pairsOf(records));
    expect(reservationsOf(again)).toEqual(reservationsOf(records));
    expect(rulesOf(again)).toEqual(rulesOf(records));
    expect(answersOf(again)).toEqual(answersOf(records));
    expect(saidOf(again)).toEqual(saidOf(records));
    expect(messages).toBe(saidOf(records).length);
  });

  test('differs where a rule does not allow what it allowed, and where one is still there', async () => {
    const run = records.map((record): RunRecord => {
      if (record.type !== 'rule') return record;
      const { rule } = record;
      if (rule.tag === 'team') return { ...record, rule: { ...rule, command: ['npm', 'run'] } };
      return rule.ended === 'revoked' ? { ...record, rule: { ...rule, ended: null, endedAt: null, endedBy: null } } : record;
    });
    expect((await replayed(run)).differences).toEqual([
      { type: 'approval', approvalId: 'by-rule', agentId: 'Ann', recorded: 'allowed', replayed: 'pending' },
      { type: 'approval', approvalId: 'after-all', agentId: 'Bob', recorded: 'pending', replayed: 'allowed' },
    ]);
  });

  test('differs where files are another’s, and where nobody keeps anybody from them', async () => {
    const lines = linesOf(records, 'reservation');
    const [first] = lines;
    if (!first) throw new Error('it has two');
    const rival: RunRecord = {
      ...first,
      reservation: { ...first.reservation, id: 999_999, agentId: 'Bob', enforced: false, ended: null, endedAt: null },
    };
    const both = [...records, { ...rival, at: first.at, reservation: { ...rival.reservation, createdAt: first.at } } as RunRecord];
    expect((await replayed(both)).differences).toEqual([
      {
        ...{ type: 'act_refused', act: 'reserve', agentId: 'Bob', subject: 'src/ in /work' },
        ...{ code: 'already_claimed', reason: expect.stringContaining('Ann') },
      },
    ]);
    const open = records.map((record) =>
      record === first ? { ...first, reservation: { ...first.reservation, enforced: false } } : record,
    );
    expect((await replayed(open)).differences).toEqual([
      { type: 'approval', approvalId: 'kept', agentId: 'Bob', recorded: 'denied', replayed: 'pending' },
    ]);
  });

  test('differs where somebody who is paired is invited, and what is said in no pair is not said', async () => {
    const [first, second, third] = linesOf(records, 'pair');
    if (first?.pair.status !== 'ended' || !second || !third) throw new Error('it has three, and the first ended');
    const { endedAt: _endedAt, endedBy: _endedBy, cause: _cause, reason: _reason, acceptedAt, ...pair } = first.pair;
    const run = records.map(
      (record): RunRecord => (record === first ? { ...first, pair: { ...pair, status: 'active', acceptedAt: acceptedAt ?? 0 } } : record),
    );
    const refused = { type: 'act_refused', act: 'invite', code: 'busy', reason: expect.any(String) };
    expect((await replayed(run)).differences).toEqual([
      { ...refused, agentId: 'Bob', subject: String(second.pair.id) },
      { ...refused, agentId: 'Ann', subject: String(third.pair.id) },
    ]);
    const unaccepted = records.map((record): RunRecord => (record === first ? { ...first, pair: { ...pair, status: 'pending' } } : record));
    expect((await replayed(unaccepted)).differences).toEqual(
      expect.arrayContaining([{ type: 'refused', messageId: expect.any(Number), code: 'pair_not_active', reason: expect.any(String) }]),
    );
  });

  test('is played to no relay where a rule for a tag or a reservation would hold for somebody else', async () => {
    await using other = await startTestRelay({ settings: quiet });
    await using client = clientOf(other);
    await client.agents.register({ id: 'Resident', name: 'Resident', tags: ['team'] });
    const [run] = records;
    if (run?.type !== 'run') throw new Error('a run has a first line');
    for (const line of [...linesOf(records, 'rule').slice(0, 1), ...linesOf(records, 'reservation').slice(0, 1)])
      await expect(replayRun([{ ...run, agents: [] }, line], { relay: client })).rejects.toMatchObject({
        ...{ code: 'name_taken', message: expect.stringContaining('Resident') },
      });
    expect((await client.rules.list({})).data).toEqual([]);
    expect((await client.reservations.list({})).data).toEqual([]);
  });

  test('of some agents holds their pairs and reservations, and the rules for them or by which they were answered', async () => {
    await using owner = clientOf(relay);
    const ofAnn = await recordRun(owner, { recordedAt: 1, agents: ['Ann'] });
    expect([pairsOf(ofAnn).length, reservationsOf(ofAnn).length]).toEqual([3, 1]);
    expect(rulesOf(ofAnn).map(([name]) => name)).toEqual(['npm test in /work']);
    const { token } = await owner.tokens.create({ name: 'reader', scopes: ['messages:read', 'agents:read'] });
    await using reader = createNodeRelayClient({ url: relay.url, token });
    const read = await recordRun(reader, { recordedAt: 1 });
    expect([linesOf(read, 'pair').length, linesOf(read, 'rule').length, linesOf(read, 'reservation').length]).toEqual([0, 0, 2]);
  });
});
