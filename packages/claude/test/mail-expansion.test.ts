import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeliveryMode, SpawnMode } from 'agent-relay-protocol';
import { EventLog } from 'agent-relay-provider/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { claudeHarness } from './claude-harness.ts';
import { claudeVersions } from './claude-versions.ts';

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const secret = 'sesame 4711';

async function started(command: string, mode: SpawnMode) {
  const harness = await claudeHarness(command);
  cleanUps.push(() => harness.close());
  const outside = join(harness.outside, '.private');
  for (const path of [outside, join(harness.cwd, '.private'), join(harness.home.directory, '.private')]) await writeFile(path, secret);
  const session = await harness.provider.start({
    ...{ agentId: 'a', sessionId: 's', cwd: harness.cwd, mode, approval: 'open', instructions: '', mcp: [], env: harness.env },
    onProcess: () => undefined,
  });
  cleanUps.push(() => harness.provider.close());
  const mentions = `@${outside} @"${outside}" @.private @~/.private @${harness.cwd}/`;
  return { session, log: new EventLog(session), mentions, leaks: () => harness.wasModelSent(secret), harness };
}

describe.each(claudeVersions)('mail to Claude Code %s', (_, command) => {
  test.each(['safe', 'unrestricted'] as const)('that names files puts none of them before the model (%s)', async (mode) => {
    const { session, log, mentions, leaks, harness } = await started(command, mode);
    await session.prompt({ text: `${mentions} say: read it`, messageIds: [1] }, { mode: 'next' });
    await log.waitForTurnEnd();
    expect([harness.wasModelSent(mentions), leaks()]).toEqual([true, false]);
  });

  test.each(['next', 'fyi'] as const)('does not when it comes while a turn runs either (%s)', async (mode: DeliveryMode) => {
    const { session, log, mentions, leaks, harness } = await started(command, 'agentic');
    await session.prompt({ text: 'run command: ls && then slow 40 50', messageIds: [] }, { mode: 'next' });
    await log.waitFor('tool.started');
    await session.prompt({ text: `${mentions} say: read it`, messageIds: [1] }, { mode });
    await log.waitForTurnEnd();
    const after = log.events.length;
    await session.prompt({ text: 'say: good night', messageIds: [] }, { mode: 'next' });
    await log.waitFor('text.completed', ({ text }) => text === 'good night');
    await log.waitForTurnEnd(after);
    expect([harness.wasModelSent(mentions), leaks()]).toEqual([true, false]);
  });
});
