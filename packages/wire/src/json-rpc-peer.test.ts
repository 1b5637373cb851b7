import { RelayError } from 'agent-relay-protocol';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createDuplexPair } from './duplex-pair.ts';
import { JsonRpcError } from './json-rpc-error.ts';
import { encodeNotification, JsonRpcPeer, type JsonRpcPeerOptions, type RequestContext } from './json-rpc-peer.ts';
import type { MessageDuplex } from './message-duplex.ts';

const opened: MessageDuplex[] = [];
afterEach(async () => {
  for (const duplex of opened.splice(0)) await duplex.close();
});

function pair(): [MessageDuplex, MessageDuplex] {
  const duplexes = createDuplexPair();
  opened.push(...duplexes);
  return duplexes;
}

function peers(left: JsonRpcPeerOptions, right: JsonRpcPeerOptions): [JsonRpcPeer, JsonRpcPeer] {
  const [a, b] = pair();
  return [new JsonRpcPeer(a, left), new JsonRpcPeer(b, right)];
}

/** A peer under test, and the bare frames on the other end of its link. */
function bare(options: JsonRpcPeerOptions): { peer: JsonRpcPeer; far: MessageDuplex; next: () => Promise<unknown> } {
  const [near, far] = pair();
  const frames = far.incoming[Symbol.asyncIterator]();
  return { peer: new JsonRpcPeer(near, options), far, next: async () => (await frames.next()).value };
}

const never = () => new Promise<never>(() => {});

describe('requests', () => {
  it('carries a synchronous and an asynchronous answer', async () => {
    const [client] = peers(
      {},
      { onRequest: (method, params) => (method === 'soon' ? Promise.resolve({ soon: params }) : { now: params }) },
    );
    expect(await Promise.all([client.request('now', { a: 1 }), client.request('soon', [2])])).toEqual([{ now: { a: 1 } }, { soon: [2] }]);
    expect(client.pendingCount).toBe(0);
  });

  it('answers null where a handler returns nothing', async () => {
    const [client] = peers({}, { onRequest: (method) => (method === 'soon' ? Promise.resolve() : undefined) });
    expect(await Promise.all([client.request('now'), client.request('soon')])).toEqual([null, null]);
  });

  it('works in both directions at the same time', async () => {
    const [left, right] = peers({ onRequest: () => 'from left' }, { onRequest: () => 'from right' });
    expect(await Promise.all([left.request('who'), right.request('who')])).toEqual(['from right', 'from left']);
  });

  it('matches answers that come out of order', async () => {
    const { peer, far, next } = bare({});
    const first = peer.request('a');
    const second = peer.request('b');
    const ids = [await next(), await next()].map((frame) => (frame as { id: number }).id); // our own frames, checked by the next expectations
    await far.send({ jsonrpc: '2.0', id: ids[1], result: 'second' });
    await far.send({ jsonrpc: '2.0', id: ids[0], result: 'first' });
    expect([await first, await second]).toEqual(['first', 'second']);
  });

  it('writes JSON-RPC 2.0, and leaves the version out for peers that never send it', async () => {
    const standard = bare({});
    void standard.peer.request('a', { x: 1 });
    expect(await standard.next()).toEqual({ jsonrpc: '2.0', id: 1, method: 'a', params: { x: 1 } });
    const vendor = bare({ omitVersion: true, requestId: 'string', onRequest: () => 'ok' });
    vendor.peer.request('a').catch(() => {});
    expect(await vendor.next()).toEqual({ id: '1', method: 'a' });
    await vendor.peer.notify('n', {});
    expect(await vendor.next()).toEqual({ method: 'n', params: {} });
    await vendor.far.send({ id: 'x', method: 'q' });
    expect(await vendor.next()).toEqual({ id: 'x', result: 'ok' });
    await standard.far.send({ id: 1, result: null });
  });

  it('accepts an answer without a result, as sloppy peers send it', async () => {
    const { peer, far } = bare({});
    const request = peer.request('a');
    await far.send({ id: 1 });
    expect(await request).toBeUndefined();
  });
});

describe('errors', () => {
  it('brings a RelayError across as it is', async () => {
    const thrown = new RelayError('already_claimed', 'Task 7 is held', {
      details: { agentId: 'b' },
      issues: [{ path: 'id', message: 'held' }],
    });
    const [client] = peers({}, { onRequest: () => Promise.reject(thrown) });
    const error = await client.request('claim').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(RelayError);
    expect(error).not.toBeInstanceOf(JsonRpcError);
    expect(error).toMatchObject({
      code: 'already_claimed',
      message: 'Task 7 is held',
      details: { agentId: 'b' },
      issues: [{ path: 'id', message: 'held' }],
    });
  });

  it('sends the number of the code and the body as data', async () => {
    const { far, next } = bare({
      onRequest: () => {
        throw new RelayError('not_found', 'No such task');
      },
    });
    await far.send({ jsonrpc: '2.0', id: 'q', method: 'x' });
    expect(await next()).toEqual({
      jsonrpc: '2.0',
      id: 'q',
      error: { code: -32004, message: 'No such task', data: { code: 'not_found', message: 'No such task' } },
    });
  });

  it('keeps the text of a bug to itself and tells the log', async () => {
    const bugs: unknown[] = [];
    const [client] = peers(
      {},
      {
        onRequest: (method) => {
          if (method === 'now') throw new Error('secret path');
          return Promise.reject(new Error('secret path'));
        },
        onError: (error, method) => bugs.push([method, String(error)]),
      },
    );
    for (const method of ['now', 'soon']) {
      const error = await client.request(method).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: 'internal' });
      expect(String(error)).not.toContain('secret');
    }
    expect(bugs).toEqual([
      ['now', 'Error: secret path'],
      ['soon', 'Error: secret path'],
    ]);
  });

  it('gives a vendor error as JsonRpcError with the number, text and data it came with, also through a second link', async () => {
    const vendor = bare({ omitVersion: true });
    const [client] = peers({}, { onRequest: () => vendor.peer.request('turn/start') });
    const request = client.request('start').catch((caught: unknown) => caught);
    await vendor.next();
    await vendor.far.send({ id: 1, error: { code: -32602, message: 'input too large', data: { max_chars: 10 } } });
    const error = await request;
    expect(error).toBeInstanceOf(JsonRpcError);
    expect(error).toBeInstanceOf(RelayError);
    expect(error).toMatchObject({ code: 'validation_failed', rpcCode: -32602, message: 'input too large', data: { max_chars: 10 } });
  });

  it('makes sense of an error that is no error object', async () => {
    const { peer, far } = bare({});
    const request = peer.request('a');
    await far.send({ id: 1, error: 'broken' });
    await expect(request).rejects.toMatchObject({ code: 'internal', rpcCode: -32603 });
  });

  it('answers `unknown_method` when nobody handles requests', async () => {
    const { far, next } = bare({});
    await far.send({ jsonrpc: '2.0', id: 1, method: 'nope' });
    expect(await next()).toMatchObject({ id: 1, error: { code: -32601, data: { code: 'unknown_method' } } });
  });

  it('answers `internal` when the result is something JSON cannot hold', async () => {
    const [client] = peers({}, { onRequest: (method) => (method === 'big' ? 1n : 'ok') });
    await expect(client.request('big')).rejects.toMatchObject({ code: 'internal' });
    expect(await client.request('small')).toBe('ok');
  });

  it('rejects a request whose parameters JSON cannot hold, and forgets it', async () => {
    const [client] = peers({}, {});
    await expect(client.request('a', 1n)).rejects.toThrow(TypeError);
    expect(client.pendingCount).toBe(0);
  });
});

describe('giving up', () => {
  it('sends nothing when the signal has aborted already', async () => {
    const sent: unknown[] = [];
    const [client] = peers({ trace: (_direction, message) => sent.push(message) }, {});
    await expect(client.request('a', {}, { signal: AbortSignal.abort('before') })).rejects.toBe('before');
    expect(sent).toEqual([]);
  });

  it('rejects with the reason when the signal aborts later, and tells `onAbandoned` once', async () => {
    const abandoned: unknown[] = [];
    const unmatched: unknown[] = [];
    const { peer, far } = bare({
      onAbandoned: (id, method) => abandoned.push([id, method]),
      onUnmatched: (message) => unmatched.push(message),
    });
    const controller = new AbortController();
    const request = peer.request('a', {}, { signal: controller.signal, timeoutMs: 60_000 });
    controller.abort('enough');
    await expect(request).rejects.toBe('enough');
    expect(abandoned).toEqual([[1, 'a']]);
    expect(peer.pendingCount).toBe(0);
    await far.send({ jsonrpc: '2.0', id: 1, result: 'late' });
    await vi.waitFor(() => expect(unmatched).toEqual([{ jsonrpc: '2.0', id: 1, result: 'late' }]), { timeout: 60_000 });
  });

  it('an abort after the answer changes nothing', async () => {
    const abandoned: unknown[] = [];
    const [client] = peers({ onAbandoned: (id) => abandoned.push(id) }, { onRequest: () => 'ok' });
    const controller = new AbortController();
    expect(await client.request('a', {}, { signal: controller.signal })).toBe('ok');
    controller.abort();
    expect(abandoned).toEqual([]);
  });

  it('rejects with `timeout`, by its own or the default time', async () => {
    const [client] = peers({ defaultTimeoutMs: 5 }, { onRequest: never });
    await expect(client.request('a')).rejects.toMatchObject({ code: 'timeout', details: { timeoutMs: 5 } });
    await expect(client.request('a', {}, { timeoutMs: 1 })).rejects.toMatchObject({ code: 'timeout', details: { timeoutMs: 1 } });
  });

  it('leaves no timer behind an answer', async () => {
    const [client] = peers({}, { onRequest: () => 'ok' });
    vi.useFakeTimers();
    try {
      expect(await client.request('a', {}, { timeoutMs: 60_000 })).toBe('ok');
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('aborts a handler the peer no longer waits for', async () => {
    const contexts: RequestContext[] = [];
    const { peer, far, next } = bare({
      onRequest: (_method, _params, context) => {
        contexts.push(context);
        return new Promise((_resolve, reject) => {
          context.signal.addEventListener('abort', () => reject(new RelayError('timeout', 'cancelled')));
        });
      },
    });
    await far.send({ jsonrpc: '2.0', id: 'q', method: 'slow' });
    await vi.waitFor(() => expect(peer.runningCount).toBe(1), { timeout: 60_000 });
    expect(peer.abortRequest('other')).toBe(false);
    expect(peer.abortRequest('q', 'not wanted')).toBe(true);
    expect(contexts[0]?.signal.reason).toBe('not wanted');
    expect(await next()).toMatchObject({ id: 'q', error: { data: { code: 'timeout' } } });
    expect(peer.runningCount).toBe(0);
  });
});

describe('the end of the connection', () => {
  it.each(['near', 'far'])('rejects all pending requests and aborts all running handlers when the %s side closes', async (side) => {
    const signals: AbortSignal[] = [];
    const [near, far] = pair();
    const client = new JsonRpcPeer(near, {
      onRequest: (_method, _params, { signal }) => {
        signals.push(signal);
        return never();
      },
    });
    const requests = [client.request('a'), client.request('b', {}, { timeoutMs: 60_000, signal: new AbortController().signal })];
    const outcomes = Promise.allSettled(requests);
    await far.send({ jsonrpc: '2.0', id: 1, method: 'from far' });
    await vi.waitFor(() => expect(client.runningCount).toBe(1), { timeout: 60_000 });
    await (side === 'near' ? client.close({ code: 4000, reason: 'bye' }) : far.close({ code: 4000, reason: 'bye' }));
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'connection_closed', details: { code: 4000, reason: 'bye' } } });
    }
    expect(signals[0]?.aborted).toBe(true);
    expect([client.pendingCount, client.runningCount]).toEqual([0, 0]);
    expect(await client.closed).toEqual({ code: 4000, reason: 'bye' });
  });

  it('rejects what is asked afterwards at once, and an ignored notification ends no process', async () => {
    const [client] = peers({}, {});
    await client.close();
    await client.closed;
    await expect(client.request('a')).rejects.toMatchObject({ code: 'connection_closed' });
    void client.notify('a');
    await expect(client.notifyEncoded('{}')).rejects.toMatchObject({ code: 'connection_closed' });
  });

  it('does the same over a link that can only be iterated, whose fault is the cause', async () => {
    const fault = new Error('cable cut');
    const duplex: MessageDuplex = {
      incoming: (async function* () {
        yield { jsonrpc: '2.0', method: 'hello' };
        throw fault;
      })(),
      send: async () => {},
      close: async () => {},
      closed: Promise.resolve({ code: 1006 }),
      bufferedBytes: 0,
      [Symbol.asyncDispose]: async () => {},
    };
    const notified: string[] = [];
    const peer = new JsonRpcPeer(duplex, { onNotification: (method) => notified.push(method) });
    await expect(peer.request('a')).rejects.toMatchObject({ code: 'connection_closed', cause: fault, details: { code: 1006 } });
    expect(notified).toEqual(['hello']);
  });
});

describe('notifications', () => {
  it('arrive in order', async () => {
    const received: unknown[] = [];
    const [client] = peers({}, { onNotification: (method, params) => received.push([method, params]) });
    for (let count = 0; count < 3; count += 1) void client.notify('tick', { count });
    await client.notifyEncoded(encodeNotification('tick', { count: 3 }));
    await vi.waitFor(() => expect(received).toEqual([0, 1, 2, 3].map((count) => ['tick', { count }])), { timeout: 60_000 });
  });

  it('a failing handler is reported and ends nothing', async () => {
    const bugs: unknown[] = [];
    const [client] = peers(
      {},
      {
        onRequest: () => 'still here',
        onNotification: (method) => {
          if (method === 'now') throw new Error('now');
          return Promise.reject(new Error('soon'));
        },
        onError: (error, method) => bugs.push([method, String(error)]),
      },
    );
    void client.notify('now');
    void client.notify('soon');
    expect(await client.request('a')).toBe('still here');
    await expect
      .poll(() => bugs)
      .toEqual([
        ['now', 'Error: now'],
        ['soon', 'Error: soon'],
      ]);
  });

  it('are never answered, not even when nobody handles them', async () => {
    const { far, next } = bare({});
    await far.send({ jsonrpc: '2.0', method: 'unheard' });
    await far.send({ jsonrpc: '2.0', id: 1, method: 'asked' });
    expect(await next()).toMatchObject({ id: 1 });
  });
});

describe('what a peer may send', () => {
  it('answers a batch with one array, without the notifications', async () => {
    const { far, next } = bare({ onRequest: (method) => (method === 'slow' ? Promise.resolve('slow') : method) });
    await far.send([
      { jsonrpc: '2.0', id: 1, method: 'slow' },
      { jsonrpc: '2.0', method: 'notification' },
      { jsonrpc: '2.0', id: 2, method: 'fast' },
      { nonsense: true },
    ]);
    expect(await next()).toEqual([
      { jsonrpc: '2.0', id: 2, result: 'fast' },
      expect.objectContaining({ id: null, error: expect.objectContaining({ code: -32600 }) }),
      { jsonrpc: '2.0', id: 1, result: 'slow' },
    ]);
  });

  it('answers nothing to a batch of notifications, and takes a batch of responses', async () => {
    const { peer, far, next } = bare({ onRequest: () => 'ok' });
    const requests = [peer.request('a'), peer.request('b')];
    await next();
    await next();
    await far.send([{ jsonrpc: '2.0', method: 'x' }]);
    await far.send([
      { jsonrpc: '2.0', id: 2, result: 'b' },
      { jsonrpc: '2.0', id: 1, result: 'a' },
    ]);
    expect(await Promise.all(requests)).toEqual(['a', 'b']);
    await far.send({ jsonrpc: '2.0', id: 9, method: 'last' });
    expect(await next()).toEqual({ jsonrpc: '2.0', id: 9, result: 'ok' });
  });

  it('a batch with one answer JSON cannot hold still answers the others', async () => {
    const { far, next } = bare({ onRequest: (method) => (method === 'big' ? 1n : 'ok') });
    await far.send([
      { id: 1, method: 'big' },
      { id: 2, method: 'small' },
    ]);
    const answers = await next();
    expect(answers).toContainEqual({ jsonrpc: '2.0', id: 2, result: 'ok' });
    expect(answers).toContainEqual(expect.objectContaining({ id: 1, error: expect.objectContaining({ code: -32603 }) }));
  });

  it.each([
    ['a number', 7],
    ['null', null],
    ['an empty batch', []],
    ['an empty object', {}],
    ['a request with id null', { jsonrpc: '2.0', id: null, method: 'x' }],
    ['a method that is no text', { jsonrpc: '2.0', method: 7 }],
  ])('answers %s as an invalid request with id null, and goes on', async (_name, frame) => {
    const unmatched: unknown[] = [];
    const { far, next } = bare({ onRequest: () => 'ok', onUnmatched: (message) => unmatched.push(message) });
    await far.send(frame);
    expect(await next()).toMatchObject({ jsonrpc: '2.0', id: null, error: { code: -32600, data: { code: 'validation_failed' } } });
    expect(unmatched).toEqual([frame]);
    await far.send({ jsonrpc: '2.0', id: 1, method: 'x' });
    expect(await next()).toMatchObject({ id: 1, result: 'ok' });
  });

  it('refuses another version under the id it came with', async () => {
    const { far, next } = bare({ onRequest: () => 'ok' });
    await far.send({ jsonrpc: '1.0', id: 5, method: 'x' });
    expect(await next()).toMatchObject({ id: 5, error: { code: -32600 } });
  });

  it('stays silent about frames that are no JSON-RPC when told so', async () => {
    const { far, next } = bare({ answerInvalid: false, onRequest: () => 'ok' });
    await far.send({ level: 'info' });
    await far.send({ id: 1, method: 'x' });
    expect(await next()).toMatchObject({ id: 1 });
  });

  it('never answers a response, whatever its id', async () => {
    const unmatched: unknown[] = [];
    const { far, next } = bare({ onRequest: () => 'ok', onUnmatched: (message) => unmatched.push(message) });
    const strays = [
      { jsonrpc: '2.0', id: 99, result: 1 },
      { jsonrpc: '2.0', id: null, error: { code: -32700, message: 'parse error' } },
    ];
    for (const stray of strays) await far.send(stray);
    await far.send({ jsonrpc: '2.0', id: 1, method: 'x' });
    expect(await next()).toMatchObject({ id: 1 });
    expect(unmatched).toEqual(strays);
  });

  it('runs a bounded number of requests at a time and answers the others `overloaded`', async () => {
    const release: (() => void)[] = [];
    const { peer, far, next } = bare({ maxConcurrentRequests: 2, onRequest: () => new Promise<void>((resolve) => release.push(resolve)) });
    for (const id of [1, 2, 3]) await far.send({ jsonrpc: '2.0', id, method: 'slow' });
    expect(await next()).toMatchObject({ id: 3, error: { data: { code: 'overloaded' } } });
    expect(peer.runningCount).toBe(2);
    release.shift()?.();
    expect(await next()).toMatchObject({ id: 1, result: null });
    await far.send({ jsonrpc: '2.0', id: 4, method: 'slow' });
    await vi.waitFor(() => expect(release).toHaveLength(2), { timeout: 60_000 });
  });

  it('refuses an id that is still running', async () => {
    const { far, next } = bare({ onRequest: never });
    await far.send({ jsonrpc: '2.0', id: 1, method: 'slow' });
    await far.send({ jsonrpc: '2.0', id: 1, method: 'slow' });
    expect(await next()).toMatchObject({ id: 1, error: { data: { code: 'validation_failed', issues: [{ path: 'id' }] } } });
  });
});

it('shows every frame to `trace`, in both directions', async () => {
  const seen: unknown[] = [];
  const [client] = peers({ trace: (direction, message) => seen.push([direction, message]) }, { onRequest: () => 'ok' });
  await client.request('a');
  await client.notifyEncoded(encodeNotification('n'));
  expect(seen).toEqual([
    ['sent', { jsonrpc: '2.0', id: 1, method: 'a', params: undefined }],
    ['received', { jsonrpc: '2.0', id: 1, result: 'ok' }],
    ['sent', { jsonrpc: '2.0', method: 'n' }],
  ]);
});
