import { RelayError } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import type { StartOptions } from '../contract.ts';
import { SessionEvents } from '../session-events.ts';
import { ProviderSessions, type TrackedSession, type TrackedStart } from './provider-sessions.ts';

const options: StartOptions = {
  agentId: 'Polly',
  sessionId: 's1',
  cwd: '/home/ada',
  mode: 'agentic',
  approval: 'open',
  instructions: '',
  mcp: [],
  env: {},
  onProcess: () => {},
};
const closed = expect.objectContaining({ code: 'connection_closed', message: 'The Parrot provider has been closed' });

function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** A session whose close takes until `letGo`, or fails with what that is given. */
function slowSession() {
  const events = new SessionEvents({ cwd: '/home/ada' });
  const gone = deferred<void>();
  const calls: string[] = [];
  let isClosing = false;
  const session: TrackedSession = {
    vendorSessionId: null,
    model: null,
    events,
    prompt: async () => {},
    interrupt: async () => false,
    close: () => {
      if (!isClosing) calls.push('close');
      isClosing = true;
      events.end({ reason: 'closed' });
      return gone.promise;
    },
  };
  return { session, calls, letGo: () => gone.resolve(), failWith: gone.reject };
}

/** Whether a promise has settled once everything that is under way without a timer has been done. */
async function hasSettled(promise: Promise<unknown>): Promise<boolean> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  promise.then(settle, settle);
  await new Promise((resolve) => setImmediate(resolve));
  return isSettled;
}

test('closing gives up what is being started, and waits for it and for every session', async () => {
  const sessions = new ProviderSessions('Parrot');
  const running = slowSession();
  expect(await sessions.start(options, async () => running.session)).toBe(running.session);
  const begun = deferred<TrackedSession>();
  const starts: TrackedStart[] = [];
  const starting = sessions.start(options, (tracked) => {
    starts.push(tracked);
    return begun.promise;
  });
  const closing = sessions.close();
  expect(sessions.close()).toBe(closing);
  expect(starts.map(({ signal }) => signal.reason)).toEqual([closed]);
  expect([await hasSettled(closing), running.calls]).toEqual([false, []]);
  begun.reject(starts[0]?.signal.reason);
  await expect(starting).rejects.toEqual(closed);
  expect([await hasSettled(closing), running.calls]).toEqual([false, ['close']]);
  running.letGo();
  await closing;
});

test('a session that is there only after the close is closed, and nobody is handed it', async () => {
  const sessions = new ProviderSessions('Parrot');
  const late = slowSession();
  const begun = deferred<TrackedSession>();
  const starting = sessions.start(options, () => begun.promise);
  const closing = sessions.close();
  begun.resolve(late.session);
  expect([await hasSettled(closing), late.calls]).toEqual([false, ['close']]);
  late.letGo();
  await expect(starting).rejects.toEqual(closed);
  await closing;
});

test('so is one whose caller gave the start up', async () => {
  const sessions = new ProviderSessions('Parrot');
  const late = slowSession();
  late.letGo();
  const caller = new AbortController();
  const starting = sessions.start({ ...options, signal: caller.signal }, async () => {
    caller.abort(new Error('changed my mind'));
    return late.session;
  });
  await expect(starting).rejects.toThrow('changed my mind');
  expect(late.calls).toEqual(['close']);
});

test('nothing starts once it is closed, or for a caller who has given up already', async () => {
  const sessions = new ProviderSessions('Parrot');
  const begin = () => Promise.reject(new Error('was begun'));
  await expect(sessions.start({ ...options, signal: AbortSignal.abort(new Error('too late')) }, begin)).rejects.toThrow('too late');
  await sessions.close();
  await expect(sessions.start(options, begin)).rejects.toEqual(closed);
});

test('a session that ended by itself is closed, and waited for until it is gone', async () => {
  const sessions = new ProviderSessions('Parrot');
  const { session, calls, letGo } = slowSession();
  await sessions.start(options, async () => session);
  session.events.end({ reason: 'crashed' });
  await expect.poll(() => calls).toEqual(['close']);
  const closing = sessions.close();
  expect(await hasSettled(closing)).toBe(false);
  letGo();
  await closing;
});

test('a session that cannot be closed keeps no other from it', async () => {
  const sessions = new ProviderSessions('Parrot');
  const [stuck, fine] = [slowSession(), slowSession()];
  for (const { session } of [stuck, fine]) await sessions.start(options, async () => session);
  const closing = sessions.close();
  stuck.failWith(new RelayError('internal', 'it stays'));
  expect(await hasSettled(closing)).toBe(false);
  fine.letGo();
  await expect(closing).rejects.toThrow('it stays');
});
