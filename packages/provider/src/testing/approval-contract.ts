import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { SpawnMode } from 'agent-relay-protocol';
import { describe, expect, test } from 'vitest';
import type { AgentSession, StartOptions } from '../contract.ts';
import type { EventLog } from './event-log.ts';
import type { ProviderHarness } from './provider-harness.ts';

export interface ContractTools {
  readonly start: (mode?: SpawnMode, more?: Partial<StartOptions>) => Promise<{ readonly session: AgentSession; readonly log: EventLog }>;
  /** That of the running test. */
  readonly harness: () => ProviderHarness;
}

/** The part of the provider contract about questions to a person. */
export function approvalContract({ start, harness }: ContractTools): void {
  describe('guarded', () => {
    const isWritten = () => existsSync(join(harness().cwd, 'note.txt'));

    /** A session whose running turn waits to be allowed to write `note.txt`. */
    const waiting = async (more: Partial<StartOptions> = {}) => {
      const { session, log } = await start('agentic', { approval: 'guarded', ...more });
      await session.prompt({ text: harness().prompts.editFile('note.txt', 'asked for'), messageIds: [21] }, { mode: 'next' });
      const asked = await log.waitFor('approval.requested');
      expect(asked).toMatchObject({ kind: 'edit', turnId: log.ofType('turn.started').at(-1)?.turnId });
      expect(asked.options.map(({ outcome }) => outcome)).toEqual(expect.arrayContaining(['allow', 'deny']));
      expect(asked.expiresInMs).toEqual(more.approvalTimeoutMs ?? 600_000);
      expect(JSON.stringify([asked.title, asked.input])).toContain('note.txt');
      expect(isWritten()).toBe(false);
      return { session, log, asked };
    };

    test('a person allows what mail asked for, once, and it is done', async () => {
      const { session, log, asked } = await waiting();
      expect(await session.resolveApproval?.('no such id', { outcome: 'allow', by: 'somebody' })).toBe(false);
      expect(await session.resolveApproval?.(asked.approvalId, { outcome: 'allow', by: 'somebody' })).toBe(true);
      expect(await session.resolveApproval?.(asked.approvalId, { outcome: 'deny', by: 'another' })).toBe(false);
      expect(await log.waitForTurnEnd()).toMatchObject({ outcome: 'finished' });
      const { approvalId } = asked;
      expect(log.ofType('approval.resolved')).toEqual([{ type: 'approval.resolved', approvalId, outcome: 'allowed', by: 'somebody' }]);
      expect(isWritten()).toBe(true);
    });

    test('a person denies it: the tool is declined, and the turn goes on', async () => {
      const { session, log, asked } = await waiting();
      const message = 'Not in this folder, please.';
      expect(await session.resolveApproval?.(asked.approvalId, { outcome: 'deny', by: 'somebody', message })).toBe(true);
      expect(await log.waitForTurnEnd()).toMatchObject({ outcome: 'finished' });
      expect(log.ofType('approval.resolved')).toMatchObject([{ outcome: 'denied', by: 'somebody', message }]);
      expect(log.ofType('tool.completed').map(({ outcome }) => outcome)).toContain('declined');
      expect(isWritten()).toBe(false);
    });

    test('nobody answers in time: that is a no, and says so', async () => {
      const { log } = await waiting({ approvalTimeoutMs: 500 });
      expect(await log.waitForTurnEnd()).toMatchObject({ outcome: 'finished' });
      expect(log.ofType('approval.resolved')).toMatchObject([
        { outcome: 'denied', by: 'timeout', message: expect.stringContaining('Nobody answered') },
      ]);
      expect(isWritten()).toBe(false);
    });

    test('a question ends with its turn, and then nothing waits for an answer', async () => {
      const { session, log, asked } = await waiting();
      expect(await session.interrupt()).toBe(true);
      await log.waitForTurnEnd();
      expect(log.ofType('approval.resolved')).toMatchObject([{ outcome: 'cancelled', by: 'session' }]);
      expect(await session.resolveApproval?.(asked.approvalId, { outcome: 'allow', by: 'somebody' })).toBe(false);
      expect(isWritten()).toBe(false);
    });

    test('a question ends with its session', async () => {
      const { session, log } = await waiting();
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
      expect([asked.length, isWritten()]).toEqual([approval === 'guarded' ? 1 : 0, false]);
    });

    test('what no mail asked for is not asked', async () => {
      const { session, log } = await start('agentic', { approval: 'guarded' });
      await session.prompt({ text: harness().prompts.editFile('note.txt', 'own work'), messageIds: [] }, { mode: 'next' });
      await log.waitForTurnEnd();
      expect([log.ofType('approval.requested'), isWritten()]).toEqual([[], true]);
    });
  });
}
