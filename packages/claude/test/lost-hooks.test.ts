import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentSession, PromptInput } from 'agent-relay-provider';
import { EventLog } from 'agent-relay-provider/testing';
import { agentCliPaths, fakeRelayMcp, holdUntil, type Model, wordScript } from 'agent-relay-testing';
import { afterEach, describe, expect, test } from 'vitest';
import { mcpServers } from '../src/provider/command-line.ts';
import { createClaudeDialIn } from '../src/provider/dial-in.ts';
import type { ToolGateOptions } from '../src/provider/tool-gate.ts';
import { type Dials, serveAndDial } from './serve-and-dial.ts';

const { claude, claudeDialling } = agentCliPaths();
const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** What is asked of a hook before a tool, as if no link had been there: it reaches nobody, and is not repeated. */
const isHookBefore = (frame: unknown, tool = ''): boolean => {
  const text = JSON.stringify(frame);
  return text.includes('"hook_callback"') && text.includes('"PreToolUse"') && text.includes(`"tool_name":"${tool}`);
};

const rules = {
  permissions: { allow: ['Bash(git init:*)', 'Write', 'Edit', 'mcp__other__relay_inbox'] },
  enableAllProjectMcpServers: true,
};
/** The user's own rules would let all of it through. */
const userAllows = { '.claude/settings.json': rules };

async function dialled(gate: Partial<ToolGateOptions>, dials: Dials = {}) {
  const opened: { session: AgentSession; log: EventLog }[] = [];
  const handler = createClaudeDialIn({
    identify: ({ path }) => path,
    gate: () => ({ mode: 'agentic', approval: 'open', cwd: '/', relayServers: ['agent-relay'], ...gate }),
    onSession: (_id, session) => opened.push({ session, log: new EventLog(session) }),
  });
  const { cwd, outside, away } = await serveAndDial(handler, cleanUps, dials);
  await expect.poll(() => opened.length).toBe(1);
  const [entry] = opened;
  if (!entry) throw new Error('a session was announced');
  const connection = handler.sessions.get('/claude/s1')?.connection;
  const isWritten = (name: string) => existsSync(join(cwd, name));
  return { ...entry, cwd, outside, away, connection, isWritten };
}

const mail = (text: string): PromptInput => ({ text, messageIds: [1] });
const own = (text: string): PromptInput => ({ text, messageIds: [] });

describe.runIf(claudeDialling)('a hook that nobody hears', () => {
  test.each([
    ['2.1.120 waits for a limit, and asks for a permission', undefined, 'declined', 'only commands that read'],
    ['the newest by dial gives the tool up, and its model and the log read that it was not run', claude, 'failed', 'reconnected before'],
  ])('keeps no turn: %s', async (_, newest, outcome, why) => {
    let goOn = () => {};
    const isAway = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const words = wordScript();
    const model: Model = async (request) =>
      [await words(request)].flat().flatMap((step) => (step.kind === 'runCommand' ? [holdUntil(isAway), step] : [step]));
    // A hook of the user's own is run beside ours: it tells when the CLI asks.
    const telling = { matcher: 'Bash', hooks: [{ type: 'command', command: 'touch asked' }] };
    const files = { '.claude/settings.json': { hooks: { PreToolUse: [telling] } } };
    const { session, log, away, isWritten } = await dialled({ relayServers: [] }, { model, newest, files });
    await session.prompt(mail('run command: touch a.txt && then say: tried'), { mode: 'next' });
    await log.waitFor('turn.started');
    await away(async () => {
      goOn();
      await expect.poll(() => isWritten('asked')).toBe(true);
    });
    expect(await log.waitForTurnEnd()).toMatchObject({ outcome: 'finished', text: 'tried' });
    expect(log.ofType('tool.completed')).toEqual([expect.objectContaining({ outcome, output: expect.stringContaining(why) })]);
  });

  test('lets a person decide on mail all the same, whatever the user allows', async () => {
    const { session, log, isWritten } = await dialled({ approval: 'guarded' }, { files: userAllows, isLost: isHookBefore });
    await session.prompt(mail('run command: git init -q ran && then say: tried'), { mode: 'next' });
    const { approvalId, title } = await log.waitFor('approval.requested');
    expect([title, isWritten('ran')]).toEqual(['Bash: git init -q ran', false]);
    await session.resolveApproval?.(approvalId, { outcome: 'allow', by: 'owner' });
    expect(await log.waitForTurnEnd()).toMatchObject({ outcome: 'finished', text: 'tried' });
    expect(isWritten('ran')).toBe(true);
  });

  test('lets nothing past the mode, nor mail do what it may not: whatever the user allows', async () => {
    const tried = async (gate: Partial<ToolGateOptions>, prompt: (names: { readonly outside: string }) => PromptInput, newest?: string) => {
      const { session, log, isWritten, outside } = await dialled(gate, { newest, files: userAllows, isLost: isHookBefore });
      await session.prompt(prompt({ outside: join(outside, 'out.txt') }), { mode: 'next' });
      await log.waitForTurnEnd();
      const isOutside = existsSync(join(outside, 'out.txt'));
      const { length: asked } = log.ofType('approval.requested');
      return [log.ofType('tool.completed').map(({ outcome }) => outcome), isWritten('ran') || isOutside, asked];
    };
    const init = () => mail('run command: git init -q ran && then say: tried');
    const editsOutside = ({ outside }: { readonly outside: string }) => own(`edit file: ${outside} | x && then say: tried`);
    const [readOnly, safe, outside, ownTurn, newest] = await Promise.all([
      tried({ approval: 'read-only' }, init),
      tried({ mode: 'safe' }, init),
      tried({}, editsOutside),
      tried({ approval: 'guarded' }, () => own('run command: git init -q ran && then say: tried')),
      tried({ approval: 'guarded' }, init, claude),
    ]);
    expect({ readOnly, safe, outside, ownTurn, newest }).toEqual({
      readOnly: [['declined'], false, 0],
      safe: [['declined'], false, 0],
      outside: [['declined'], false, 0],
      ownTurn: [['succeeded'], true, 0],
      newest: [['failed'], false, 0],
    });
  });

  test('keeps what others have reserved, and a sub-agent in the background has what its mode allows', async () => {
    const reserved = async (gate: Partial<ToolGateOptions>, ask: (cwd: string) => string) => {
      const reservedAgainst = async () => 'Ann has reserved these files';
      const { session, log, cwd, isWritten } = await dialled({ ...gate, reservedAgainst }, { files: userAllows, isLost: isHookBefore });
      await session.prompt(own(`${ask(cwd)} && then say: tried`), { mode: 'next' });
      await log.waitForTurnEnd();
      return [log.ofType('tool.completed').map(({ outcome, output }) => [outcome, output]), isWritten('ran')];
    };
    const bySubAgent = async (reservedAgainst?: ToolGateOptions['reservedAgainst']) => {
      const { session, log, cwd, isWritten } = await dialled({ reservedAgainst }, { files: userAllows });
      const input = { description: 'writes', subagent_type: 'general-purpose', run_in_background: true };
      const prompt = `edit file: ${join(cwd, 'ran')} | x && then say: edited`;
      await session.prompt(own(`call Agent ${JSON.stringify({ ...input, prompt })} && then say: sent`), { mode: 'next' });
      await log.waitFor('vendor.event', ({ name }) => name === 'system/task_notification');
      return isWritten('ran');
    };
    const declined = [[['declined', expect.stringContaining('Ann has reserved these files')]], false];
    const init = () => 'run command: git init -q ran';
    expect(
      await Promise.all([
        reserved({}, (cwd) => `edit file: ${join(cwd, 'ran')} | x`),
        reserved({ mode: 'unrestricted' }, init),
        bySubAgent(),
        bySubAgent(async ({ kind }) => (kind === 'edit' ? 'Ann has reserved these files' : null)),
      ]),
    ).toEqual([declined, declined, true, false]);
  });

  test("asks about a user's own server in a turn of mail, and about what follows mail that a tool has handed out", async () => {
    const other = await fakeRelayMcp();
    const relay = await fakeRelayMcp({
      answer: 'Sent [msg:7] to Bob, which reached 1 agent.\n[msg:8] from Bob: make one\n[end msg:8 peer n0nce]',
    });
    cleanUps.push(other.close, relay.close);
    const server = { type: 'http', url: other.endpoint.url };
    const byServer = async () => {
      const { session, log } = await dialled(
        { approval: 'guarded' },
        { files: { ...userAllows, '.mcp.json': { mcpServers: { other: server } } }, isLost: isHookBefore },
      );
      await session.prompt(mail('call mcp__other__relay_inbox {} && then say: tried'), { mode: 'next' });
      const { approvalId, title } = await log.waitFor('approval.requested');
      const { length: calls } = other.calls;
      await session.resolveApproval?.(approvalId, { outcome: 'deny', by: 'owner' });
      await log.waitForTurnEnd();
      return [title, calls, other.calls.length];
    };
    const handedOut = async () => {
      const { session, log, connection, isWritten } = await dialled(
        { approval: 'guarded' },
        { files: userAllows, isLost: (frame) => isHookBefore(frame, 'Bash') },
      );
      await connection?.setMcpServers(mcpServers([relay.endpoint]));
      const ask = 'call relay_send {"to":"Bob","body":"x","waitForAnswerMs":100} && then run command: git init -q ran && then say: tried';
      await session.prompt(own(ask), { mode: 'next' });
      const { approvalId, title } = await log.waitFor('approval.requested');
      await session.resolveApproval?.(approvalId, { outcome: 'deny', by: 'owner' });
      await log.waitForTurnEnd();
      return [title, relay.calls.length, isWritten('ran')];
    };
    expect(await Promise.all([byServer(), handedOut()])).toEqual([
      ['relay_inbox', 0, 0],
      ['Bash: git init -q ran', 1, false],
    ]);
  });
});
