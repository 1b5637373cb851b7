import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { SpawnMode } from 'agent-relay-protocol';
import { describe, expect, test } from 'vitest';
import type { StartOptions } from '../contract.ts';
import type { SharedStage, Started } from './contract-stage.ts';
import type { ProviderHarness } from './provider-harness.ts';

export interface ContractTools {
  readonly start: (mode?: SpawnMode, more?: Partial<StartOptions>) => Promise<Started>;
  /** That of the running test. */
  readonly harness: () => ProviderHarness;
}

interface Question extends Started {
  readonly harness: ProviderHarness;
  /** Of the file that is to be written. */
  readonly name: string;
  readonly messageId: number;
  readonly expiresInMs?: number;
}

/** Lets mail begin a turn, which waits to be allowed to write a file. */
async function waiting({ session, log, harness, name, messageId, expiresInMs = 600_000 }: Question) {
  const isWritten = () => existsSync(join(harness.cwd, name));
  await session.prompt({ text: harness.prompts.editFile(name, 'asked for'), messageIds: [messageId] }, { mode: 'next' });
  const asked = await log.waitFor('approval.requested');
  expect(asked).toMatchObject({ kind: 'edit', turnId: log.ofType('turn.started').at(-1)?.turnId });
  expect(asked.options.map(({ outcome }) => outcome)).toEqual(expect.arrayContaining(['allow', 'deny']));
  expect(asked.expiresInMs).toEqual(expiresInMs);
  expect(JSON.stringify([asked.title, asked.input])).toContain(name);
  expect(isWritten()).toBe(false);
  return { session, log, asked, isWritten };
}

/** The part of the provider contract about what people answer while a session goes on. */
export function answerContract({ start, harness }: SharedStage): void {
  const guarded = async (name: string, messageId: number) =>
    waiting({ ...(await start('agentic', 'guarded')), harness: harness(), name, messageId });

  test('a person allows what mail asked for, once, and it is done', async () => {
    const { session, log, asked, isWritten } = await guarded('allowed.txt', 21);
    expect(await session.resolveApproval?.('no such id', { outcome: 'allow', by: 'somebody' })).toBe(false);
    expect(await session.resolveApproval?.(asked.approvalId, { outcome: 'allow', by: 'somebody' })).toBe(true);
    expect(await session.resolveApproval?.(asked.approvalId, { outcome: 'deny', by: 'another' })).toBe(false);
    expect(await log.waitForTurnEnd()).toMatchObject({ outcome: 'finished' });
    const { approvalId } = asked;
    expect(log.ofType('approval.resolved')).toEqual([{ type: 'approval.resolved', approvalId, outcome: 'allowed', by: 'somebody' }]);
    expect(isWritten()).toBe(true);
  });

  test('a person denies it: the tool is declined, and the turn goes on', async () => {
    const { session, log, asked, isWritten } = await guarded('denied.txt', 22);
    const message = 'Not in this folder, please.';
    expect(await session.resolveApproval?.(asked.approvalId, { outcome: 'deny', by: 'somebody', message })).toBe(true);
    expect(await log.waitForTurnEnd()).toMatchObject({ outcome: 'finished' });
    expect(log.ofType('approval.resolved')).toMatchObject([{ outcome: 'denied', by: 'somebody', message }]);
    expect(log.ofType('tool.completed').map(({ outcome }) => outcome)).toContain('declined');
    expect(isWritten()).toBe(false);
  });

  test('a question ends with its turn, and then nothing waits for an answer', async () => {
    const { session, log, asked, isWritten } = await guarded('interrupted.txt', 23);
    expect(await session.interrupt()).toBe(true);
    await log.waitForTurnEnd();
    expect(log.ofType('approval.resolved')).toMatchObject([{ outcome: 'cancelled', by: 'session' }]);
    expect(await session.resolveApproval?.(asked.approvalId, { outcome: 'allow', by: 'somebody' })).toBe(false);
    expect(isWritten()).toBe(false);
  });

  test('what no mail asked for is not asked', async () => {
    const { session, log } = await start('agentic', 'guarded');
    await session.prompt({ text: harness().prompts.editFile('own.txt', 'own work'), messageIds: [] }, { mode: 'next' });
    await log.waitForTurnEnd();
    expect([log.ofType('approval.requested'), existsSync(join(harness().cwd, 'own.txt'))]).toEqual([[], true]);
  });
}

/** The part about questions that nobody answers. */
export function approvalContract({ start, harness }: ContractTools): void {
  describe('guarded', () => {
    test('nobody answers in time: that is a no, and says so', async () => {
      const expiresInMs = 500;
      const started = await start('agentic', { approval: 'guarded', approvalTimeoutMs: expiresInMs });
      const { log, isWritten } = await waiting({ ...started, harness: harness(), name: 'note.txt', messageId: 21, expiresInMs });
      expect(await log.waitForTurnEnd()).toMatchObject({ outcome: 'finished' });
      expect(log.ofType('approval.resolved')).toMatchObject([
        { outcome: 'denied', by: 'timeout', message: expect.stringContaining('Nobody answered') },
      ]);
      expect(isWritten()).toBe(false);
    });

    test('a question ends with its session', async () => {
      const started = await start('agentic', { approval: 'guarded' });
      const { session, log, isWritten } = await waiting({ ...started, harness: harness(), name: 'note.txt', messageId: 21 });
      await session.close();
      await log.finished;
      expect(log.ofType('approval.resolved')).toMatchObject([{ outcome: 'cancelled', by: 'session' }]);
      expect(isWritten()).toBe(false);
    });

    test.each(['guarded', 'read-only'] as const)('the task that another agent gave is held to %s like its mail', async (approval) => {
      const { session, log } = await start('agentic', { approval, approvalTimeoutMs: 500 });
      await session.prompt({ text: harness().prompts.editFile('note.txt', 'a task'), messageIds: [], isMail: true }, { mode: 'next' });
      await log.waitForTurnEnd();
      const asked = log.ofType('approval.requested').filter(({ options }) => options.length > 0);
      expect([asked.length, existsSync(join(harness().cwd, 'note.txt'))]).toEqual([approval === 'guarded' ? 1 : 0, false]);
    });
  });
}
