import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApprovalMode, SpawnMode } from 'agent-relay-protocol';
import type { McpEndpoint, OwnedProcess } from 'agent-relay-provider';
import { EventLog } from 'agent-relay-provider/testing';
import { agentCliPaths, fakeRelayMcp } from 'agent-relay-testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ClaudeProvider } from '../src/provider/claude-provider.ts';
import { claudeHarness } from './claude-harness.ts';
import { claudeVersions } from './claude-versions.ts';

const { claude } = agentCliPaths();
const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Wanted {
  mode?: SpawnMode;
  approval?: ApprovalMode;
  mcp?: readonly McpEndpoint[];
  env?: Record<string, string>;
}

async function start(command: string, { mode = 'agentic', approval = 'open', mcp = [], env = {} }: Wanted) {
  const harness = await claudeHarness(command);
  cleanUps.push(() => harness.close());
  vi.stubEnv('TMPDIR', harness.home.directory);
  const session = await harness.provider.start({
    agentId: 'a',
    sessionId: 's',
    cwd: harness.cwd,
    mode,
    approval,
    instructions: 'You are known as Walrus.',
    mcp,
    env: { ...harness.env, ...env },
    onProcess: () => undefined,
  });
  cleanUps.push(() => harness.provider.close());
  return { harness, session, log: new EventLog(session) };
}

describe.each(claudeVersions)('a session of Claude Code %s', (_, command) => {
  test('has the relay tools in safe mode, at once and with its token, and its instructions', async () => {
    const relay = await fakeRelayMcp();
    cleanUps.push(relay.close);
    const { harness, session, log } = await start(command, { mode: 'safe', mcp: [relay.endpoint] });
    await session.prompt({ text: 'call relay_send {"to":"Worker","body":"hi"} && then say: told', messageIds: [3] }, { mode: 'next' });
    expect(await log.waitForTurnEnd()).toMatchObject({ outcome: 'finished', text: 'told' });
    expect(relay.calls).toEqual([{ authorization: 'Bearer agent-token', input: { to: 'Worker', body: 'hi' } }]);
    expect(log.ofType('tool.started')).toEqual([expect.objectContaining({ kind: 'message', title: 'relay_send: Worker' })]);
    expect(log.ofType('tool.completed')).toEqual([expect.objectContaining({ outcome: 'succeeded', output: 'sent' })]);
    const [request] = harness.model.requests.flatMap(({ model }) => model ?? []);
    expect(request?.tools.map(({ name }) => name)).toEqual(['relay_inbox', 'relay_send']);
    expect(request?.system).toContain('known as Walrus');
    expect(readdirSync(harness.home.directory).filter((name) => name.startsWith('agent-relay-claude-'))).toEqual([]);
  });

  test('a turn that relay mail began is read-only when the session says so, one of its owner is not', async () => {
    const { harness, session, log } = await start(command, { mode: 'unrestricted', approval: 'read-only' });
    await session.prompt({ text: 'edit file: mail.txt | x && then say: tried', messageIds: [4] }, { mode: 'next' });
    await log.waitForTurnEnd();
    expect(existsSync(join(harness.cwd, 'mail.txt'))).toBe(false);
    expect(log.ofType('tool.completed')).toEqual([
      expect.objectContaining({ outcome: 'declined', output: expect.stringContaining('such turns are read-only here') }),
    ]);
    const after = log.events.length;
    await session.prompt({ text: 'edit file: task.txt | y && then say: done', messageIds: [] }, { mode: 'next' });
    await log.waitForTurnEnd(after);
    expect(readFileSync(join(harness.cwd, 'task.txt'), 'utf8')).toBe('y\n');
  });

  test('mail that joins the running turn of its owner restricts the rest of it', async () => {
    const { harness, session, log } = await start(command, { mode: 'unrestricted', approval: 'read-only' });
    await session.prompt({ text: 'run command: sleep 1 && then say: not reached', messageIds: [] }, { mode: 'next' });
    await log.waitFor('tool.started');
    await session.prompt({ text: 'edit file: mail.txt | x && then say: tried', messageIds: [4] }, { mode: 'now' });
    await log.waitFor('text.completed', ({ text }) => text === 'tried');
    expect(existsSync(join(harness.cwd, 'mail.txt'))).toBe(false);
    expect(log.ofType('tool.completed').map(({ outcome }) => outcome)).toEqual(['succeeded', 'declined']);
  });

  test('a refused tool says why, and reading goes on', async () => {
    const { session, log } = await start(command, { mode: 'agentic' });
    await session.prompt(
      { text: 'run command: touch made.txt && then run command: ls && then say: looked', messageIds: [] },
      { mode: 'next' },
    );
    await log.waitForTurnEnd();
    expect(log.ofType('tool.completed')).toEqual([
      expect.objectContaining({ outcome: 'declined', output: expect.stringContaining('only commands that read') }),
      expect.objectContaining({ outcome: 'succeeded' }),
    ]);
  });

  test('a model that fails makes a failed turn with a code, and the session goes on', async () => {
    const { session, log } = await start(command, {});
    await session.prompt({ text: 'error 429', messageIds: [5] }, { mode: 'next' });
    expect(await log.waitForTurnEnd()).toMatchObject({ type: 'turn.failed', error: { code: 'rate_limited', retryable: true } });
    expect(log.ofType('agent.error')).toEqual([expect.objectContaining({ willRetry: true })]);
    expect(log.ofType('input.accepted').map(({ state }) => state)).toEqual(['delivered']);
    const after = log.events.length;
    await session.prompt({ text: 'say: better now', messageIds: [] }, { mode: 'next' });
    expect(await log.waitForTurnEnd(after)).toMatchObject({ outcome: 'finished', text: 'better now' });
  });
});

test.runIf(process.platform !== 'win32')('a program that does not run is unavailable, in its own words', async () => {
  const harness = await claudeHarness(claude);
  cleanUps.push(() => harness.close());
  // What npm leaves behind when it was told to run no install scripts.
  const stub = join(harness.outside, 'claude');
  writeFileSync(stub, '#!/bin/sh\necho "Error: claude native binary not installed." >&2\nexit 1\n', { mode: 0o755 });
  const provider = new ClaudeProvider({ command: stub });
  expect(await provider.detect(harness.env)).toEqual({
    available: false,
    reason: expect.stringContaining('Error: claude native binary not installed.'),
  });
  const processes: OwnedProcess[] = [];
  const starting = provider.start({
    agentId: 'a',
    sessionId: 's',
    cwd: harness.cwd,
    mode: 'agentic',
    approval: 'open',
    instructions: '',
    mcp: [],
    env: harness.env,
    onProcess: (owned) => processes.push(owned),
  });
  await expect(starting).rejects.toMatchObject({
    code: 'provider_unavailable',
    message: 'Claude Code did not start: it exited with code 1: Error: claude native binary not installed.',
  });
  await provider.close();
  expect(processes).toHaveLength(1);
});
