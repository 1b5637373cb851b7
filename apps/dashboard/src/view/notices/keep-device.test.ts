import { createRelayClient } from 'agent-relay-client';
import { afterEach, expect, test, vi } from 'vitest';
import { keepPushChoice, readPushChoice } from './push-choice.ts';
import { keepDevice } from './push-device.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

const keyOf = (byte: number): string => Buffer.alloc(65, byte).toString('base64url');
const bytesOf = (key: string): ArrayBuffer => new Uint8Array(Buffer.from(key, 'base64url')).buffer;

/** A browser that is subscribed to a key: it refuses another one until it has unsubscribed. Says which keys it was subscribed to since. */
function openBrowser(key: string, isSubscribed = true) {
  const kept = new Map<string, string>();
  const asked: string[] = [];
  const subscriptionTo = (to: string) => ({
    endpoint: `https://push.example/${to}`,
    options: { applicationServerKey: bytesOf(to) },
    toJSON: () => ({ endpoint: `https://push.example/${to}`, keys: { p256dh: 'p', auth: 'a' } }),
    unsubscribe: async () => {
      current = null;
      return true;
    },
  });
  let current: ReturnType<typeof subscriptionTo> | null = isSubscribed ? subscriptionTo(key) : null;
  const pushManager = {
    getSubscription: async () => current,
    subscribe: async ({ applicationServerKey: to }: { readonly applicationServerKey: string }) => {
      if (current !== null && current.endpoint !== subscriptionTo(to).endpoint) throw new DOMException('subscribed', 'InvalidStateError');
      asked.push(to);
      current = subscriptionTo(to);
      return current;
    },
  };
  const localStorage = {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name),
  };
  vi.stubGlobal('window', { isSecureContext: true, localStorage, PushManager: {}, Notification: {} });
  vi.stubGlobal('Notification', { permission: 'granted' });
  vi.stubGlobal('navigator', { userAgent: 'Firefox/140.0', serviceWorker: { ready: Promise.resolve({ pushManager }) } });
  keepPushChoice({ id: 'before', topics: ['mail'], endpoint: subscriptionTo(key).endpoint, session: null });
  return asked;
}

/** A relay with this key, which lists the devices that it tells. */
const relayWith = (publicKey: string, told: readonly string[]) =>
  createRelayClient({
    url: 'http://relay.test',
    fetch: async (input, init) => {
      if (String(input).endsWith('/push/key')) return Response.json({ publicKey });
      const device = { topics: ['mail'], label: null, service: 'push.example', createdAt: 1, createdBy: 'owner' };
      if (init?.method === 'POST') return Response.json({ ...device, id: 'after' }, { status: 201 });
      return Response.json({ data: told.map((id) => ({ ...device, id })), cursor: 1 });
    },
  });

test('a device that was subscribed to a key which the relay has no more subscribes to the one that it has, and is told on', async () => {
  const asked = openBrowser(keyOf(1));
  await keepDevice(relayWith(keyOf(2), []));
  expect(asked).toEqual([keyOf(2)]);
  expect(readPushChoice()).toEqual({ id: 'after', topics: ['mail'], endpoint: `https://push.example/${keyOf(2)}`, session: null });
});

test('a device whose key is still the relay’s is left as it is, and turned off once it was taken out', async () => {
  const asked = openBrowser(keyOf(0xff));
  await keepDevice(relayWith(keyOf(0xff), ['before']));
  expect(readPushChoice()?.id).toBe('before');
  vi.stubGlobal('navigator', { ...navigator, serviceWorker: { ...navigator.serviceWorker, getRegistration: async () => undefined } });
  await keepDevice(relayWith(keyOf(0xff), []));
  expect([asked, readPushChoice()]).toEqual([[], null]);
});

test('a device whose push service has given up its address subscribes again', async () => {
  const asked = openBrowser(keyOf(1), false);
  await keepDevice(relayWith(keyOf(1), ['before']));
  expect([asked, readPushChoice()?.id]).toEqual([[keyOf(1)], 'after']);
});
