import { type RelayClient, readRun, recordRun, replayRun } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { RUN_RECORD_VERSION, type RunRecord } from 'agent-relay-protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestRelay, type TestRelay } from '../src/testing.ts';
import { clientOf, later, quiet } from './support/recorded-relay.ts';

let relay: TestRelay;
let records: RunRecord[];

/** One task that changes hands and is done, one that its source ends over its holder, one that is held and one that waits. */
async function workOnTasks(owner: RelayClient): Promise<void> {
  const report = async (title: string) => {
    const { task } = await owner.integrations.report({ source: 'ops', title, target: 'tag:team', dedupeKey: title });
    await later();
    return task?.id ?? 0;
  };
  const disk = await report('Disk full');
  await report('Disk full');
  await owner.tasks.claim({ id: disk, agentId: 'Ann' });
  await owner.tasks.status({ id: disk, agentId: 'Ann', status: 'in_progress', progress: { percent: 40 } });
  await owner.tasks.status({ id: disk, agentId: 'Ann', status: 'open' });
  await later();
  await owner.tasks.claim({ id: disk, agentId: 'Bob' });
  await owner.tasks.status({ id: disk, agentId: 'Bob', status: 'done', result: 'cleaned up' });
  const slow = await report('Slow');
  await owner.tasks.claim({ id: slow, agentId: 'Ann' });
  await owner.tasks.status({ id: slow, status: 'failed', result: 'it went away' });
  const held = await report('Held');
  await owner.tasks.claim({ id: held, agentId: 'Ann' });
  await owner.tasks.status({ id: held, agentId: 'Ann', status: 'blocked' });
  await report('Waits');
}

/** One that is done, whose result is answered, and one that is given back. */
async function workOnMessages(owner: RelayClient): Promise<void> {
  const [done, back] = [
    await owner.messages.send({ from: 'Ann', to: 'tag:team', body: 'Who builds it?', claimable: true }),
    await owner.messages.send({ from: 'Ann', to: 'tag:team', body: 'Who tests it?', claimable: true }),
  ];
  await later();
  for (const { id } of [done, back]) {
    const { claimId } = await owner.messages.claim({ id, agentId: 'Bob' });
    await later();
    await owner.claims.progress({ id: claimId, agentId: 'Bob', progress: 'half of it' });
    if (id === done.id) await owner.claims.complete({ id: claimId, agentId: 'Bob', result: 'It is built' });
    else await owner.claims.release({ id: claimId, agentId: 'Bob', reason: 'No tests here' });
  }
  const result = (await owner.messages.list({ from: 'Bob' })).data.find(({ kind }) => kind === 'result');
  await later();
  await owner.messages.send({ from: 'Ann', replyTo: result?.id ?? 0, body: 'Thanks' });
}

async function askPeople(owner: RelayClient): Promise<void> {
  const ask = async (id: string, approvalId: string, over: object = {}) => {
    await owner.approvals.ask({ id, approvalId, kind: 'execute', title: `run ${approvalId}`, cwd: '/work', ...over });
    await later();
  };
  const options = [
    { id: 'yes', label: 'For this session', outcome: 'allow_session' as const },
    { id: 'no', label: 'No', outcome: 'deny' as const },
  ];
  const field = { text: 'What?', choices: [], allowsText: true };
  await ask('Ann', 'a1', { options });
  await owner.approvals.resolve({ id: 'Ann', approvalId: 'a1', optionId: 'yes' });
  await ask('Bob', 'b1', {
    form: [
      { ...field, id: 'name' },
      { ...field, id: 'key', isSecret: true },
    ],
  });
  await owner.approvals.resolve({ id: 'Bob', approvalId: 'b1', answers: { name: ['Kim'], key: ['secret'] } });
  await ask('Ann', 'a2', { isEditable: true, input: { command: 'rm x' } });
  await owner.approvals.resolve({ id: 'Ann', approvalId: 'a2', outcome: 'deny', message: 'Keep it' });
  await ask('Bob', 'b2');
  await owner.approvals.withdraw({ id: 'Bob', approvalId: 'b2', message: 'It was answered at its terminal' });
  await ask('Ann', 'a3', { isEditable: true, input: { command: 'ls' } });
  await owner.approvals.resolve({ id: 'Ann', approvalId: 'a3', outcome: 'allow', updatedInput: { command: 'ls -l' } });
  await ask('Ann', 'a4');
}

beforeAll(async () => {
  relay = await startTestRelay({ settings: quiet });
  await using owner = clientOf(relay);
  for (const id of ['Ann', 'Bob']) await owner.agents.register({ id, name: id, tags: ['team'], instanceId: `of ${id}` });
  await later();
  await workOnTasks(owner);
  await workOnMessages(owner);
  await askPeople(owner);
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

const editTask = (title: string, edit: (line: Extract<RunRecord, { readonly type: 'task' }>) => RunRecord) =>
  records.map((record) => (record.type === 'task' && record.task.title === title ? edit(record) : record));
const idOf = (title: string) => linesOf(records, 'task').find(({ task }) => task.title === title)?.task.id;

describe('a recorded run with work and questions', () => {
  test('holds each task with its history, the claims of messages and the questions; a source that is no agent takes no part', () => {
    expect(records[0]?.type === 'run' && records[0].agents.map(({ id }) => id).toSorted()).toEqual(['Ann', 'Bob']);
    expect(linesOf(records, 'task').map(({ task, history }) => [task.title, history.map(({ type, by }) => `${type} ${by}`)])).toEqual([
      [
        'Disk full',
        [
          ...['task.created owner', 'task.repeated owner', 'task.claimed Ann', 'task.updated Ann', 'task.released Ann'],
          ...['task.claimed Bob', 'task.completed Bob'],
        ],
      ],
      ['Slow', ['task.created owner', 'task.claimed Ann', 'task.failed owner']],
      ['Held', ['task.created owner', 'task.claimed Ann', 'task.updated Ann']],
      ['Waits', ['task.created owner']],
    ]);
    expect(linesOf(records, 'claim').map(({ claim }) => [claim.agentId, claim.status])).toEqual([
      ['Bob', 'completed'],
      ['Bob', 'released'],
    ]);
    expect(linesOf(records, 'approval').map(({ approval }) => `${approval.approvalId} ${approval.status}`)).toEqual([
      ...['a1 allowed', 'b1 allowed', 'a2 denied', 'b2 cancelled', 'a3 allowed', 'a4 pending'],
    ]);
    expect(JSON.stringify(records)).not.toContain('secret"]');
    const text = records.map((record) => JSON.stringify(record)).join('\n');
    expect(readRun(text)).toEqual(records);
    expect(readRun(text.replace(`"version":${RUN_RECORD_VERSION}`, '"version":1'))).toHaveLength(records.length);
  });

  test('is played by the relay’s own rules, and comes out as it was', async () => {
    const { again, differences, messages, ...played } = await replayed();
    expect({ differences, ...played }).toEqual({ differences: [], tasks: 4, claims: 2, approvals: 6, pairs: 0, reservations: 0, rules: 0 });
    expect(messages).toBe(linesOf(records, 'message').filter(({ message }) => message.from !== 'relay').length);
    const tasksOf = (run: readonly RunRecord[]) =>
      linesOf(run, 'task').map(({ task, history }) => {
        const { title, status, claimedBy, progress, result, occurrenceCount, target, dedupeKey } = task;
        return { title, status, claimedBy, progress, result, occurrenceCount, target, dedupeKey, history: history.map(({ type }) => type) };
      });
    expect(tasksOf(again)).toEqual(tasksOf(records));
    const claimsOf = (run: readonly RunRecord[]) =>
      linesOf(run, 'claim').map(({ claim: { agentId, status, progress } }) => [agentId, status, progress]);
    expect(claimsOf(again)).toEqual(claimsOf(records));
    const saidOf = (run: readonly RunRecord[]) =>
      linesOf(run, 'message').flatMap(({ message: { from, to, kind, body } }) =>
        from === 'relay' ? [] : [`${from} ${to} ${kind} ${body}`],
      );
    expect(saidOf(again)).toEqual(saidOf(records));
    const answersOf = (run: readonly RunRecord[]) =>
      linesOf(run, 'approval').map(({ approval: { agentId, approvalId, title, status, message, ...rest } }) => {
        const { optionId, answers, updatedInput } = { optionId: null, answers: null, updatedInput: null, ...rest };
        return { agentId, approvalId, title, status, message, optionId, answers, updatedInput };
      });
    expect(answersOf(again)).toEqual(answersOf(records));
  });

  test('differs where somebody has what another wants: the claim is refused, and it stays with who has it', async () => {
    // As if Ann had tried to take it while Bob had it.
    const run = editTask('Disk full', (line) => ({
      ...line,
      history: line.history.flatMap((event) =>
        event.type === 'task.completed' ? [{ ...event, type: 'task.claimed' as const, by: 'Ann' }, event] : [event],
      ),
    }));
    const { differences } = await replayed(run);
    expect(differences).toEqual([
      {
        type: 'act_refused',
        act: 'claim',
        agentId: 'Ann',
        subject: String(idOf('Disk full')),
        code: 'already_claimed',
        reason: expect.any(String),
      },
    ]);
  });

  test('differs where a task is not offered to who took it, and ends otherwise', async () => {
    const run = editTask('Held', (line) => ({ ...line, task: { ...line.task, target: 'id:Bob' } }));
    const { differences } = await replayed(run);
    const subject = String(idOf('Held'));
    const refused = { type: 'act_refused', agentId: 'Ann', subject, reason: expect.any(String) };
    expect(differences).toEqual(
      expect.arrayContaining([
        { ...refused, act: 'claim', code: 'forbidden_target' },
        { ...refused, act: 'progress', code: 'forbidden' },
        { type: 'task', taskId: idOf('Held'), recorded: 'blocked', replayed: 'open' },
      ]),
    );
  });

  test('differs where a question does not take the answer that it had', async () => {
    const run = records.map((record): RunRecord => {
      if (record.type !== 'approval' || record.approval.approvalId !== 'a1') return record;
      return { ...record, approval: { ...record.approval, options: record.approval.options?.filter(({ id }) => id === 'no') } };
    });
    expect((await replayed(run)).differences).toEqual([
      { type: 'act_refused', act: 'answer', agentId: 'Ann', subject: 'a1', code: 'validation_failed', reason: expect.any(String) },
      { type: 'approval', approvalId: 'a1', agentId: 'Ann', recorded: 'allowed', replayed: 'pending' },
    ]);
  });

  test('of some agents holds what they had to do with; what its caller may not read is left out', async () => {
    await using owner = clientOf(relay);
    const ofBob = await recordRun(owner, { recordedAt: 1, agents: ['Bob'] });
    expect(linesOf(ofBob, 'approval').map(({ approval }) => approval.approvalId)).toEqual(['b1', 'b2']);
    expect(linesOf(ofBob, 'claim')).toHaveLength(2);
    const { token } = await owner.tokens.create({ name: 'reader', scopes: ['messages:read', 'agents:read'] });
    await using reader = createNodeRelayClient({ url: relay.url, token });
    const read = await recordRun(reader, { recordedAt: 1 });
    expect(linesOf(read, 'task')).toEqual([]);
    expect(linesOf(read, 'message')).toHaveLength(linesOf(records, 'message').length);
  });
});
