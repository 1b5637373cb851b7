import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import type { Agent, RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import type { ApprovalMode } from 'agent-relay-protocol';
import { startTestRelay } from 'agent-relay-server/testing';
import { agentCliPaths, callTool, type Model, type ModelRequest, say, startFakeAnthropic, tempHome } from 'agent-relay-testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agentRelayProgram } from '../support/programs.ts';
import { hasTerminals, openTerminal, type Terminal, withoutMotion } from '../support/terminal.ts';
import { timesShown } from '../support/times-shown.ts';
import { until } from '../support/until.ts';
import { pluginFolder } from './plugin-folder.ts';
import { sidecarPid } from './sidecar-pid.ts';

/** The newest message of the relay, in whatever part of a request the CLI puts it. */
const lastMessage = ({ conversation }: ModelRequest): string =>
  conversation.flatMap((entry) => ('text' in entry && /\[msg:\d+\] from/u.test(entry.text) ? [entry.text] : [])).at(-1) ?? '';

const model: Model = (request) => {
  const [result] = request.toolResultsSinceLastAssistant;
  if (result) return say(`Done: ${result.text.slice(0, 300)}`);
  const [, id = '', order = '', rest = ''] = /\[msg:(\d+)\] from \S+: (\w+) ?([^\n]*)/u.exec(lastMessage(request)) ?? [];
  const reply = (body: string) => callTool('relay_reply', { messageId: Number(id), body });
  if (order === 'start') return callTool('relay_send', { to: rest, body: 'ping 1' });
  if (order === 'ping') return reply(`pong ${rest}`);
  if (order === 'pong' && Number(rest) < 3) return reply(`ping ${Number(rest) + 1}`);
  if (order === 'slowly') return say('word '.repeat(25), { chunks: 25, delayMs: 100 });
  if (order === 'write') return callTool('Write', { file_path: rest, content: 'written for a message\n' });
  return say('Nothing to do.');
};

const home = await tempHome();
const anthropic = await startFakeAnthropic({ model });
const relay = await startTestRelay();
const folders = { one: await home.makeFolder('one'), two: await home.makeFolder('two') };
const { claude, claudeBetween } = agentCliPaths();
/** The newest that is installed. */
const newest = claudeBetween.find(([version]) => version === '2.1.332')?.[1] ?? claude;
let owner: RelayClient;
let sessions: { readonly one: Terminal; readonly two: Terminal };
let agents: { readonly one: Agent; readonly two: Agent };

async function start(cwd: string, program = newest): Promise<Terminal> {
  const bin = join(home.directory, 'bin');
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, 'agent-relay'), `#!/bin/sh\nexec "${process.execPath}" "${agentRelayProgram}" "$@"\n`);
  await chmod(join(bin, 'agent-relay'), 0o755);
  const path = [bin, process.env['PATH'] ?? ''].join(delimiter);
  const env = { ...home.env(), ...anthropic.env(), PATH: path, AGENT_RELAY_URL: relay.url, AGENT_RELAY_TOKEN: relay.ownerToken };
  return openTerminal([program, ...withoutMotion, '--plugin-dir', pluginFolder], { cwd, env });
}

/** The agent of the session in that folder, once it is there. */
const agentIn = (cwd: string) =>
  until(`the agent of ${cwd}`, async () =>
    (await owner.agents.list()).data.find((agent) => agent.meta['cwd'] === cwd && agent.status !== 'offline'),
  );

beforeAll(async () => {
  if (!hasTerminals) return;
  owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  // A hook of the user's own, which keeps a turn going once where this file is.
  const again = `if rm once-more 2>/dev/null; then echo '{"decision":"block","reason":"Go on once."}'; fi`;
  await mkdir(join(folders.two, '.claude'));
  await writeFile(
    join(folders.two, '.claude', 'settings.json'),
    JSON.stringify({ hooks: { Stop: [{ hooks: [{ type: 'command', command: again }] }] } }),
  );
  sessions = { one: await start(folders.one), two: await start(folders.two) };
  agents = { one: await agentIn(folders.one), two: await agentIn(folders.two) };
});

afterAll(async () => {
  await sessions?.one[Symbol.asyncDispose]();
  await sessions?.two[Symbol.asyncDispose]();
  await owner?.close();
  await relay.close();
  await anthropic.close();
  await home.remove();
});

const bodies = async () => (await owner.messages.list({ newest: true })).data.map(({ body }) => body);
const receiptOf = async (id: number) => (await owner.messages.deliveries({ id })).data[0]?.state;
/** What becomes of context and of the message that it comes in with. */
async function contextWithNote(id: string) {
  const context = await owner.messages.send({ to: `id:${id}`, body: 'by the way', mode: 'fyi' });
  await until('the context to be with the session', async () => (await receiptOf(context.id)) === 'dispatched');
  const note = await owner.messages.send({ to: `id:${id}`, body: 'note' });
  const states = () => Promise.all([context, note].map((each) => receiptOf(each.id)));
  await until('both receipts', async () => (await states()).every((state) => state !== 'dispatched' && state !== 'queued'));
  return states();
}
const inMode = (approval: ApprovalMode) => owner.agents.approval({ id: agents.two.id, approval });
const order = (body: string) => owner.messages.send({ to: `id:${agents.two.id}`, body });

test.skipIf(!hasTerminals)('two sessions at rest hold a conversation through the relay, and nobody touches them', async () => {
  await owner.messages.send({ to: `id:${agents.one.id}`, body: `start id:${agents.two.id}` });
  await until('the last answer', async () => (await bodies()).includes('pong 3'));
  const { data } = await owner.messages.list({ newest: true });
  const said = data.filter(({ body }) => /^p[io]ng/u.test(body)).map(({ body }) => body);
  expect(said).toEqual(['ping 1', 'pong 1', 'ping 2', 'pong 2', 'ping 3', 'pong 3']);
  const last = data.find(({ body }) => body === 'pong 3');
  await until('its receipt', async () =>
    (await owner.messages.deliveries({ id: last?.id ?? 0 })).data.some(({ state }) => state === 'seen'),
  );
  const told = anthropic.requests.map(({ body }) => JSON.stringify(body ?? null)).join('\n');
  expect(told).toContain(`Agent Relay active. Your agent ID: ${agents.one.id}`);
});

test.skipIf(!hasTerminals)('a command is answered at the prompt without asking the model', async () => {
  await until('both at rest', async () => (await owner.agents.list({ status: 'idle' })).data.length >= 2);
  const { length } = anthropic.requests;
  await sessions.one.say(`/agent-relay:message ${agents.two.id} fyi`);
  await sessions.one.shows('blocked by hook');
  await until('the message', async () => (await bodies()).includes('fyi'));
  const asked = anthropic.requests.slice(length).filter(({ body }) => JSON.stringify(body ?? null).includes('agent-relay:message'));
  expect(asked).toEqual([]);
});

test.skipIf(!hasTerminals)('read-only: what a message asks for is not written', async () => {
  await inMode('read-only');
  const sent = await order(`write ${join(folders.two, 'forbidden.txt')}`);
  await until('the turn', async () => (await owner.messages.deliveries({ id: sent.id })).data.some(({ state }) => state === 'seen'));
  await sessions.two.shows(/read-only here/u);
  expect(existsSync(join(folders.two, 'forbidden.txt'))).toBe(false);
});

test.skipIf(!hasTerminals)('guarded: the dialog is open at the terminal, a person answers elsewhere, and it closes', async () => {
  await inMode('guarded');
  await order(`write ${join(folders.two, 'allowed.txt')}`);
  const question = await until('the question', async () => (await owner.approvals.list({ status: 'pending' })).data[0]);
  expect(question).toMatchObject({ agentId: agents.two.id, kind: 'edit', title: `Write: ${join(folders.two, 'allowed.txt')}` });
  await sessions.two.shows('Do you want to create allowed.txt?');
  await owner.approvals.resolve({ id: agents.two.id, approvalId: question.approvalId, outcome: 'allow' });
  await until('the file', () => existsSync(join(folders.two, 'allowed.txt')));
  await until('no dialog', async () => !(await sessions.two.screen()).includes('Do you want to create'));
  expect(await readFile(join(folders.two, 'allowed.txt'), 'utf8')).toBe('written for a message\n');
});

test.skipIf(!hasTerminals)('guarded: answered at the terminal, the question is taken back', async () => {
  await inMode('guarded');
  await until('the turn to end', async () => (await owner.agents.get({ id: agents.two.id })).status === 'idle');
  await order(`write ${join(folders.two, 'here.txt')}`);
  const { approvalId } = await until('the question', async () => (await owner.approvals.list({ status: 'pending' })).data[0]);
  await sessions.two.shows('Do you want to create here.txt?');
  await sessions.two.press('Enter');
  await until('the file', () => existsSync(join(folders.two, 'here.txt')));
  await until('nobody is asked', async () => (await owner.approvals.list({ status: 'pending' })).data.length === 0);
  const [ended] = (await owner.approvals.list({ agent: agents.two.id, status: 'cancelled' })).data;
  expect(ended).toMatchObject({ approvalId, by: 'session' });
});

test.skipIf(!hasTerminals)('a Stop hook of the user that goes on: mail that waited comes in at the end of the turn', async () => {
  await inMode('open');
  await writeFile(join(folders.two, 'once-more'), '');
  const { length } = anthropic.requests;
  const slow = await order('slowly');
  await until('the turn', () => timesShown(anthropic.requests, [slow.id])[0] === 1);
  const waiting = await order('ping 7');
  await until('its answer', async () => (await bodies()).includes('pong 7'));
  await until('its receipt', async () => (await receiptOf(waiting.id)) === 'answered');
  const asked = anthropic.requests.slice(length).map(({ body }) => JSON.stringify(body ?? null));
  expect(asked.some((body) => body.includes('Go on once.'))).toBe(true);
  expect(timesShown(anthropic.requests, [slow.id, waiting.id])).toEqual([1, 1]);
});

test.skipIf(!hasTerminals)('what waits in the queue of Claude Code is not pushed again, whatever the session says of it', async () => {
  await inMode('open');
  const slow = await order('slowly');
  await until('the turn', () => timesShown(anthropic.requests, [slow.id])[0] === 1);
  const { transcript, replySocket } = await placesOf(slow.id);
  const waiting: number[] = [];
  // One by one: what came in one frame would be the same once more, and Claude Code drops that itself.
  for (const body of ['note 1', 'note 2']) {
    waiting.push((await order(body)).id);
    await until('it to be queued', async () => queuedIn(await readFile(transcript, 'utf8'), waiting));
  }
  // Of no frame in particular, and not true: as a session may say of an earlier copy.
  connect(replySocket).end(`${JSON.stringify({ type: 'control', action: 'peer_message_status', status: 'dropped' })}\n`);
  await until('the receipts', async () => (await Promise.all(waiting.map(receiptOf))).every((state) => state === 'seen'));
  await until('rest', async () => (await owner.agents.get({ id: agents.two.id })).status === 'idle');
  expect(timesShown(anthropic.requests, [slow.id, ...waiting])).toEqual([1, 1, 1]);
  expect(await sessions.two.screen()).not.toContain('came in a second time');
});

/** Where the session writes its conversation down, and where it answers the sender of that message. */
async function placesOf(id: number) {
  const asked = anthropic.requests.map(({ body }) => JSON.stringify(body ?? null)).find((body) => body.includes(`[msg:${id}] from `)) ?? '';
  const conversation = /session_id[^\w]+([\w-]{36})/u.exec(asked)?.[1] ?? '';
  const addresses = [...asked.slice(0, asked.lastIndexOf(`[msg:${id}] from `)).matchAll(/<cross-session-message from=\\?"uds:([^"\\]+)/gu)];
  const projects = join(home.home, '.claude', 'projects');
  const project = (await readdir(projects)).find((name) => existsSync(join(projects, name, `${conversation}.jsonl`))) ?? '';
  return { transcript: join(projects, project, `${conversation}.jsonl`), replySocket: addresses.at(-1)?.[1] ?? '' };
}

const queuedIn = (transcript: string, ids: readonly number[]): boolean =>
  ids.every((id) => transcript.split('\n').some((line) => line.includes('"queue-operation"') && line.includes(`[end msg:${id} `)));

/** `AGENT_RELAY_TEST_MESSAGES=2000` sends as many, and prints how long that took. */
const many = Number(process.env['AGENT_RELAY_TEST_MESSAGES'] ?? 500);

test.skipIf(!hasTerminals)(
  'what is sent in bursts reaches the model once, and each receipt says so',
  { timeout: 60_000 + many * 1_000 },
  async () => {
    const startedAt = performance.now();
    const ids: number[] = [];
    while (ids.length < many) {
      const burst = Math.min(many - ids.length, 35);
      const sent = await Promise.all(Array.from({ length: burst }, (_, at) => order(`note ${ids.length + at}`)));
      ids.push(...sent.map(({ id }) => id));
      await until('one of them to be read', async () => (await receiptOf(sent[0]?.id ?? 0)) === 'seen');
    }
    await until(
      'every receipt',
      async () => (await Promise.all(ids.map(receiptOf))).every((state) => state === 'seen'),
      60_000 + many * 500,
    );
    await until('rest', async () => (await owner.agents.get({ id: agents.two.id })).status === 'idle');
    if (process.env['AGENT_RELAY_TEST_MESSAGES'])
      console.log(`plugin: ${many} messages in ${Math.round(performance.now() - startedAt)} ms`);
    expect(timesShown(anthropic.requests, ids)).toEqual(ids.map(() => 1));
  },
);

test.skipIf(!hasTerminals)('context comes in with the next message, and its receipt says so', async () => {
  expect(await contextWithNote(agents.two.id)).toEqual(['seen', 'seen']);
});

test.skipIf(!hasTerminals)("a session's shells speak as its agent", async () => {
  await inMode('open');
  await sessions.two.press('!');
  await sessions.two.say('agent-relay /status');
  await sessions.two.shows(new RegExp(`${agents.two.id}: \\w+, label -, tags claude`, 'u'));
});

test.skipIf(!hasTerminals)(
  'a sidecar that is killed is told of at the next prompt, and `/mcp` brings it back with the mail that waited',
  async () => {
    const pid = await sessions.one.pid();
    process.kill(await until('the sidecar', () => sidecarPid(pid)), 'SIGKILL');
    const waiting = await owner.messages.send({ to: `id:${agents.one.id}`, body: 'note' });
    await sessions.one.say('hello there');
    await sessions.one.shows('has ended unexpectedly');
    await sessions.one.say('/mcp');
    await sessions.one.shows('Enter to view');
    await sessions.one.press('Enter');
    await sessions.one.shows('Reconnect');
    await sessions.one.press('Enter');
    await until('its receipt', async () => (await receiptOf(waiting.id)) === 'seen');
    await until('the model to be asked', () => timesShown(anthropic.requests, [waiting.id])[0] === 1);
  },
);

test.skipIf(!hasTerminals || claudeBetween.every(([version]) => version !== '2.1.197'))(
  'an older Claude Code, which has no inbox, is woken, and answers',
  async () => {
    const cwd = await home.makeFolder('older');
    await using older = await start(cwd, claudeBetween.find(([version]) => version === '2.1.197')?.[1]);
    const { id } = await agentIn(cwd);
    const sent = await owner.messages.send({ to: `id:${id}`, body: 'ping 9' });
    await until('its answer', async () => (await bodies()).includes('pong 9'));
    expect((await owner.messages.deliveries({ id: sent.id })).data).toMatchObject([{ state: 'answered' }]);
    await older.shows('Messages from the relay');
    expect(await contextWithNote(id)).toEqual(['seen', 'seen']);
  },
);
