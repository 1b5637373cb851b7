import { JsonRpcError, sleep } from 'agent-relay-wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CodexClient, type CodexClientOptions } from '../src/app-server/codex-client.ts';
import type { CodexThread } from '../src/app-server/codex-thread.ts';
import type { CodexNotification } from '../src/app-server/notifications.ts';
import type { AnswerServerRequest } from '../src/app-server/server-requests.ts';
import { FakeAppServer, overloaded } from './fake-app-server.ts';

const turnId = '01a1fd7c-0000-7000-8000-00000000000a';
const turnEnd = { id: turnId, status: 'completed', items: [], error: null };

describe('a client whose server has faults', () => {
  let server: FakeAppServer;
  let client: CodexClient;

  const connect = async (options: Partial<CodexClientOptions> = {}): Promise<CodexClient> => {
    client = await CodexClient.connect(server.endpoint, { clientInfo: { name: 'test', version: '1' }, ...options });
    return client;
  };

  const startThread = async (onRequest?: AnswerServerRequest) => {
    const thread = await (await connect()).startThread(
      { cwd: '/home/user/project', config: { features: { x: true } } },
      onRequest ? { onRequest } : {},
    );
    return { thread, seen: collect(thread) };
  };

  beforeEach(async () => {
    server = await FakeAppServer.start();
  });

  afterEach(async () => {
    await client.close();
    await server[Symbol.asyncDispose]();
  });

  test('introduces itself with a version, then says that it is initialized', async () => {
    await connect();
    expect(server.received).toEqual([
      {
        method: 'initialize',
        params: {
          clientInfo: { name: 'test', version: '1' },
          capabilities: { experimentalApi: true, requestAttestation: false, optOutNotificationMethods: ['account/rateLimits/updated'] },
        },
      },
    ]);
    expect(client.isExperimental).toBe(true);
    expect(client.userAgent).toBe('test/0.169.0 (Linux)');
  });

  test('does without the experimental interface where a server does not know it', async () => {
    server.answer('initialize', ({ capabilities }) => {
      if (JSON.stringify(capabilities).includes('experimentalApi')) {
        throw new JsonRpcError({ code: -32600, message: 'Invalid request: unknown field in capabilities' });
      }
      return { userAgent: 'old/0.1' };
    });
    await connect();
    expect(client.isExperimental).toBe(false);
  });

  test('asks an overloaded server again', async () => {
    await connect({ random: () => 0 });
    let tries = 0;
    server.answer('model/list', () => {
      tries += 1;
      if (tries < 4) throw overloaded();
      return { data: [{ id: 'm', model: 'm' }] };
    });
    expect(await client.listModels()).toEqual([{ id: 'm', model: 'm', displayName: '', isDefault: false }]);
    expect(tries).toBe(4);
  });

  test('starts a turn again on an overloaded server only after looking whether it had begun', async () => {
    const { thread } = await startThread();
    let tries = 0;
    server.answer('turn/start', () => {
      tries += 1;
      throw overloaded();
    });
    server.answer('thread/items/list', () => ({
      data: [{ turnId: 'found', item: { type: 'userMessage', id: 'u', clientId: 'mine', content: [] } }],
    }));
    expect(await thread.startTurn({ text: 'hi', clientUserMessageId: 'mine' })).toBe('found');
    expect(tries).toBe(1);
  });

  test('a message whose answer was lost with the connection is looked for, and not sent twice', async () => {
    const { thread } = await startThread();
    server.answer('turn/start', () => {
      server.disconnect();
      return new Promise(() => {});
    });
    server.answer('thread/items/list', () => ({
      data: [{ turnId, item: { type: 'userMessage', id: 'u', clientId: 'mine', content: [] } }],
    }));
    expect(await thread.startTurn({ text: 'hi', clientUserMessageId: 'mine' })).toBe(turnId);
    expect(server.methods().filter((method) => method === 'turn/start')).toHaveLength(1);
  });

  test('a long absence is caught up with whole: more turns than a page, and more items in a turn', async () => {
    const { thread, seen } = await startThread();
    server.play('say');
    await expect.poll(() => seen.at(-1)?.method).toBe('turn/completed');
    const turns = Array.from({ length: 45 }, (_, n) => ({ ...turnEnd, id: `f1a1fd7c-0000-7000-8000-0000000000${n + 10}` }));
    const heard = { ...turnEnd, id: '00a1fd7c-0000-7000-8000-000000000000' };
    const items = (id: unknown) => Array.from({ length: id === turns[3]?.id ? 250 : 1 }, (_, n) => said(String(id), n));
    server.answer('thread/turns/list', (asked) => pageOf([heard, ...turns].toReversed(), asked));
    server.answer('thread/items/list', (asked) => pageOf(items(asked['turnId']).toReversed(), asked));
    const before = seen.length;
    server.disconnect();
    await expect.poll(() => seen.length - before).toBe(45 * 2 + 44 + 250);
    const told = seen.slice(before).map(({ params }) => params);
    expect(told.filter((each) => JSON.stringify(each).includes('"item"'))).toEqual(
      turns.flatMap(({ id }) => items(id).map((each) => ({ threadId: thread.id, ...each }))),
    );
  });

  test('a message whose answer was lost is found behind all that came after it', async () => {
    const { thread } = await startThread();
    server.answer('turn/start', () => {
      server.disconnect();
      return new Promise(() => {});
    });
    const mine: object = { turnId, item: { type: 'userMessage', id: 'u', clientId: 'mine', content: [] } };
    const items = [mine, ...Array.from({ length: 150 }, (_, n) => said(turnId, n))];
    server.answer('thread/turns/list', (asked) => pageOf([{ ...turnEnd, status: 'inProgress' }], asked));
    server.answer('thread/items/list', (asked) => pageOf(items.toReversed(), asked));
    expect(await thread.startTurn({ text: 'hi', clientUserMessageId: 'mine' })).toBe(turnId);
    expect(server.methods().filter((method) => method === 'turn/start')).toHaveLength(1);
  });

  test('a server that stands still is waited for, and what it had taken is not sent twice', async () => {
    await connect({ requestTimeoutMs: 100 });
    const thread = await client.startThread({ cwd: '/home/user/project' });
    server.answer('turn/start', () => new Promise(() => {}));
    let looks = 0;
    server.answer('thread/items/list', () => {
      looks += 1;
      // It stands still, goes on, and has the message a moment later.
      if (looks < 3) return new Promise(() => {});
      return { data: looks === 3 ? [] : [{ turnId, item: { type: 'userMessage', id: 'u', clientId: 'mine', content: [] } }] };
    });
    expect(await thread.startTurn({ text: 'hi', clientUserMessageId: 'mine' })).toBe(turnId);
    expect([looks, server.methods().filter((method) => method === 'turn/start').length]).toEqual([4, 1]);
  });

  test('a message that a server which stood still never got is sent again', async () => {
    await connect({ requestTimeoutMs: 100 });
    const thread = await client.startThread({ cwd: '/home/user/project' });
    let tries = 0;
    server.answer('turn/start', () => {
      tries += 1;
      return tries > 1 ? { turn: { id: turnId } } : new Promise(() => {});
    });
    expect(await thread.startTurn({ text: 'hi', clientUserMessageId: 'mine' })).toBe(turnId);
    expect(tries).toBe(2);
  });

  test('what lay before a server that stood still, and is taken after the line was cut, is not sent twice', async () => {
    const { thread } = await startThread();
    server.answer('turn/start', () => {
      server.disconnect();
      return new Promise(() => {});
    });
    let looks = 0;
    server.answer('thread/items/list', () => {
      looks += 1;
      return { data: looks === 1 ? [] : [{ turnId, item: { type: 'userMessage', id: 'u', clientId: 'mine', content: [] } }] };
    });
    expect(await thread.startTurn({ text: 'hi', clientUserMessageId: 'mine' })).toBe(turnId);
    expect(server.methods().filter((method) => method === 'turn/start')).toHaveLength(1);
  });

  test('a message that never arrived is sent again after the reconnect', async () => {
    const { thread } = await startThread();
    let tries = 0;
    server.answer('turn/start', () => {
      tries += 1;
      if (tries > 1) return { turn: { id: turnId } };
      server.disconnect();
      return new Promise(() => {});
    });
    expect(await thread.startTurn({ text: 'hi', clientUserMessageId: 'mine' })).toBe(turnId);
    expect(tries).toBe(2);
  });

  test('after a reconnect a thread is resumed with its settings, and told what it missed', async () => {
    const { thread, seen } = await startThread();
    server.notify('turn/started', { threadId: thread.id, turn: { ...turnEnd, status: 'inProgress' } });
    await expect.poll(() => thread.activeTurnId).toBe(turnId);
    server.answer('thread/turns/list', () => ({ data: [turnEnd] }));
    server.answer('thread/items/list', () => ({
      data: [{ turnId, item: { type: 'agentMessage', id: 'm', text: 'while you were away' } }],
    }));
    server.disconnect();
    await expect.poll(() => thread.state).toEqual({ status: 'idle' });
    expect(server.received.find(({ method }) => method === 'thread/resume')?.params).toEqual({
      threadId: thread.id,
      excludeTurns: true,
      cwd: '/home/user/project',
      config: { features: { x: true } },
    });
    await expect.poll(() => seen.map(({ method }) => method)).toEqual(['turn/started', 'item/completed', 'turn/completed']);
  });

  test('a thread without a turn, which no server resumes, is joined with its first one', async () => {
    const { thread, seen } = await startThread();
    const neverStored = () => {
      throw new JsonRpcError({ code: -32600, message: `no rollout found for thread id ${thread.id}` });
    };
    server.answer('thread/resume', neverStored);
    server.disconnect();
    await expect.poll(() => server.methods()).toContain('thread/resume');
    let resumes = 0;
    server.answer('thread/resume', () => {
      resumes += 1;
      return resumes < 3 ? neverStored() : { thread: { id: thread.id } };
    });
    server.answer('thread/turns/list', () => ({ data: [turnEnd] }));
    await thread.startTurn({ text: 'hi', clientUserMessageId: 'mine' });
    expect(resumes).toBe(3);
    await expect.poll(() => seen.map(({ method }) => method)).toEqual(['turn/started', 'turn/completed']);
  });

  test('requests made while the server is away wait for it', async () => {
    const { thread } = await startThread();
    await server.goAway();
    const turn = thread.startTurn({ text: 'hi', clientUserMessageId: 'mine' });
    await server.comeBack();
    expect(await turn).toBe(turnId);
  });

  test('as many requests as there are places for, waiting for the server, do not keep it from being reached', async () => {
    const failures: string[] = [];
    await connect({ maxInFlight: 2, onError: (_, method) => failures.push(method) });
    const thread = await client.startThread({ cwd: '/home/user/project' });
    await server.goAway();
    await expect.poll(() => failures).toContain('initialize');
    const turns = ['a', 'b', 'c'].map((id) => thread.startTurn({ text: 'hi', clientUserMessageId: id }));
    await server.comeBack();
    expect(await Promise.all(turns)).toEqual([turnId, turnId, turnId]);
  });

  test('a server that has not loaded the thread is asked what it has of it, before it loads it', async () => {
    await connect();
    const told: unknown[] = [];
    const thread = await client.startThread(
      { cwd: '/home/user/project' },
      {
        recovery: {
          unconfirmed: () => new Set(['queued', 'said', 'lost']),
          forgotten: (found) => told.push(found),
          resumed: () => told.push('resumed'),
        },
      },
    );
    const seen = collect(thread);
    server.notify('turn/started', { threadId: thread.id, turn: { ...turnEnd, status: 'inProgress' } });
    await expect.poll(() => thread.activeTurnId).toBe(turnId);
    server.answer('thread/loaded/list', () => ({ data: ['another'], nextCursor: null }));
    server.answer('thread/queue/list', () => ({ data: [{ id: 'q', clientUserMessageId: 'queued' }] }));
    server.answer('thread/queue/delete', () => ({ deleted: true }));
    const said = { type: 'userMessage', id: 'u', clientId: 'said', content: [] };
    server.answer('thread/items/list', () => ({ data: [{ turnId, item: said }] }));
    const before = server.received.length;
    server.disconnect();
    await expect.poll(() => told).toEqual([new Set(['said']), 'resumed']);
    expect(server.methods().slice(before)).toEqual([
      ...['initialize', 'thread/loaded/list', 'thread/queue/list', 'thread/queue/delete', 'thread/items/list'],
      ...['thread/resume', 'thread/turns/list'],
    ]);
    await expect.poll(() => seen.map(({ method }) => method)).toEqual(['turn/started', 'turn/completed', 'item/completed']);
    expect(seen[1]?.params).toMatchObject({ turn: { status: 'failed', error: { codexErrorInfo: 'agentCrashed' } } });
  });

  test('what a server had taken when it died is looked for also where somebody else had the next one load the thread first', async () => {
    await connect();
    const told: unknown[] = [];
    const unconfirmed = new Set(['queued', 'begun', 'lost']);
    const recovery = {
      unconfirmed: () => unconfirmed,
      forgotten: (found: ReadonlySet<string>) => {
        told.push(found);
        unconfirmed.clear();
      },
      resumed: () => told.push('resumed'),
    };
    const thread = await client.startThread({ cwd: '/home/user/project' }, { recovery });
    server.answer('thread/loaded/list', () => ({ data: [thread.id], nextCursor: null }));
    server.answer('thread/queue/list', () => ({ data: [{ id: 'q', clientUserMessageId: 'queued' }] }));
    server.answer('thread/queue/delete', () => ({ deleted: true }));
    // Its queue runs: the first of it was taken out, and its turn begins a moment later.
    const begun = { turnId, item: { type: 'userMessage', id: 'u', clientId: 'begun', content: [] } };
    const looks = () => server.methods().filter((method) => method === 'thread/items/list').length;
    server.answer('thread/items/list', () => ({ data: looks() === 1 ? [] : [begun] }));
    server.disconnect();
    await client.serverDied('it was killed');
    await expect.poll(() => told).toEqual([new Set(['begun']), 'resumed']);
    expect(server.methods().filter((method) => method === 'thread/queue/delete')).toHaveLength(1);
    server.disconnect();
    await expect.poll(() => server.methods().filter((method) => method === 'thread/resume')).toHaveLength(2);
    expect(told).toHaveLength(2);
  });

  test('where nothing runs once the connection is back, what Codex has not repeated is looked for and left where it is: nobody may have said that its server died', async () => {
    await connect();
    const told: unknown[] = [];
    const thread = await client.startThread(
      { cwd: '/home/user/project' },
      {
        recovery: {
          unconfirmed: () => new Set(['queued', 'begun', 'lost']),
          forgotten: (found) => told.push(found),
          resumed: () => told.push('resumed'),
        },
      },
    );
    server.answer('thread/loaded/list', () => ({ data: [thread.id], nextCursor: null }));
    const queue = [
      { id: 'p', clientUserMessageId: 'a person’s' },
      { id: 'q', clientUserMessageId: 'queued' },
    ];
    server.answer('thread/queue/list', () => ({ data: queue }));
    const begun = { turnId, item: { type: 'userMessage', id: 'u', clientId: 'begun', content: [] } };
    const looks = () => server.methods().filter((method) => method === 'thread/items/list').length;
    server.answer('thread/items/list', () => ({ data: looks() === 1 ? [] : [begun] }));
    server.disconnect();
    await expect.poll(() => told).toEqual([new Set(['queued', 'begun']), 'resumed']);
    expect(server.methods()).not.toContain('thread/queue/delete');
    // What joined a turn that runs may be in no list yet.
    server.answer('thread/resume', () => ({
      thread: { id: thread.id, status: { type: 'active', activeFlags: [] } },
      model: 'm',
      cwd: '/',
    }));
    server.answer('thread/turns/list', () => ({ data: [{ id: turnId, status: 'inProgress', items: [] }], nextCursor: null }));
    server.disconnect();
    await expect.poll(() => thread.activeTurnId).toBe(turnId);
    expect(told).toHaveLength(2);
  });

  test('a server without a queue costs no thread when its connection is lost', async () => {
    await connect();
    const told: unknown[] = [];
    const recovery = { unconfirmed: () => new Set(['mine']), forgotten: () => told.push('forgotten'), resumed: () => {} };
    const thread = await client.startThread({ cwd: '/home/user/project' }, { recovery });
    server.answer('thread/queue/list', () => {
      throw new JsonRpcError({ code: -32600, message: 'Invalid request: unknown variant `thread/queue/list`' });
    });
    server.disconnect();
    await expect.poll(() => server.methods()).toContain('thread/queue/list');
    expect(await thread.startTurn({ text: 'hi', clientUserMessageId: 'next' })).toBe(turnId);
    expect(told).toEqual([]);
  });

  test('what another program was quicker to take out of the queue is in its turn, and not taken back', async () => {
    await connect({ elsewherePollMs: 10 });
    const told: unknown[] = [];
    const recovery = {
      unconfirmed: () => new Set(['taken', 'mine']),
      forgotten: (found: ReadonlySet<string>) => told.push(found),
      resumed: () => {},
    };
    const thread = await client.startThread({ cwd: '/home/user/project' }, { recovery });
    server.answer('thread/resume', () => {
      throw new JsonRpcError({ code: -32600, message: `thread ${thread.id} already has an active writer` });
    });
    const waiting = ['taken', 'mine'].map((id) => ({ id, clientUserMessageId: id }));
    server.answer('thread/queue/list', () => ({ data: told.length === 0 ? waiting : [] }));
    let begins = Number.POSITIVE_INFINITY;
    server.answer('thread/queue/delete', ({ queuedSubmissionId }) => {
      if (queuedSubmissionId === 'taken') begins = performance.now() + 300;
      return { deleted: queuedSubmissionId === 'mine' };
    });
    const taken = { turnId, item: { type: 'userMessage', id: 'u', clientId: 'taken', content: [] } };
    server.answer('thread/items/list', () => ({ data: performance.now() < begins ? [] : [taken] }));
    server.disconnect();
    await expect.poll(() => told).toEqual([new Set(['taken'])]);
  });

  test('a thread that is let go while another program writes it is looked at no more, and its notifications end', async () => {
    await connect({ elsewherePollMs: 10 });
    const thread = await client.startThread({ cwd: '/home/user/project' });
    const seen = collect(thread);
    server.answer('thread/resume', () => {
      throw new JsonRpcError({ code: -32600, message: `thread ${thread.id} already has an active writer` });
    });
    server.disconnect();
    await expect.poll(() => seen.map(({ method }) => method)).toEqual(['client/attachedElsewhere']);
    client.forgetThread(thread.id);
    await seen.finished;
    const asked = () => server.methods().filter((method) => method === 'thread/resume').length;
    // What is being asked is answered before the next.
    await client.listModels().catch(() => {});
    const before = asked();
    for (let waitedMs = 0; waitedMs < 200 && asked() === before; waitedMs += 20) await sleep(20);
    expect(asked()).toBe(before);
  });

  test('a connection that is lost between the loading of a forgotten thread and its answer leaves no message waiting', async () => {
    await connect();
    const told: unknown[] = [];
    const recovery = {
      unconfirmed: () => new Set<string>(),
      forgotten: () => told.push('forgotten'),
      resumed: () => told.push('resumed'),
    };
    await client.startThread({ cwd: '/home/user/project' }, { recovery });
    const loaded: string[] = [];
    server.answer('thread/loaded/list', () => ({ data: [...loaded], nextCursor: null }));
    server.answer('thread/resume', ({ threadId }) => {
      if (loaded.length > 0) return { thread: { id: threadId }, model: 'm', cwd: '/' };
      loaded.push(String(threadId));
      server.disconnect();
      return new Promise(() => {});
    });
    server.disconnect();
    await expect.poll(() => told).toEqual(['forgotten', 'resumed']);
  });

  test('a server that stays away closes the client, and everything that waited on it settles', async () => {
    await connect({ reconnectForMs: 300 });
    const thread = await client.startThread({ cwd: '/' });
    const seen = collect(thread);
    await server.goAway();
    await expect(thread.startTurn({ text: 'hi', clientUserMessageId: 'mine' })).rejects.toMatchObject({ code: 'connection_closed' });
    await client.closed;
    await seen.finished;
    await server.comeBack();
  });

  test('an approval that is repeated after a reconnect is asked once, and answered on the new connection', async () => {
    let asked = 0;
    let decide: (answer: object) => void = () => {};
    const { thread } = await startThread(() => {
      asked += 1;
      return new Promise((resolve) => {
        decide = resolve;
      });
    });
    const approval = { threadId: thread.id, itemId: 'i', command: 'ls' };
    server.request('item/commandExecution/requestApproval', approval).catch(() => {});
    await expect.poll(() => asked).toBe(1);
    server.disconnect();
    await expect.poll(() => server.methods()).toContain('thread/turns/list');
    const repeated = server.request('item/commandExecution/requestApproval', approval);
    decide({ decision: 'decline' });
    expect(await repeated).toEqual({ decision: 'decline' });
    expect(asked).toBe(1);
  });

  test('every question gets an answer: what nobody answers is refused', async () => {
    const { thread } = await startThread();
    await expect(server.request('item/tool/call', { threadId: thread.id })).rejects.toMatchObject({ rpcCode: -32601 });
    await expect(server.request('account/chatgptAuthTokens/refresh', {})).rejects.toMatchObject({ rpcCode: -32601 });
  });

  test('frames that nobody knows harm nothing, and are passed on', async () => {
    const { seen } = await startThread();
    server.sendRaw('{"this is": not json');
    server.sendRaw('[1, 2, 3]');
    server.sendRaw('{"id": 999, "result": "to no question"}');
    server.notify('thread/dreamt', { threadId: server.threadId, of: 'sheep' });
    server.play('say');
    await expect.poll(() => seen.at(-1)?.method).toBe('turn/completed');
    expect(seen[0]).toEqual({ method: 'thread/dreamt', params: { threadId: server.threadId, of: 'sheep' } });
  });

  test('what a thread says together with the answer to its start is not lost', async () => {
    server.answer('thread/start', () => {
      queueMicrotask(() => server.notify('thread/dreamt', { threadId: server.threadId }));
      return { thread: { id: server.threadId }, model: null };
    });
    const { seen } = await startThread();
    await expect.poll(() => seen.map(({ method }) => method)).toEqual(['thread/dreamt']);
  });

  test('a thread that a new server does not know is resumed, and the turn sent again', async () => {
    const { thread } = await startThread();
    let tries = 0;
    server.answer('turn/start', () => {
      tries += 1;
      if (tries === 1) throw new JsonRpcError({ code: -32600, message: `thread not found: ${thread.id}` });
      return { turn: { id: turnId } };
    });
    expect(await thread.startTurn({ text: 'hi', clientUserMessageId: 'mine' })).toBe(turnId);
    expect(server.methods()).toContain('thread/resume');
  });

  test('an answer that does not look as expected is an error with a name', async () => {
    await connect();
    server.answer('thread/start', () => ({ threads: [] }));
    await expect(client.startThread({ cwd: '/' })).rejects.toMatchObject({ code: 'unsupported' });
  });
});

const said = (inTurn: string, n: number) => ({ turnId: inTurn, item: { type: 'agentMessage', id: `${inTurn}-${n}`, text: `${n}` } });

/** As Codex pages its lists. */
function pageOf(all: readonly object[], { cursor, limit }: Record<string, unknown>): object {
  const [begin, end] = [Number(cursor ?? 0), Number(cursor ?? 0) + Number(limit)];
  return { data: all.slice(begin, end), nextCursor: end < all.length ? String(end) : null };
}

interface Collected extends Array<CodexNotification> {
  finished: Promise<void>;
}

function collect(thread: CodexThread): Collected {
  const seen: CodexNotification[] = [];
  const read = async () => {
    for await (const notification of thread.notifications) seen.push(notification);
  };
  return Object.assign(seen, { finished: read() });
}
