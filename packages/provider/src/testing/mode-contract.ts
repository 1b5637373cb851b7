import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { approvalContract, type ContractTools } from './approval-contract.ts';
import type { SharedStage } from './contract-stage.ts';
import type { ProviderAbilities } from './provider-harness.ts';

interface ModeTools extends ContractTools {
  readonly abilities: ProviderAbilities;
  /** How many processes the running test has started. */
  readonly started: () => number;
}

/** The part of the provider contract about what a session may not do. */
export function modeContract(tools: ModeTools): void {
  if (tools.abilities.isFreeOnly) freeOnlyContract(tools);
  else heldContract(tools);
}

/** The part about what it may. */
export function editingContract({ start, harness, abilities }: SharedStage & { readonly abilities: ProviderAbilities }): void {
  test('a session edits inside its folder and says so', async () => {
    const { cwd, prompts } = harness();
    const { session, log } = await start();
    await session.prompt({ text: prompts.editFile('note.txt', 'written by an agent'), messageIds: [] }, { mode: 'next' });
    await log.waitForTurnEnd();
    expect(readFileSync(join(cwd, 'note.txt'), 'utf8').trim()).toBe('written by an agent');
    const changes = log.ofType('file.changed').flatMap((event) => event.changes);
    expect(changes.some(({ path }) => path === join(cwd, 'note.txt'))).toBe(abilities.tellsChanges ?? true);
    const edit = log.ofType('tool.started').find(({ kind }) => kind === 'edit');
    expect(log.ofType('tool.completed')).toContainEqual(expect.objectContaining({ itemId: edit?.itemId, outcome: 'succeeded' }));
  });

  test('an unrestricted session edits and runs commands outside its folder', async () => {
    const { outside, prompts } = harness();
    const { session, log } = await start('unrestricted');
    await session.prompt({ text: prompts.editFile(join(outside, 'free.txt'), 'free'), messageIds: [] }, { mode: 'next' });
    await log.waitForTurnEnd();
    expect(existsSync(join(outside, 'free.txt'))).toBe(abilities.editsOutsideFolder ?? true);
    const after = log.events.length;
    await session.prompt({ text: prompts.runCommand(`touch ${join(outside, 'ran.txt')}`), messageIds: [] }, { mode: 'next' });
    await log.waitForTurnEnd(after);
    expect(existsSync(join(outside, 'ran.txt'))).toBe(true);
    expect(log.ofType('tool.started').map(({ kind }) => kind)).toContain('execute');
  });
}

function freeOnlyContract({ start, harness, started }: ModeTools): void {
  test.each([
    ['safe', 'open'],
    ['agentic', 'open'],
    ['unrestricted', 'guarded'],
    ['unrestricted', 'read-only'],
  ] as const)('nothing would hold it to %s with %s approval: no such session starts', async (mode, approval) => {
    await expect(start(mode, { approval })).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: expect.stringMatching(new RegExp(`unrestricted.*${mode === 'unrestricted' ? approval : mode}`, 'u')),
    });
    const { modes, approvals } = harness().provider.abilities ?? {};
    expect([modes, approvals, started()]).toEqual([['unrestricted'], false, 0]);
  });
}

function heldContract(tools: ModeTools): void {
  const { start, harness, abilities } = tools;
  test('an agentic session does not edit outside its folder', async () => {
    const { session, log } = await start('agentic');
    const path = join(harness().outside, 'escaped.txt');
    await session.prompt({ text: harness().prompts.editFile(path, 'escaped'), messageIds: [] }, { mode: 'next' });
    await log.waitForTurnEnd();
    expect(existsSync(path)).toBe(false);
    harness().forgiveModel();
  });

  test('a safe session neither edits nor runs commands', async () => {
    const { cwd, prompts, forgiveModel } = harness();
    const { session, log } = await start('safe');
    await session.prompt({ text: prompts.editFile('note.txt', 'not allowed'), messageIds: [] }, { mode: 'next' });
    await log.waitForTurnEnd();
    const after = log.events.length;
    await session.prompt({ text: prompts.runCommand(`touch ${join(cwd, 'ran.txt')}`), messageIds: [] }, { mode: 'next' });
    await log.waitForTurnEnd(after);
    expect(existsSync(join(cwd, 'note.txt'))).toBe(false);
    expect(existsSync(join(cwd, 'ran.txt'))).toBe(false);
    forgiveModel();
  });

  if (abilities.asksPeople ?? true) approvalContract(tools);
  else unaskedContract(tools);
}

function unaskedContract({ start, harness }: ModeTools): void {
  test.each(['guarded', 'read-only'] as const)(
    'nobody can be asked: what mail may not do is refused in %s, and own work is done',
    async (approval) => {
      const { cwd, prompts, forgiveModel } = harness();
      const { session, log } = await start('agentic', { approval });
      const isWritten = (name: string) => existsSync(join(cwd, name));
      await session.prompt({ text: prompts.editFile('mail.txt', 'asked for'), messageIds: [21] }, { mode: 'next' });
      await log.waitForTurnEnd();
      const after = log.events.length;
      await session.prompt({ text: prompts.editFile('own.txt', 'own work'), messageIds: [] }, { mode: 'next' });
      await log.waitForTurnEnd(after);
      expect([isWritten('mail.txt'), isWritten('own.txt'), log.ofType('approval.requested')]).toEqual([false, true, []]);
      forgiveModel();
    },
  );
}
