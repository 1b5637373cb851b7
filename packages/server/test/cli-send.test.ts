import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRelayClient, type RelayClient } from 'agent-relay-client';
import { type AgentEvent, PROTOCOL_VERSION } from 'agent-relay-protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runCli } from '../src/cli/run-cli.ts';
import { sendOnce } from '../src/cli/wait-for-receipts.ts';
import { startTestRelay, type TestRelay } from '../src/testing.ts';
import { as, FarNode, owner } from './session-world.ts';
import { poll } from './support/poll.ts';

let folder: string;
let relay: TestRelay;
let client: RelayClient;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'agent-relay-send-'));
  relay = await startTestRelay({ databasePath: join(folder, 'relay.db') });
  client = createRelayClient({ url: relay.url, token: relay.ownerToken });
});
afterEach(async () => {
  await client.close();
  await relay.close();
  rmSync(folder, { recursive: true, force: true });
});

/** `agent-relay send`, with what it has printed so far. */
function send(...args: string[]) {
  const out: string[] = [];
  const notes: string[] = [];
  const terminal = {
    env: { HOME: '/nonexistent' },
    cwd: '/',
    signal: new AbortController().signal,
    out: (line: string) => void out.push(line),
    note: (line: string) => void notes.push(line),
    ask: null,
  };
  const code = runCli(['send', '--url', relay.url, '--token', relay.ownerToken, ...args], terminal);
  return { out, notes, code };
}

const numberIn = (line: string | undefined): number => Number(/^\[msg:(\d+)\]/u.exec(line ?? '')?.[1]);
const sentIn = async ({ out }: { readonly out: readonly string[] }): Promise<number> => {
  await poll('the number', () => out.length > 0);
  return numberIn(out[0]);
};

describe('send --wait', () => {
  test('says the number at once, and shows the answer when it comes', async () => {
    await client.agents.register({ id: 'Worker', name: 'Worker' });
    const sending = send('Worker', 'Is it green?', '--wait', 'answered', '--timeout', '30');
    const id = await sentIn(sending);
    expect(sending.out).toEqual([`[msg:${id}] to id:Worker: reached 1 agent`]);
    const answer = await client.messages.send({ from: 'Worker', replyTo: id, body: 'yes,\nall of it' });
    expect(await sending.code).toBe(0);
    expect(sending.out.slice(1)).toEqual([
      'Worker: answered (reply)',
      expect.stringMatching(new RegExp(`^\\[msg:${answer.id}\\] \\d\\d:\\d\\d:\\d\\d from Worker: yes,\\n`, 'u')),
    ]);
  });

  test('goes on waiting while the relay is away, and the message is there once', async () => {
    await client.agents.register({ id: 'Worker', name: 'Worker' });
    const sending = send('Worker', 'Is it green?', '--wait', 'answered', '--timeout', '60');
    const id = await sentIn(sending);
    const { port } = new URL(relay.url);
    await relay.close();
    await poll('the word that it is away', () => sending.notes.length > 0);
    relay = await startTestRelay({ databasePath: join(folder, 'relay.db'), settings: { PORT: port } });
    await client.messages.send({ from: 'Worker', replyTo: id, body: 'yes' });
    expect(await sending.code).toBe(0);
    expect(sending.out.at(-1)).toMatch(/from Worker: yes$/u);
    expect(sending.notes[0]).toBe(`the relay is away; message ${id} is stored, and the wait goes on`);
    const { data } = await client.messages.list({ from: 'owner' });
    expect(data.map((message) => message.id)).toEqual([id]);
  });

  test('for an answer ends when the turn with the message ended without one', async () => {
    const { nodeHandlers } = relay.relay;
    const link = new FarNode();
    const providers = [{ id: 'claude', available: true, version: '1', reason: null }];
    const attach = { name: 'laptop', version: '1', protocol: PROTOCOL_VERSION, providers, sessions: [] };
    await nodeHandlers['nodes/attach'](attach, { ...as(owner), link });
    const { sessionId } = await client.sessions.start({ name: 'Worker', provider: 'claude' });
    const sending = send('Worker', 'Is it green?', '--wait', 'answered', '--timeout', '60');
    const id = await sentIn(sending);
    const events: AgentEvent[] = [
      { type: 'turn.started', turnId: 'before' },
      { type: 'turn.completed', turnId: 'before', outcome: 'finished', text: 'another thing' },
      { type: 'turn.started', turnId: 'with' },
      { type: 'user.message', turnId: 'with', text: '…', messageIds: [id] },
      { type: 'turn.completed', turnId: 'with', outcome: 'finished', text: 'Yes it is.' },
    ];
    const entries = events.map((event, index) => ({ seq: index + 1, at: 1, event }));
    await nodeHandlers['activity/append']({ sessionId, entries }, { ...as(owner), link });
    expect(await sending.code).toBe(1);
    expect(sending.notes).toEqual(['error: Worker ended its turn without an answer. Its last words: Yes it is.']);
  });
});

test('a message whose answer was lost on the way is said again, and stored once', async () => {
  let lost = 0;
  const losing: typeof globalThis.fetch = async (...request) => {
    const response = await fetch(...request);
    lost += 1;
    if (lost > 2) return response;
    throw new TypeError('fetch failed', { cause: Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }) });
  };
  const unlucky = createRelayClient({ url: relay.url, token: relay.ownerToken, fetch: losing });
  const sent = await sendOnce(unlucky, { to: 'owner', body: 'once', idempotencyKey: 'k' }, new AbortController().signal);
  expect([sent.duplicate, lost]).toEqual([true, 3]);
  expect((await client.messages.list({})).data.map(({ id }) => id)).toEqual([sent.id]);
  await unlucky.close();
});

test.each(['', ' \n\t'])('%j says nothing, and is not sent', async (body) => {
  await client.agents.register({ id: 'Worker', name: 'Worker' });
  const { code, notes } = send('Worker', body);
  expect([await code, notes]).toEqual([2, ['error: say something: send <to> <text>']]);
});

test('where no relay answers, a send fails at once', async () => {
  const { port } = new URL(relay.url);
  await relay.close();
  const sending = send('owner', 'x', '--wait', 'answered');
  expect([await sending.code, sending.out, sending.notes.join()]).toEqual([
    3,
    [],
    expect.stringContaining(`no relay answers at http://127.0.0.1:${port}`),
  ]);
  relay = await startTestRelay({ databasePath: join(folder, 'relay.db'), settings: { PORT: port } });
});
