import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentIdentity, createNodeRelayClient } from 'agent-relay-client/node';
import { RelayError } from 'agent-relay-protocol';
import { startTestRelay, type TestRelay } from 'agent-relay-server/testing';
import { JsonRpcError, sleep } from 'agent-relay-wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AgentAtRelay, AgentPresence } from '../src/relay/agent-presence.ts';
import { MailLine, type MailLineOptions } from '../src/relay/mail-line.ts';
import { ContextNote } from '../src/session/context-note.ts';

interface Said {
  readonly method: string;
  readonly clientUserMessageId: string;
}

/** A Codex whose conversation is busy, as far as mail asks it: what it took, and a queue that takes a hundred. */
class BusyCodex {
  readonly said: Said[] = [];
  readonly isExperimental = true;
  readonly settings = { approvalPolicy: 'never', sandbox: { type: 'workspaceWrite' } };
  waiting: string[] = [];
  /** A refusal of this method, the next time it is asked. */
  refusal: { readonly method: string; readonly error: Error } | null = null;

  readonly request = async (method: string, params: unknown): Promise<unknown> => {
    const { refusal } = this;
    if (refusal?.method === method) {
      this.refusal = null;
      throw refusal.error;
    }
    const { clientUserMessageId } = params as Said; // the mail's, as this line sends it
    if (method === 'thread/queue/add') {
      if (this.waiting.length === 100) throw refused('queue cannot contain more than 100 submissions');
      this.waiting.push(clientUserMessageId);
    }
    this.said.push({ method, clientUserMessageId });
    if (method === 'thread/inject_items') await this.injecting;
    return {};
  };
  /** Context is answered after it. */
  injecting: Promise<unknown> = Promise.resolve();
  readonly looked: string[] = [];
  readonly asked: string[] = [];
  /** What is asked waits for it. */
  gate: Promise<void> = Promise.resolve();
  readonly sendOnce = async (method: string, message: Pick<Said, 'clientUserMessageId'>, { mayHaveArrived = false } = {}) => {
    const { clientUserMessageId: id } = message;
    this.asked.push(id);
    await this.gate;
    if (mayHaveArrived) this.looked.push(id);
    if (mayHaveArrived && this.waiting.includes(id)) return this.turnOf.get(id) ?? '';
    await this.request(method, message);
    return undefined;
  };
  readonly turnOf = new Map<string, string>();
  readonly ask = async () => this.settings;
  of = (method: string) => this.said.filter((each) => each.method === method).map(({ clientUserMessageId }) => clientUserMessageId);
}

const refused = (message: string, code = -32600) => new JsonRpcError({ code, message });

let home: string;
let relay: TestRelay;
let owner: ReturnType<typeof createNodeRelayClient>;
let presence: AgentPresence;
let attached: AgentAtRelay;
let codex: BusyCodex;
let line: MailLine;
let told: unknown[];
let ended: AbortController;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'codex-mail-'));
  relay = await startTestRelay();
  owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  const env = { HOME: home, PATH: '', AGENT_RELAY_URL: relay.url, AGENT_RELAY_TOKEN: relay.ownerToken };
  const identity = agentIdentity({ cwd: home, env, sessionKey: randomUUID(), provider: 'codex', defaults: {} });
  attached = await new Promise((resolve) => {
    const onReplaced = () => expect.fail('it is the only one');
    presence = new AgentPresence({ env, identity, onAttached: resolve, onAway: (reason) => expect.fail(reason), onReplaced });
  });
  codex = new BusyCodex();
  told = [];
  ended = new AbortController();
  makeLine(false);
});

// `ask` reads its answer by a schema; this one has but one answer.
function makeLine(isContinued: boolean) {
  const threads = {
    joined: undefined,
    current: async () => 'thread',
    idle: async () => {},
    expectTurn: () => {},
  };
  line = new MailLine({
    codex: codex as unknown as MailLineOptions['codex'],
    threads: () => threads,
    onError: (error) => told.push(error),
    isContinued,
    context: new ContextNote({ HOME: home }, attached.handle.id),
  });
}

afterEach(async () => {
  ended.abort();
  await presence.close();
  await owner.close();
  await relay.close();
  rmSync(home, { recursive: true, force: true });
});

const send = async (body: string, mode: 'next' | 'urgent' | 'now' | 'fyi' = 'next') => {
  const { id, createdAt } = await owner.messages.send({ to: `id:${attached.handle.id}`, body, mode });
  return { id, createdAt, clientId: `relay-${id}-${createdAt}` };
};
const receiptOf = async (id: number) => (await owner.messages.deliveries({ id })).data[0];
const stateOf = async (id: number) => (await receiptOf(id))?.state;
const injected = () => codex.said.filter(({ method }) => method === 'thread/inject_items').length;

test('more mail than fits into Codex’s queue waits in its order and none is given up; what does not queue goes past it', async () => {
  const next = [];
  for (let count = 0; count < 130; count += 1) next.push(await send(`message ${count}`));
  const urgent = await send('stop', 'urgent');
  void line.run(attached, ended.signal);
  await expect.poll(() => codex.of('turn/start')).toEqual([urgent.clientId]);
  expect(codex.waiting).toEqual(next.slice(0, 100).map(({ clientId }) => clientId));
  for (const clientId of codex.waiting) line.echoed(clientId, 'turn');
  codex.waiting = [];
  await expect.poll(() => codex.of('thread/queue/add')).toEqual(next.map(({ clientId }) => clientId));
  expect(await Promise.all(next.map(({ id }) => stateOf(id)))).not.toContain('failed');
  expect(told).toEqual([]);
});

test('what is still on its way when the relay was away is not overtaken by what came meanwhile', async () => {
  let open = () => {};
  codex.gate = new Promise((resolve) => {
    open = resolve;
  });
  const [first, given] = [await send('first'), new AbortController()];
  void line.run(attached, given.signal);
  await expect.poll(() => codex.asked).toEqual([first.clientId]);
  given.abort();
  codex.gate = Promise.resolve();
  const second = await send('second');
  void line.run(attached, ended.signal);
  // It would be there at once.
  for (let waitedMs = 0; waitedMs < 1_000 && codex.waiting.length === 0; waitedMs += 20) await sleep(20);
  open();
  await expect.poll(() => codex.waiting).toEqual([first.clientId, second.clientId]);
});

test('a server that is overloaded for long costs no mail', async () => {
  codex.refusal = { method: 'thread/queue/add', error: refused('Server overloaded; retry later.', -32001) };
  const { id, clientId } = await send('hello');
  void line.run(attached, ended.signal);
  await expect.poll(() => codex.waiting).toEqual([clientId]);
  expect(await stateOf(id)).not.toBe('failed');
});

test('what a server took with it when it died goes again, and what is still there does not', async () => {
  const [lost, kept, read] = [await send('lost', 'now'), await send('kept'), await send('read')];
  void line.run(attached, ended.signal);
  await expect.poll(() => codex.waiting).toEqual([kept.clientId, read.clientId]);
  codex.turnOf.set(read.clientId, 'turn');
  line.serverDied();
  await expect.poll(() => codex.looked).toEqual([lost.clientId, kept.clientId, read.clientId]);
  const { clientId } = await send('after it');
  await expect.poll(() => codex.waiting).toEqual([kept.clientId, read.clientId, clientId]);
  await expect.poll(() => stateOf(read.id)).toBe('delivered');
  expect(codex.of('turn/start')).toEqual([lost.clientId, lost.clientId]);
});

test('what an earlier process had handed over waits in the conversation that goes on, and does not go again', async () => {
  makeLine(true);
  const [queued, read, fresh] = [await send('queued'), await send('read', 'now'), await send('fresh')];
  codex.waiting = [queued.clientId, read.clientId];
  codex.turnOf.set(read.clientId, 'turn');
  void line.run(attached, ended.signal);
  await expect.poll(() => codex.waiting).toEqual([queued.clientId, read.clientId, fresh.clientId]);
  await expect.poll(() => stateOf(read.id)).toBe('delivered');
  const later = await send('later');
  await expect.poll(() => codex.said.at(-1)?.clientUserMessageId).toBe(later.clientId);
  expect([codex.said.length, codex.looked]).toEqual([2, [queued, read, fresh].map(({ clientId }) => clientId)]);
});

test('what Codex did not answer is looked for before it goes again', async () => {
  codex.refusal = { method: 'thread/queue/add', error: new RelayError('timeout', 'not answered in time') };
  const { clientId } = await send('hello');
  void line.run(attached, ended.signal);
  await expect.poll(() => codex.waiting).toEqual([clientId]);
  expect(codex.looked).toEqual([clientId]);
});

test('what Codex refuses has failed, and says why', async () => {
  codex.refusal = { method: 'thread/queue/add', error: refused('input is too large') };
  const { id } = await send('hello');
  void line.run(attached, ended.signal);
  await expect.poll(() => stateOf(id)).toBe('failed');
  expect(codex.waiting).toEqual([]);
});

test('restricted mail that has its turn has not failed where the settings cannot be put back, which is told', async () => {
  await owner.agents.approval({ id: attached.handle.id, approval: 'read-only' });
  codex.refusal = { method: 'thread/settings/update', error: refused('no') };
  const { id, clientId } = await send('hello');
  void line.run(attached, ended.signal);
  await expect.poll(() => told).toHaveLength(1);
  line.echoed(clientId, 'turn');
  await expect.poll(() => stateOf(id)).toBe('delivered');
  expect(codex.of('turn/start')).toEqual([clientId]);
});

const lost = { state: 'failed', reason: expect.stringContaining('nobody knows whether the agent has read it') };

test('context that was on its way when its session was killed has failed, and says why; what comes later is given', async () => {
  codex.injecting = new Promise(() => {});
  const { id } = await send('by the way', 'fyi');
  const killed = new AbortController();
  void line.run(attached, killed.signal);
  await expect.poll(injected).toBe(1);
  killed.abort();
  codex.injecting = Promise.resolve();
  makeLine(true);
  const later = await send('and this', 'fyi');
  void line.run(attached, ended.signal);
  await expect.poll(() => receiptOf(id)).toMatchObject(lost);
  await expect.poll(() => stateOf(later.id)).toBe('delivered');
  expect(injected()).toBe(2);
});

test('context that Codex did not answer has failed and is not given twice; what it had no room for is given again', async () => {
  codex.refusal = { method: 'thread/inject_items', error: refused('Server overloaded; retry later.', -32001) };
  const first = await send('first', 'fyi');
  void line.run(attached, ended.signal);
  await expect.poll(() => stateOf(first.id)).toBe('delivered');
  codex.refusal = { method: 'thread/inject_items', error: new RelayError('connection_closed', 'gone') };
  const second = await send('second', 'fyi');
  await expect.poll(() => receiptOf(second.id)).toMatchObject(lost);
  expect(injected()).toBe(1);
});

test('context whose receipt is known is on no note, and a number that comes again in another relay is another message', async () => {
  const { id, createdAt } = await send('by the way', 'fyi');
  void line.run(attached, ended.signal);
  await expect.poll(() => stateOf(id)).toBe('delivered');
  const note = () => new ContextNote({ HOME: home }, attached.handle.id);
  await expect.poll(() => note().has({ id, createdAt })).toBe(false);
  note().add({ id, createdAt });
  expect([createdAt, createdAt + 1].map((time) => note().has({ id, createdAt: time }))).toEqual([true, false]);
});
