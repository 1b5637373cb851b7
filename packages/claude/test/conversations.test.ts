import type { AgentEvent } from 'agent-relay-protocol';
import type { AgentSession, StartOptions } from 'agent-relay-provider';
import { EventLog } from 'agent-relay-provider/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { type ClaudeHarness, claudeHarness } from './claude-harness.ts';
import { claudeVersions } from './claude-versions.ts';

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function world(command: string) {
  const harness = await claudeHarness(command);
  cleanUps.push(async () => {
    await harness.provider.close();
    await harness.close();
  });
  return harness;
}

let starts = 0;

async function start({ provider, cwd, env }: ClaudeHarness, agentId: string, more: Partial<StartOptions> = {}) {
  starts += 1;
  const pids: number[] = [];
  const session = await provider.start({
    ...{ agentId, sessionId: `s${starts}`, cwd, mode: 'agentic', approval: 'open', instructions: '', mcp: [], env },
    onProcess: ({ pid }) => pids.push(pid),
    ...more,
  });
  return { session, log: new EventLog(session), pid: pids[0] ?? 0 };
}

const ask = (session: AgentSession, text: string) => session.prompt({ text, messageIds: [] }, { mode: 'next' });
const ends = (events: readonly AgentEvent[]) => events.filter(({ type }) => type === 'turn.completed' || type === 'turn.failed');
const bodies = ({ model }: ClaudeHarness, from: number) => JSON.stringify(model.requests.slice(from).map(({ body }) => body));

describe.each(claudeVersions)('a stored conversation of Claude Code %s', (version, command) => {
  test('has one writer: a second is refused by name, and may continue a copy', async () => {
    const harness = await world(command);
    const one = await start(harness, 'Ada');
    await ask(one.session, 'say: the walrus');
    await one.log.waitForTurnEnd();
    const resume = one.session.vendorSessionId ?? '';
    await expect(start(harness, 'Bob', { resume })).rejects.toMatchObject({
      code: 'busy',
      message: expect.stringContaining('Ada goes on with'),
    });
    const asked = harness.model.requests.length;
    const copy = await start(harness, 'Bob', { resume, fork: true });
    await ask(copy.session, 'say: from the copy');
    await copy.log.waitForTurnEnd();
    expect(copy.session.vendorSessionId).not.toBe(resume);
    expect(bodies(harness, asked)).toContain('the walrus');
    await one.session.close();
    const again = harness.model.requests.length;
    const [later, second] = await Promise.allSettled([start(harness, 'Cid', { resume }), start(harness, 'Dan', { resume })]);
    expect([later.status, second]).toMatchObject(['fulfilled', { reason: { message: expect.stringContaining('Cid goes on with') } }]);
    if (later.status !== 'fulfilled') return;
    await ask(later.value.session, 'say: and on');
    await later.value.log.waitForTurnEnd();
    expect([bodies(harness, again).includes('the walrus'), bodies(harness, again).includes('from the copy')]).toEqual([true, false]);
  });

  test('from another folder is gone on with by newer versions, and 2.1.120 says that it does not', async () => {
    const harness = await world(command);
    const one = await start(harness, 'Ada');
    await ask(one.session, 'say: the walrus');
    await one.log.waitForTurnEnd();
    const resume = one.session.vendorSessionId ?? '';
    await one.session.close();
    const moved = start(harness, 'Ada', { resume, cwd: await harness.home.makeFolder('elsewhere') });
    if (version === '2.1.120') {
      await expect(moved).rejects.toMatchObject({
        code: 'not_found',
        message: expect.stringMatching(/2\.1\.120 find one only from the folder/u),
      });
      return;
    }
    const asked = harness.model.requests.length;
    const { session, log } = await moved;
    await ask(session, 'say: here now');
    await log.waitForTurnEnd();
    expect(bodies(harness, asked)).toContain('the walrus');
  });

  test('whose process was killed in a turn tells its end, and does not run that turn again by itself', async () => {
    const harness = await world(command);
    const one = await start(harness, 'Ada');
    await ask(one.session, 'slow 200 100');
    await one.log.waitFor('text.delta');
    const resume = one.session.vendorSessionId ?? '';
    process.kill(one.pid, 'SIGKILL');
    await one.log.waitFor('session.ended');
    expect(ends(one.log.events)).toMatchObject([{ type: 'turn.failed', error: { code: 'agent_crashed' } }]);
    const asked = harness.model.requests.length;
    const { session, log } = await start(harness, 'Ada', { resume });
    await ask(session, 'say: something else');
    await log.waitForTurnEnd();
    expect(ends(log.events)).toMatchObject([{ type: 'turn.completed', text: 'something else' }]);
    expect(harness.model.requests.slice(asked).filter(({ path }) => path === '/v1/messages')).toHaveLength(1);
  });
});
