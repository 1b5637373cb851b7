import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ApprovalDecision, StartOptions } from 'agent-relay-provider';
import { EventLog } from 'agent-relay-provider/testing';
import { expect, test } from 'vitest';
import { parrotHarness } from './parrot-harness.ts';

const write = 'write note.txt: hi';
const run = 'run echo hi > note.txt';

/** A session that is told to do one thing, by relay mail or by a person. */
async function told(text: string, messageIds: number[], rights: Partial<StartOptions>) {
  const harness = await parrotHarness();
  const session = await harness.provider.start({
    agentId: 'Polly',
    sessionId: 's1',
    cwd: harness.cwd,
    mode: 'agentic',
    approval: 'open',
    instructions: '',
    mcp: [],
    env: harness.env,
    onProcess: () => {},
    ...rights,
  });
  const log = new EventLog(session);
  await session.prompt({ text, messageIds }, { mode: 'next' });
  return {
    session,
    log,
    outcomes: () => log.ofType('tool.completed').map(({ outcome }) => outcome),
    isWritten: () => existsSync(join(harness.cwd, 'note.txt')),
    [Symbol.asyncDispose]: async () => {
      await session.close();
      await harness.provider.close();
      await harness.close();
    },
  };
}

for (const [decision, outcome, isWritten] of [
  [{ outcome: 'allow', by: 'owner' }, 'allowed', true],
  [{ outcome: 'deny', by: 'owner' }, 'denied', false],
] as const satisfies readonly (readonly [ApprovalDecision, string, boolean])[]) {
  test.each([
    ['guarded: what mail asks for', write, [7], { approval: 'guarded' }, { kind: 'edit' }],
    ['ask: what goes beyond an agentic session', run, [], { ask: true }, { kind: 'execute', input: { command: 'echo hi > note.txt' } }],
  ] as const)(`%s waits for a person, who may say ${decision.outcome}`, async (_what, text, messageIds, rights, question) => {
    await using parrot = await told(text, [...messageIds], rights);
    const { approvalId, ...asked } = await parrot.log.waitFor('approval.requested');
    expect(asked).toMatchObject(question);
    await parrot.log.waitFor('session.status', ({ status }) => status === 'waiting');
    expect(parrot.isWritten()).toBe(false);
    expect(await parrot.session.resolveApproval?.(approvalId, decision)).toBe(true);
    await parrot.log.waitForTurnEnd();
    expect(parrot.log.ofType('approval.resolved')).toEqual([{ type: 'approval.resolved', approvalId, outcome, by: 'owner' }]);
    expect(parrot.isWritten()).toBe(isWritten);
    expect(await parrot.session.resolveApproval?.(approvalId, decision)).toBe(false);
  });
}

test('guarded: a question nobody answered ends with its turn', async () => {
  await using parrot = await told(write, [7], { approval: 'guarded' });
  const { approvalId } = await parrot.log.waitFor('approval.requested');
  expect(await parrot.session.interrupt()).toBe(true);
  await parrot.log.waitForTurnEnd();
  expect(parrot.log.ofType('approval.resolved')).toEqual([{ type: 'approval.resolved', approvalId, outcome: 'cancelled', by: 'session' }]);
  expect(parrot.isWritten()).toBe(false);
});

test('read-only: what mail asks for is declined, what a person asks for is done', async () => {
  await using byMail = await told(write, [7], { approval: 'read-only', ask: true });
  await byMail.log.waitForTurnEnd();
  expect([byMail.isWritten(), byMail.outcomes()]).toEqual([false, ['declined']]);
  await using byPerson = await told(write, [], { approval: 'read-only' });
  await byPerson.log.waitForTurnEnd();
  expect([byPerson.isWritten(), byPerson.log.ofType('approval.requested')]).toEqual([true, []]);
});

test.each([
  ['without ask, what goes beyond an agentic session', run, {}],
  ['in safe mode, everything', run, { mode: 'safe', ask: true }],
  ['an edit of what can run commands', 'write .bashrc: rm -rf', { ask: true }],
] as const)('%s is declined, and nobody is asked', async (_what, text, rights) => {
  await using parrot = await told(text, [], rights);
  await parrot.log.waitForTurnEnd();
  expect([parrot.outcomes(), parrot.log.ofType('approval.requested')]).toEqual([['declined'], []]);
});

test('mail for information, which may do less than a person, gets a turn of its own', async () => {
  await using parrot = await told('count 3', [], { approval: 'read-only' });
  await parrot.session.prompt({ text: write, messageIds: [7] }, { mode: 'fyi' });
  const { turnId } = await parrot.log.waitFor('user.message', ({ messageIds }) => messageIds?.includes(7) === true);
  await parrot.log.waitFor('turn.completed', (end) => end.turnId === turnId);
  expect([parrot.log.ofType('turn.started').length, parrot.outcomes()]).toEqual([2, ['declined']]);
});
