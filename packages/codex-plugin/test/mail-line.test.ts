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
import { MailLine, type MailLineOptions, type MailThreads } from '../src/relay/mail-line.ts';
import { ContextNote } from '../src/session/context-note.ts';

interface Said {
  readonly method: string;
  readonly clientUserMessageId: string;
}

/** A Codex whose conversation is busy, as far as mail asks it: what it took, and a queue that takes a hundred, of whomever. */
class BusyCodex {
  readonly said: Said[] = [];
  readonly isExperimental = true;
  readonly settings = { approvalPolicy: 'never', sandbox: { type: 'workspaceWrite' } };
  waiting: string[] = [];
  /** How often the queue was. */
  started = 0;
  /** A refusal of this method, the next time it is asked. */
  refusal: { readonly method: string; readonly error: Error } | null = null;

  readonly request = async (method: string, params: unknown): Promise<unknown> => {
    const { refusal } = this;
    if (refusal?.method === method) {
      this.refusal = null;
      throw refusal.error;
    }
    if (method === 'thread/queue/start') {
      this.started += 1;
      return {};
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
  readonly sendOnce: MailLineOptions['codex']['sendOnce'] = async (method, message, { mayHaveArrived = false, beforeSending } = {}) => {
    const { clientUserMessageId: id } = message;
    this.asked.push(id);
    await this.gate;
    if (mayHaveArrived) this.looked.push(id);
    if (mayHaveArrived && this.waiting.includes(id)) return this.turnOf.get(id) ?? '';
    await beforeSending?.();
    await this.request(method, message);
    return undefined;
  };
  readonly turnOf = new Map<string, string>();
  readonly turnOfMessage = async (threadId: string, id: string) => {
    if (threadId !== 'thread') return undefined;
    return this.turnOf.get(id) ?? (this.waiting.includes(id) ? '' : undefined);
  };
  readonly takeFromQueue = async (_threadId: string, id: string) => {
    const isThere = this.waiting.includes(id);
    this.waiting = this.waiting.filter((each) => each !== id);
    return isThere;
  };
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
let threads: { -readonly [Name in keyof MailThreads]: MailThreads[Name] };
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
    presence = new AgentPresence({
      env,
      identity,
      onAttached: resolve,
      onAway: (reason) => expect.fail(reason),
      onProxy: (warning) => expect.fail(warning),
      onReplaced,
    });
  });
  codex = new BusyCodex();
  told = [];
  ended = new AbortController();
  makeLine(false);
});

// `ask` reads its answer by a schema; this one has but one answer.
function makeLine(isContinued: boolean, { isBusy = true, ...more }: { isBusy?: boolean; goneAfterMs?: number } = {}) {
  threads = {
    joined: undefined,
    isBusy,
    current: async () => 'thread',
    idle: async (signal) => {
      while (threads.isBusy && !signal.aborted) await sleep(5);
    },
    expectTurn: (_, isExpected) => {
      threads.isBusy = isExpected;
    },
    settle: () => {
      threads.isBusy = false;
    },
  };
  line = new MailLine({
    codex: codex as unknown as MailLineOptions['codex'],
    threads: () => threads,
    onError: (error) => told.push(error),
    isContinued,
    context: new ContextNote({ HOME: home }, attached.handle.id),
    ...more,
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
const clientIds = (...sent: readonly { readonly clientId: string }[]) => sent.map(({ clientId }) => clientId);
const stateOf = async (id: number) => (await receiptOf(id))?.state;
const injected = () => codex.said.filter(({ method }) => method === 'thread/inject_items').length;

test('of mail one piece at a time waits in Codex’s queue: none is given up or overtakes another, and what does not queue goes past it', async () => {
  // A person has queued as much as there is room for.
  codex.waiting = Array.from({ length: 100 }, (_, index) => `theirs-${index}`);
  const next: Awaited<ReturnType<typeof send>>[] = [];
  for (let count = 0; count < 130; count += 1) next.push(await send(`message ${count}`));
  const urgent = await send('stop', 'urgent');
  void line.run(attached, ended.signal);
  await expect.poll(() => codex.of('turn/start')).toEqual([urgent.clientId]);
  expect(codex.of('thread/queue/add')).toEqual([]);
  codex.waiting = [];
  for (const [index, { clientId }] of next.entries()) {
    await expect.poll(() => codex.waiting, { interval: 5 }).toEqual([clientId]);
    codex.waiting = [];
    line.echoed(clientId, `turn-${index}`);
  }
  expect(codex.of('thread/queue/add')).toEqual(clientIds(...next));
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
  await expect.poll(() => codex.waiting).toEqual([first.clientId]);
  line.echoed(first.clientId, 'turn');
  await expect.poll(() => codex.waiting).toEqual([first.clientId, second.clientId]);
});

test('a server that is overloaded for long costs no mail', async () => {
  codex.refusal = { method: 'thread/queue/add', error: refused('Server overloaded; retry later.', -32001) };
  const { id, clientId } = await send('hello');
  void line.run(attached, ended.signal);
  await expect.poll(() => codex.waiting).toEqual([clientId]);
  expect(await stateOf(id)).not.toBe('failed');
});

test('what a server took with it when it died goes again, ahead of what came later; what is still there or was read does not', async () => {
  const [now, queued, later] = [await send('now', 'now'), await send('queued'), await send('later')];
  void line.run(attached, ended.signal);
  await expect.poll(() => codex.waiting).toEqual([queued.clientId]);
  // It was being taken out.
  codex.waiting = [];
  line.serverDied();
  await expect.poll(() => codex.of('thread/queue/add')).toEqual(clientIds(queued, queued));
  expect([codex.looked, codex.of('turn/start')]).toEqual([clientIds(now, queued), clientIds(now, now)]);
  line.echoed(now.clientId, 'turn');
  line.serverDied();
  await expect.poll(() => codex.looked).toEqual(clientIds(now, queued, queued));
  codex.turnOf.set(queued.clientId, 'another-turn');
  line.serverDied();
  await expect.poll(() => codex.waiting).toEqual(clientIds(queued, later));
  await expect.poll(() => stateOf(queued.id)).toBe('delivered');
  expect(codex.of('thread/queue/add')).toEqual(clientIds(queued, queued, later));
});

test('what somebody took out of Codex’s queue, or was read unheard, keeps nothing, and does not go again', async () => {
  makeLine(false, { isBusy: false, goneAfterMs: 50 });
  const [first, second, third] = [await send('first'), await send('second'), await send('third')];
  void line.run(attached, ended.signal);
  await expect.poll(() => codex.waiting).toEqual([first.clientId]);
  codex.waiting = [];
  await expect.poll(() => codex.waiting).toEqual([second.clientId]);
  codex.turnOf.set(second.clientId, 'turn');
  await expect.poll(() => stateOf(second.id)).toBe('delivered');
  await expect.poll(() => codex.of('thread/queue/add')).toEqual(clientIds(first, second, third));
  expect(await receiptOf(first.id)).toMatchObject({ state: 'failed', reason: expect.stringContaining('queue no more') });
  line.echoed(first.clientId, 'turn-after-all');
  await expect.poll(() => receiptOf(first.id)).toMatchObject({ state: 'delivered', late: true });
});

test('what waits in a queue that a person’s interrupt has stopped is begun with once nothing has run for long', async () => {
  makeLine(false, { isBusy: false, goneAfterMs: 50 });
  codex.refusal = { method: 'thread/queue/start', error: refused('thread already has an active or pending turn') };
  const { clientId } = await send('hello');
  void line.run(attached, ended.signal);
  await expect.poll(() => codex.started).toBeGreaterThan(0);
  expect([codex.waiting, told]).toEqual([[clientId], []]);
});

test('what waits in a queue that has stopped does not run with the rights of the person once mail has less', async () => {
  makeLine(false, { isBusy: false, goneAfterMs: 50 });
  const { clientId } = await send('hello');
  void line.run(attached, ended.signal);
  await expect.poll(() => codex.waiting).toEqual([clientId]);
  await owner.agents.approval({ id: attached.handle.id, approval: 'read-only' });
  await expect.poll(() => codex.of('turn/start')).toEqual([clientId]);
  expect([codex.waiting, told]).toEqual([[], []]);
});

test('restricted mail that is found in the queue is taken back, and has a turn of its own', async () => {
  makeLine(true, { isBusy: false });
  await owner.agents.approval({ id: attached.handle.id, approval: 'read-only' });
  const { clientId } = await send('hello');
  codex.waiting = [clientId];
  void line.run(attached, ended.signal);
  await expect.poll(() => codex.of('turn/start')).toEqual([clientId]);
  expect([codex.waiting, threads.isBusy, told]).toEqual([[], true, []]);
});

test('what was given before a server died goes before the rest of the mail in hand', async () => {
  const first = await send('first');
  void line.run(attached, ended.signal);
  await expect.poll(() => codex.waiting).toEqual([first.clientId]);
  let answer = () => {};
  codex.gate = new Promise((resolve) => {
    answer = resolve;
  });
  const [now, second] = [await send('now', 'now'), await send('second')];
  await expect.poll(() => codex.asked).toContain(now.clientId);
  codex.waiting = [];
  line.serverDied();
  answer();
  await expect.poll(() => codex.waiting).toEqual([first.clientId]);
  line.echoed(first.clientId, 'turn');
  await expect.poll(() => codex.of('thread/queue/add')).toEqual(clientIds(first, first, second));
});

test('a new server does not run what waits in the queue before it was looked for', async () => {
  const [first, second] = [await send('first'), await send('second')];
  void line.run(attached, ended.signal);
  await expect.poll(() => codex.waiting).toEqual([first.clientId]);
  const waits = () => line.recovery.unconfirmed('thread');
  expect(waits()).toEqual(new Set([first.clientId]));
  line.serverDied();
  expect(waits()).toEqual(new Set([first.clientId]));
  // Taken out, as its client does.
  codex.waiting = [];
  line.recovery.forgotten(new Set(), 'thread');
  await expect.poll(() => codex.of('thread/queue/add')).toEqual(clientIds(first, first));
  line.echoed(first.clientId, 'turn');
  await expect.poll(() => codex.waiting).toEqual(clientIds(first, second));
  expect(waits()).toEqual(new Set([second.clientId]));
});

test('a turn that was expected of a server that died is expected no more once the next one has the conversation', async () => {
  await owner.agents.approval({ id: attached.handle.id, approval: 'guarded' });
  makeLine(false, { isBusy: false });
  let answer = () => {};
  codex.gate = new Promise((resolve) => {
    answer = resolve;
  });
  const [first, second] = [await send('first'), await send('second')];
  void line.run(attached, ended.signal);
  await expect.poll(() => codex.asked).toEqual([first.clientId]);
  // It goes to the next server still.
  line.recovery.resumed();
  expect(threads.isBusy).toBe(true);
  answer();
  await expect.poll(() => codex.of('thread/settings/update')).toHaveLength(1);
  line.recovery.resumed();
  await expect.poll(() => codex.of('turn/start')).toEqual(clientIds(first, second));
});

test('mail that Codex takes while its server is started again is handed over once', async () => {
  let answer = () => {};
  codex.gate = new Promise((resolve) => {
    answer = resolve;
  });
  const first = await send('first');
  void line.run(attached, ended.signal);
  await expect.poll(() => codex.asked).toEqual([first.clientId]);
  line.serverDied();
  answer();
  await expect.poll(() => codex.waiting).toEqual([first.clientId]);
  line.echoed(first.clientId, 'turn');
  const second = await send('second');
  await expect.poll(() => codex.waiting).toEqual(clientIds(first, second));
  expect(codex.asked).toEqual(clientIds(first, second));
});

test('urgent mail that is there already does not interrupt its own turn', async () => {
  makeLine(true);
  let interrupts = 0;
  threads.joined = {
    id: 'thread',
    interrupt: async () => {
      interrupts += 1;
      return true;
    },
  };
  const read = await send('read', 'urgent');
  codex.waiting = [read.clientId];
  codex.turnOf.set(read.clientId, 'turn');
  void line.run(attached, ended.signal);
  await expect.poll(() => stateOf(read.id)).toBe('delivered');
  expect(interrupts).toBe(0);
  const fresh = await send('stop', 'urgent');
  await expect.poll(() => codex.of('turn/start')).toEqual([fresh.clientId]);
  expect(interrupts).toBe(1);
});

test('a message is looked for in the conversation that it was given to, and not said in another', async () => {
  const [now, queued, lost] = [await send('now', 'now'), await send('queued'), await send('lost', 'now')];
  void line.run(attached, ended.signal);
  await expect.poll(() => codex.of('turn/start')).toEqual(clientIds(now, lost));
  codex.turnOf.set(now.clientId, 'turn');
  threads.current = async () => 'another';
  line.serverDied();
  await expect.poll(() => stateOf(now.id)).toBe('delivered');
  await expect.poll(() => codex.of('turn/start')).toEqual(clientIds(now, lost, lost));
  expect(codex.of('thread/queue/add')).toEqual([queued.clientId]);
  expect(['thread', 'another'].map((threadId) => line.recovery.unconfirmed(threadId))).toEqual([
    new Set([queued.clientId]),
    new Set([lost.clientId]),
  ]);
  // There it waits, and keeps nothing from the conversation that is open now.
  const next = await send('next');
  await expect.poll(() => codex.of('thread/queue/add')).toEqual(clientIds(queued, next));
});

test('what an earlier process had handed over waits in the conversation that goes on, and does not go again', async () => {
  makeLine(true);
  const [queued, read, fresh] = [await send('queued'), await send('read', 'now'), await send('fresh')];
  codex.waiting = [queued.clientId, read.clientId];
  codex.turnOf.set(read.clientId, 'turn');
  void line.run(attached, ended.signal);
  await expect.poll(() => stateOf(read.id)).toBe('delivered');
  expect(codex.said).toEqual([]);
  line.echoed(queued.clientId, 'turn-before');
  await expect.poll(() => codex.waiting).toEqual(clientIds(queued, read, fresh));
  line.echoed(fresh.clientId, 'next-turn');
  const later = await send('later');
  await expect.poll(() => codex.said.at(-1)?.clientUserMessageId).toBe(later.clientId);
  expect([codex.said.length, codex.looked]).toEqual([2, clientIds(queued, read, fresh)]);
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
  expect([codex.waiting, line.recovery.unconfirmed('thread')]).toEqual([[], new Set()]);
});

test('restricted mail that has its turn has not failed where the settings cannot be put back, which is told', async () => {
  await owner.agents.approval({ id: attached.handle.id, approval: 'read-only' });
  makeLine(false, { isBusy: false });
  codex.refusal = { method: 'thread/settings/update', error: refused('no') };
  const { id, clientId } = await send('hello');
  void line.run(attached, ended.signal);
  await expect.poll(() => told).toHaveLength(1);
  line.echoed(clientId, 'turn');
  await expect.poll(() => stateOf(id)).toBe('delivered');
  expect(codex.of('turn/start')).toEqual([clientId]);
});

test('restricted mail that an earlier process had given keeps nothing that comes after it: no turn begins with it', async () => {
  await owner.agents.approval({ id: attached.handle.id, approval: 'guarded' });
  makeLine(true, { isBusy: false });
  const [read, next] = [await send('read'), await send('next')];
  codex.waiting = [read.clientId];
  codex.turnOf.set(read.clientId, 'turn-before');
  void line.run(attached, ended.signal);
  await expect.poll(() => stateOf(read.id)).toBe('delivered');
  await expect.poll(() => codex.of('turn/start')).toEqual([next.clientId]);
  expect(threads.isBusy).toBe(true);
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
  expect([injected(), line.recovery.unconfirmed('thread')]).toEqual([1, new Set()]);
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
