import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SpawnMode } from 'agent-relay-protocol';
import type { McpEndpoint } from 'agent-relay-provider';
import { EventLog } from 'agent-relay-provider/testing';
import { fakeRelayMcp } from 'agent-relay-testing';
import { afterEach, describe, expect, test } from 'vitest';
import { claudeHarness } from './claude-harness.ts';
import { claudeVersions } from './claude-versions.ts';

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function guarded(command: string, mode: SpawnMode, settings: object = {}, mcp: readonly McpEndpoint[] = []) {
  const harness = await claudeHarness(command);
  cleanUps.push(() => harness.close());
  mkdirSync(join(harness.cwd, '.claude'), { recursive: true });
  writeFileSync(join(harness.cwd, '.claude', 'settings.json'), JSON.stringify(settings));
  const session = await harness.provider.start({
    agentId: 'a',
    sessionId: 's',
    cwd: harness.cwd,
    mode,
    approval: 'guarded',
    instructions: '',
    mcp,
    env: harness.env,
    onProcess: () => undefined,
  });
  cleanUps.push(() => harness.provider.close());
  return { harness, session, log: new EventLog(session), isWritten: (name: string) => existsSync(join(harness.cwd, name)) };
}

describe.each(claudeVersions)('guarded mail turns of Claude Code %s', (_, command) => {
  test("ask also about what the user's own rules allow, with exactly what would run", async () => {
    const rules = { permissions: { allow: ['Bash(touch:*)', 'Write', 'Edit'] } };
    const { session, log, isWritten, harness } = await guarded(command, 'agentic', rules);
    await session.prompt({ text: 'run command: touch ran.txt && then say: done', messageIds: [1] }, { mode: 'next' });
    const asked = await log.waitFor('approval.requested');
    expect(asked).toEqual({
      type: 'approval.requested',
      approvalId: expect.stringMatching(/^[0-9a-f]{12}$/u),
      turnId: expect.any(String),
      itemId: log.ofType('tool.started')[0]?.itemId,
      kind: 'execute',
      title: 'Bash: touch ran.txt',
      cwd: harness.cwd,
      input: expect.objectContaining({ command: 'touch ran.txt' }),
      options: [expect.objectContaining({ outcome: 'allow' }), expect.objectContaining({ outcome: 'deny' })],
      isEditable: true,
      expiresInMs: 600_000,
    });
    expect(isWritten('ran.txt')).toBe(false);
    expect(await session.resolveApproval?.(asked.approvalId, { outcome: 'allow', by: 'owner' })).toBe(true);
    await log.waitForTurnEnd();
    expect(isWritten('ran.txt')).toBe(true);
  });

  test('tell the model why a person said no, and go on', async () => {
    const { session, log, isWritten, harness } = await guarded(command, 'unrestricted');
    await session.prompt({ text: 'run command: touch ran.txt && then say: noted', messageIds: [1] }, { mode: 'next' });
    const { approvalId } = await log.waitFor('approval.requested');
    await session.resolveApproval?.(approvalId, { outcome: 'deny', by: 'owner', message: 'Use a branch, please.' });
    expect(await log.waitForTurnEnd()).toMatchObject({ text: 'noted' });
    expect([isWritten('ran.txt'), harness.wasModelSent('Use a branch, please.')]).toEqual([false, true]);
  });

  test("do not ask where the user's own rules say no, nor where the mode does", async () => {
    const { session, log, harness } = await guarded(command, 'agentic', { permissions: { deny: ['Bash(touch:*)'] } });
    const outside = join(harness.outside, 'out.txt');
    const text = `run command: touch ran.txt && then edit file: ${outside} | x && then say: tried`;
    await session.prompt({ text, messageIds: [1] }, { mode: 'next' });
    await log.waitForTurnEnd();
    expect(log.ofType('approval.requested')).toEqual([]);
    expect(log.ofType('tool.completed').map(({ outcome }) => outcome)).toEqual([
      expect.stringMatching(/^(?:declined|failed)$/u),
      'declined',
    ]);
    expect(existsSync(outside)).toBe(false);
  });

  test('read without asking, and ask nothing in a turn that no mail is part of', async () => {
    const { session, log, isWritten } = await guarded(command, 'unrestricted');
    await session.prompt({ text: 'run command: ls -la && then say: looked', messageIds: [1] }, { mode: 'next' });
    await log.waitForTurnEnd();
    const after = log.events.length;
    await session.prompt({ text: 'edit file: own.txt | x && then say: done', messageIds: [] }, { mode: 'next' });
    await log.waitForTurnEnd(after);
    expect([log.ofType('approval.requested'), isWritten('own.txt')]).toEqual([[], true]);
  });

  test("hold what follows in a person's turn once a relay tool has handed out mail, and nothing when there was none", async () => {
    const ask = 'call relay_send {"to":"Bob","body":"x","waitForAnswerMs":100} && then run command: touch ran.txt && then say: tried';
    for (const [answer, isAsked] of [
      ['Sent [msg:7] to Bob, which reached 1 agent.\n[msg:8] from Bob: touch ran.txt\n[end msg:8 peer n0nce]', true],
      ['Sent [msg:7] to Bob, which reached 1 agent.\nNo answer yet. It will reach you as a message.', false],
    ] as const) {
      const relay = await fakeRelayMcp({ answer });
      cleanUps.push(relay.close);
      const { session, log, isWritten } = await guarded(command, 'unrestricted', {}, [relay.endpoint]);
      await session.prompt({ text: ask, messageIds: [] }, { mode: 'next' });
      if (isAsked) {
        const { approvalId } = await log.waitFor('approval.requested');
        await session.resolveApproval?.(approvalId, { outcome: 'deny', by: 'owner' });
      }
      await log.waitForTurnEnd();
      expect([relay.calls.length, log.ofType('approval.requested').length, isWritten('ran.txt')]).toEqual([1, isAsked ? 1 : 0, !isAsked]);
    }
  });

  test("show a person Claude's own questions and its plan, and take their words for the answer", async () => {
    const { session, log, harness } = await guarded(command, 'agentic');
    const options = ['Red', 'Blue'].map((label) => ({ label, description: `${label} it is` }));
    const questions = [
      { question: 'Which colour?', header: 'Colour', multiSelect: false, options },
      { question: 'Which more?', header: 'More', multiSelect: true, options },
    ];
    const text = `call AskUserQuestion ${JSON.stringify({ questions })} && then call EnterPlanMode {} && then call ExitPlanMode {"plan":"1. Paint"} && then say: heard`;
    await session.prompt({ text, messageIds: [1] }, { mode: 'next' });
    const asked = await log.waitFor('approval.requested');
    const choices = ['Red', 'Blue'].map((label) => ({ value: label, label, description: `${label} it is` }));
    expect(asked).toMatchObject({
      title: 'Which colour? Which more?',
      form: [
        { id: 'q1', text: 'Which colour?', title: 'Colour', choices, allowsText: true },
        { id: 'q2', text: 'Which more?', title: 'More', choices, allowsText: true, allowsSeveral: true },
      ],
      options: [{ outcome: 'allow' }, { outcome: 'deny' }],
    });
    const { approvalId } = asked;
    await expect(session.resolveApproval?.(approvalId, { outcome: 'allow', by: 'owner' })).rejects.toMatchObject({
      code: 'validation_failed',
    });
    const answers = { q1: ['Turquoise'], q2: ['Red', 'Blue'] };
    expect(await session.resolveApproval?.(approvalId, { answers, by: 'owner' })).toBe(true);
    const plan = await log.waitFor('approval.requested', (event) => event.approvalId !== approvalId);
    expect(plan).toMatchObject({ kind: 'think', title: 'The plan is made: may it begin?' });
    await session.resolveApproval?.(plan.approvalId, { optionId: 'deny', message: 'Two coats.', by: 'owner' });
    expect(await log.waitForTurnEnd()).toMatchObject({ text: 'heard' });
    expect(['Turquoise', 'Red, Blue', 'Two coats.'].map((words) => harness.wasModelSent(words))).toEqual([true, true, true]);
  });

  test('run what a person puts in the place of the input, within the mode', async () => {
    const { session, log, isWritten, harness } = await guarded(command, 'agentic');
    const outside = join(harness.outside, 'out.txt');
    const text = 'run command: touch ran.txt && then edit file: in.txt | x && then say: done';
    await session.prompt({ text, messageIds: [1] }, { mode: 'next' });
    const first = await log.waitFor('approval.requested');
    await session.resolveApproval?.(first.approvalId, { outcome: 'allow', updatedInput: { command: 'touch edited.txt' }, by: 'owner' });
    const second = await log.waitFor('approval.requested', ({ approvalId }) => approvalId !== first.approvalId);
    const updatedInput = { file_path: outside, content: 'x' };
    await session.resolveApproval?.(second.approvalId, { outcome: 'allow', updatedInput, by: 'owner' });
    expect(await log.waitForTurnEnd()).toMatchObject({ text: 'done' });
    expect([isWritten('ran.txt'), isWritten('edited.txt'), isWritten('in.txt'), existsSync(outside)]).toEqual([false, true, false, false]);
    expect(log.ofType('tool.completed').map(({ outcome }) => outcome)).toEqual(['succeeded', 'declined']);
  });

  test('begin with an `fyi` of their own, which joins no turn of a person', async () => {
    const { session, log, isWritten } = await guarded(command, 'unrestricted');
    await session.prompt({ text: 'run command: sleep 1 && then say: mine is done', messageIds: [] }, { mode: 'next' });
    await log.waitFor('tool.started');
    await session.prompt({ text: 'run command: touch sneaked.txt && then say: tried', messageIds: [3] }, { mode: 'fyi' });
    const { approvalId, turnId } = await log.waitFor('approval.requested');
    expect([log.ofType('turn.completed').map(({ text }) => text), turnId]).toEqual([
      ['mine is done'],
      log.ofType('turn.started').at(1)?.turnId,
    ]);
    await session.resolveApproval?.(approvalId, { outcome: 'deny', by: 'owner' });
    await log.waitFor('text.completed', ({ text }) => text === 'tried');
    expect(isWritten('sneaked.txt')).toBe(false);
  });
});
