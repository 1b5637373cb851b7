import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { agentIdentity, createNodeRelayClient } from 'agent-relay-client/node';
import { startTestRelay } from 'agent-relay-server/testing';
import { expect, onTestFinished, test } from 'vitest';
import { runCodexHook } from '../src/hook/run-hook.ts';
import { answerToolMessage } from '../src/mcp/tool-server.ts';
import { readSession, writeSession } from '../src/session/stored-session.ts';

const threadId = '01a228ce-37d4-7432-bcf9-7a57e0784c51';

/** A session of plain Codex, as its hooks are called, with a relay of its own. */
async function plainSession() {
  const home = mkdtempSync(join(tmpdir(), 'codex-plain-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const relay = await startTestRelay();
  const owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  const env = { HOME: home, PATH: '', AGENT_RELAY_URL: relay.url, AGENT_RELAY_TOKEN: relay.ownerToken };
  const told: string[] = [];
  const hook = (event: string, more: object = {}) =>
    runCodexHook(JSON.stringify({ session_id: threadId, cwd: home, hook_event_name: event, ...more }), {
      env,
      now: Date.now,
      tell: (sentence) => told.push(sentence),
    });
  return {
    ...{ home, relay, owner, env, told, hook },
    [Symbol.asyncDispose]: async () => {
      await owner.close();
      await relay.close();
    },
  };
}

test('a plain session gets mail at a stop only while its card says open, whatever it began with, and is told what holds', async () => {
  await using session = await plainSession();
  const { owner, told, hook } = session;
  const begin = async () => JSON.stringify(await hook('SessionStart', { source: 'startup' }));
  const stop = () => hook('Stop', { stop_hook_active: false });
  expect(await begin()).toContain('Approval mode: open');
  const id = (await owner.agents.list()).data.find(({ provider }) => provider === 'codex')?.id ?? '';
  for (const approval of ['read-only', 'guarded'] as const) {
    await owner.agents.approval({ id, approval });
    const sent = await owner.messages.send({ to: `id:${id}`, body: `while ${approval}` });
    expect(await stop()).toBeNull();
    expect((await owner.messages.deliveries({ id: sent.id })).data[0]?.state).not.toBe('delivered');
    expect(await begin()).toContain(`Approval mode: ${approval}`);
  }
  await owner.agents.approval({ id, approval: 'open' });
  expect(await stop()).toMatchObject({ decision: 'block', reason: expect.stringMatching(/while read-only[\s\S]*while guarded/u) });
  expect(told).toEqual([]);
});

test('a plain session is kept from what another agent has reserved, by a patch and by a command that says so', async () => {
  await using session = await plainSession();
  const { owner, home, told, hook } = session;
  const before = (tool_name: string, command: string) => hook('PreToolUse', { tool_use_id: 'use', tool_name, tool_input: { command } });
  const patchOf = (file: string) => `*** Begin Patch\n*** Update File: ${file}\n@@\n-rm src/a.ts\n+b\n*** End Patch`;
  await hook('SessionStart', { source: 'startup' });
  await owner.agents.register({ id: 'Holder', name: 'Holder' });
  await owner.reservations.create({ agentId: 'Holder', folder: home, patterns: ['src/'], enforced: true });
  const kept = {
    hookEventName: 'PreToolUse',
    permissionDecision: 'deny',
    permissionDecisionReason: expect.stringMatching(/^Holder has reserved these files until /u),
  };
  expect(await before('apply_patch', patchOf('src/a.ts'))).toEqual({ hookSpecificOutput: kept });
  expect(await before('Bash', 'rm src/a.ts')).toEqual({ hookSpecificOutput: kept });
  const padded = patchOf('lib/a.ts').replace('*** End', '*** Add File: lib/b.ts\n+b\n  *** Delete File: src/a.ts\n*** End');
  expect(await before('apply_patch', padded)).toEqual({ hookSpecificOutput: kept });
  expect([await before('apply_patch', patchOf('lib/a.ts')), await before('Bash', 'cat src/a.ts')]).toEqual([null, null]);
  expect(told).toEqual([]);
  const commands = join(home, '.local', 'state', 'agent-relay', 'codex-sessions', threadId, 'commands');
  rmSync(commands, { recursive: true });
  // As on a disk that takes nothing.
  writeFileSync(commands, '');
  expect(await before('Bash', 'rm src/a.ts')).toEqual({ hookSpecificOutput: kept });
  expect(told).toEqual([expect.stringContaining('cannot be noted')]);
});

test('a plain session is kept from what was reserved before its last prompt, and what it has met since, also while the relay is away', async () => {
  await using session = await plainSession();
  const { owner, relay, home, told, hook } = session;
  const before = (command: string) => hook('PreToolUse', { tool_use_id: 'use', tool_name: 'Bash', tool_input: { command } });
  const reserve = (pattern: string) => owner.reservations.create({ agentId: 'Holder', folder: home, patterns: [pattern], enforced: true });
  await owner.agents.register({ id: 'Holder', name: 'Holder' });
  await reserve('early/');
  await hook('SessionStart', { source: 'startup' });
  await reserve('prompted/');
  await hook('UserPromptSubmit', { prompt: 'x' });
  await reserve('met/');
  const kept = (end: string) => ({
    hookSpecificOutput: {
      hookEventName: 'PreToolUse',
      permissionDecision: 'deny',
      permissionDecisionReason: expect.stringMatching(
        new RegExp(`^Holder has reserved these files until \\S+: ask it, or work on others${end}$`, 'u'),
      ),
    },
  });
  expect(await before('rm met/a.ts')).toEqual(kept(''));
  await reserve('never-seen/');
  await relay.close();
  for (const folder of ['early', 'prompted', 'met'])
    expect(await before(`rm ${folder}/a.ts`)).toEqual(kept('\\. The relay cannot be asked now: this is what it said last'));
  expect([await before('rm never-seen/a.ts'), await before('rm lib/a.ts'), told]).toEqual([null, null, []]);
});

test('a session whose mail another process brings live is left to it by its hooks', async () => {
  await using plain = await plainSession();
  const { owner, relay, home, env, told, hook } = plain;
  const identity = agentIdentity({ cwd: home, env, sessionKey: threadId, provider: 'codex', defaults: { tags: ['codex'] } });
  const instanceId = randomUUID();
  const { token = '', epoch } = await owner.agents.register({ ...identity, instanceId, withToken: true });
  const session = { agentId: identity.id, url: relay.url, token, instanceId, epoch, livePid: process.pid };
  writeSession(env, threadId, session);
  expect(JSON.stringify(await hook('SessionStart', { source: 'startup' }))).toContain(`Your agent ID: ${identity.id}`);
  const sent = await owner.messages.send({ to: `id:${identity.id}`, body: 'for whoever is live' });
  for (const event of ['UserPromptSubmit', 'Stop', 'SessionEnd'])
    expect(await hook(event, { prompt: 'x', stop_hook_active: false })).toBeNull();
  expect(await owner.agents.get({ id: identity.id })).toMatchObject({ epoch, status: 'online' });
  expect((await owner.messages.deliveries({ id: sent.id })).data).toMatchObject([{ state: 'queued' }]);
  expect(readSession(env, threadId)).toEqual(session);
  // It ended without a word: the hooks are there again.
  writeSession(env, threadId, { ...session, livePid: 2 ** 22 + 1 });
  const stops = () => hook('Stop', { stop_hook_active: false });
  expect(await stops()).toMatchObject({ decision: 'block', reason: expect.stringContaining('for whoever is live') });
  // So it did where another program has its number now.
  writeSession(env, threadId, { ...session, liveStartedAt: 'long ago' });
  await owner.messages.send({ to: `id:${identity.id}`, body: 'for the hooks' });
  expect(await stops()).toMatchObject({ decision: 'block', reason: expect.stringContaining('for the hooks') });
  expect(told).toEqual([]);
});

test('a tool’s call that the relay refuses is answered as one, on one line', async () => {
  const home = mkdtempSync(join(tmpdir(), 'codex-plain-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  await using relay = await startTestRelay();
  const env = { HOME: home, PATH: '', AGENT_RELAY_URL: relay.url };
  const session = { agentId: 'a', url: relay.url, token: 'not-a-token', instanceId: randomUUID(), epoch: 1 };
  writeSession(env, threadId, session);
  const _meta = { 'x-codex-turn-metadata': { thread_id: threadId } };
  const call = (more: object) =>
    answerToolMessage(
      JSON.stringify({ id: 7, method: 'tools/call', params: { name: 'relay_agents', arguments: {}, _meta }, ...more }),
      env,
    );
  for (const answer of [await call({ jsonrpc: '2.0' }), await call({})]) {
    expect(answer).not.toContain('\n');
    const failure = { isError: true, content: [{ type: 'text', text: expect.stringMatching(/^The relay refused this: ./u) }] };
    expect(JSON.parse(answer ?? '')).toEqual({ jsonrpc: '2.0', id: 7, result: failure });
  }
});

/** Ends a session as Codex does, whose relay answers that once `answerNow` is called; `answers` fill up with how. */
async function endsSlowly({ relay, home, env, hook }: Awaited<ReturnType<typeof plainSession>>) {
  await hook('SessionStart', { source: 'startup' });
  const stored = readSession(env, threadId);
  if (stored === null) throw new Error('its hook has registered it');
  const answers: number[] = [];
  let answerNow = () => {};
  const mayAnswer = new Promise<void>((resolve) => {
    answerNow = resolve;
  });
  const passOn = async (request: IncomingMessage, response: ServerResponse) => {
    const [{ method = '', url = '', headers }, body] = [request, await buffer(request)];
    await mayAnswer;
    const kept = { authorization: headers.authorization ?? '', 'content-type': 'application/json' };
    const answer = await fetch(new URL(url, relay.url), { method, headers: kept, body });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(Buffer.from(await answer.arrayBuffer()));
    answers.push(answer.status);
  };
  const slow = createServer((request, response) => void passOn(request, response));
  onTestFinished(() => void slow.close());
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  const { port } = slow.address() as AddressInfo; // it listens on a port
  writeSession(env, threadId, { ...stored, url: `http://127.0.0.1:${port}` });
  const program = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
  const ending = spawn(process.execPath, ['--conditions=agent-relay-source', program, 'hook'], {
    env,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  ending.stdin.end(JSON.stringify({ session_id: threadId, cwd: home, hook_event_name: 'SessionEnd', reason: 'exit' }));
  expect(await once(ending, 'exit')).toEqual([0, null]);
  return { stored, answers, answerNow };
}

test('the end of a session is told though its relay answers later than Codex waits for the hook', async () => {
  await using session = await plainSession();
  const { stored, answerNow } = await endsSlowly(session);
  const status = async () => (await session.owner.agents.get({ id: stored.agentId })).status;
  expect([readSession(session.env, threadId), await status()]).toEqual([null, 'online']);
  answerNow();
  await expect.poll(status).toBe('offline');
});

test('a session that goes on with a conversation is not ended by the end of the one before, told late', async () => {
  await using session = await plainSession();
  const { owner, env, told, hook } = session;
  const { stored, answers, answerNow } = await endsSlowly(session);
  await hook('SessionStart', { source: 'resume' });
  const resumed = readSession(env, threadId);
  expect(resumed?.instanceId).not.toBe(stored.instanceId);
  answerNow();
  await expect.poll(() => answers).toEqual([expect.toSatisfy((status: number) => status >= 400)]);
  expect(await owner.agents.get({ id: stored.agentId })).toMatchObject({ status: 'online', instanceId: resumed?.instanceId });
  expect([readSession(env, threadId), told]).toEqual([resumed, []]);
});
