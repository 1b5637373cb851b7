import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgentHandle, Message, RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { startTestRelay, type TestRelay } from 'agent-relay-server/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../support/until.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const guide = readFileSync(path('../../docs/write-a-channel.md'), 'utf8');
/** Every snippet of the guide, in order; each is run by one of the tests below. */
const snippets = [...guide.matchAll(/```(\w+)\n([\s\S]*?)```/gu)].map(([, language, text = '']) => ({ language, text }));
const [program, startIt, bindAndWrite, withoutClient, ...others] = snippets;

let folder: string;
let server: TestRelay;
let relay: RelayClient;
let worker: AgentHandle;
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-relay-guide-'));
  await symlink(path('../node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'desk.mjs'), program?.text ?? '');
  await writeFile(join(folder, 'agent-relay'), `#!/bin/sh\nexec node "${path('../../packages/server/src/cli.ts')}" "$@"\n`);
  await chmod(join(folder, 'agent-relay'), 0o755);
  server = await startTestRelay();
  relay = createNodeRelayClient({ url: server.url, token: server.ownerToken, transport: 'socket' });
  worker = await relay.register({ name: 'Worker' });
});

afterEach(async () => {
  for (const child of children.splice(0)) if (child.pid && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  await worker.close();
  await relay.close();
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

/** Runs shell lines in the folder, as somebody who has the two commands on the PATH; answers what they print. */
function shell(text: string, more: Record<string, string> = {}): Promise<{ readonly code: number | null; readonly out: string }> {
  const env = {
    PATH: [folder, dirname(process.execPath), process.env['PATH']].join(delimiter),
    HOME: folder,
    NODE_OPTIONS: '--conditions=agent-relay-source --disable-warning=ExperimentalWarning',
    AGENT_RELAY_URL: server.url,
    AGENT_RELAY_TOKEN: server.ownerToken,
    ...more,
  };
  const child = spawn('bash', ['-ec', text], { cwd: folder, env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out })));
}

async function next(agent: AgentHandle): Promise<Message> {
  for await (const message of agent.inbox()) return message;
  throw new Error('There was no mail');
}

test('the guide has these snippets and no others', () => {
  expect([program, startIt, bindAndWrite, withoutClient].map((snippet) => snippet?.language)).toEqual(['js', 'sh', 'sh', 'sh']);
  expect(others).toEqual([]);
  const lines = (program?.text ?? '').split('\n').filter((line) => line.trim() !== '');
  expect(lines.length).toBeLessThanOrEqual(42);
});

test('the channel of the guide carries a conversation both ways, and what it cannot carry is told', async () => {
  void shell(`${startIt?.text}\nwait`);
  await until('the channel', async () => (await relay.channels.list()).data.length === 1);
  expect(await shell(bindAndWrite?.text ?? '')).toMatchObject({ code: 0 });
  const question = await next(worker);
  expect(question).toMatchObject({ from: 'desk', body: 'Where is it?\n', sender: { relation: 'channel', principal: 'token:desk' } });
  const answer = await worker.reply(question, 'On its way.');
  const file = join(folder, 'desk', 'out', `order-17.agent-${answer.id}.txt`);
  // The file is there a moment before its text.
  const written = await until('the answer', () => (existsSync(file) ? readFileSync(file, 'utf8') || null : null));
  expect(written).toBe('On its way.');
  await writeFile(join(folder, 'thanks'), 'Thanks');
  await rename(join(folder, 'thanks'), join(folder, 'desk', 'in', `order-17.q2.agent-${answer.id}.txt`));
  expect(await next(worker)).toMatchObject({ body: 'Thanks', replyTo: answer.id, threadId: question.threadId });
  await until('the files are gone', () => readdirSync(join(folder, 'desk', 'in')).length === 0);
  const outside = await worker.send({ to: 'desk', body: 'x', meta: { channel: { conversationId: '../../etc' } } });
  await until('its failure', async () => (await relay.messages.deliveries({ id: outside.id })).data[0]?.state === 'failed');
  await writeFile(join(folder, 'no body'), '');
  await rename(join(folder, 'no body'), join(folder, 'desk', 'in', 'order-17.q3.txt'));
  await until('the refusal', () => existsSync(join(folder, 'desk', 'out', 'order-17.q3.txt.refused')));
});

test('the calls of the guide do the same in order', async () => {
  const calls = withoutClient?.text ?? '';
  const [before = '', after = ''] = calls.split('call GET "/channels');
  const begun = await shell(before.replace('waitMs=20000', 'waitMs=0'));
  expect(begun).toMatchObject({ code: 0, out: expect.stringContaining('"created":true') });
  const question = await next(worker);
  const answer = await worker.reply(question, 'Now.');
  const [definition = ''] = calls.split('\n\n');
  const ended = await shell(`${definition}\ncall GET "/channels${after}`, { ANSWER: String(answer.id) });
  expect(ended).toMatchObject({ code: 0, out: expect.stringContaining('{"conversationId":"order-17","replyToExternalId":"q3"}') });
  expect((await relay.messages.deliveries({ id: answer.id })).data).toMatchObject([{ state: 'delivered', evidence: 'accepted' }]);
});
