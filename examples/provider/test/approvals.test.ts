import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ApprovalMode } from 'agent-relay-protocol';
import type { ApprovalDecision } from 'agent-relay-provider';
import { EventLog, type ProviderHarness } from 'agent-relay-provider/testing';
import { expect, test } from 'vitest';
import { parrotHarness } from './parrot-harness.ts';

/** A session that is asked to write `note.txt`, by relay mail or by a person. */
async function asked(harness: ProviderHarness, { approval, messageIds }: { approval: ApprovalMode; messageIds: number[] }) {
  const session = await harness.provider.start({
    agentId: 'Polly',
    sessionId: 's1',
    cwd: harness.cwd,
    mode: 'agentic',
    approval,
    instructions: '',
    mcp: [],
    env: harness.env,
    onProcess: () => {},
  });
  const log = new EventLog(session);
  await session.prompt({ text: 'write note.txt: hi', messageIds }, { mode: 'next' });
  return {
    session,
    log,
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
  test(`guarded: what mail asks for waits for a person, who may say ${decision.outcome}`, async () => {
    await using parrot = await asked(await parrotHarness(), { approval: 'guarded', messageIds: [7] });
    const { approvalId } = await parrot.log.waitFor('approval.requested', ({ kind }) => kind === 'edit');
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
  await using parrot = await asked(await parrotHarness(), { approval: 'guarded', messageIds: [7] });
  const { approvalId } = await parrot.log.waitFor('approval.requested');
  expect(await parrot.session.interrupt()).toBe(true);
  await parrot.log.waitForTurnEnd();
  expect(parrot.log.ofType('approval.resolved')).toEqual([{ type: 'approval.resolved', approvalId, outcome: 'cancelled', by: 'session' }]);
  expect(parrot.isWritten()).toBe(false);
});

test('read-only: what mail asks for is declined, what a person asks for is done', async () => {
  await using byMail = await asked(await parrotHarness(), { approval: 'read-only', messageIds: [7] });
  await byMail.log.waitForTurnEnd();
  expect([byMail.isWritten(), byMail.log.ofType('tool.completed').map(({ outcome }) => outcome)]).toEqual([false, ['declined']]);
  await using byPerson = await asked(await parrotHarness(), { approval: 'read-only', messageIds: [] });
  await byPerson.log.waitForTurnEnd();
  expect([byPerson.isWritten(), byPerson.log.ofType('approval.requested')]).toEqual([true, []]);
});
