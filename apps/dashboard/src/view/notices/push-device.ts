import type { RelayClient } from 'agent-relay-client';
import type { PushTopic } from 'agent-relay-protocol';
import { sessionTokenId, sessionWord } from '../../live/sign-in.ts';
import { keepForWorker } from './kept-for-worker.ts';
import { keepPushChoice, readPushChoice } from './push-choice.ts';

/** Why this browser cannot be told while its page is closed; null when it can. */
export function pushFault(): string | null {
  if (!window.isSecureContext)
    return 'Browsers take notices while the page is closed only from an address with https, or from this machine’s own.';
  if (!('serviceWorker' in navigator) || !('PushManager' in window) || !('Notification' in window))
    return 'This browser takes no notices while the page is closed. On an iPhone or iPad it does once the page is on the home screen.';
  if (Notification.permission === 'denied')
    return 'This browser does not let the page show any: allow it in the browser’s settings for this address.';
  return null;
}

/** Has this browser told of these from now on, also while the page is closed. @throws Error in words when the browser does not want to, RelayError. */
export async function subscribeDevice(relay: RelayClient, topics: readonly PushTopic[]): Promise<void> {
  if ((await Notification.requestPermission()) !== 'granted')
    throw new Error(pushFault() ?? 'The browser was not given leave to show notifications.');
  const { publicKey } = await relay.push.key();
  const subscription = await subscribeAt(await navigator.serviceWorker.ready, publicKey);
  await tellRelay(relay, { subscription, publicKey, topics });
}

export async function unsubscribeDevice(relay: RelayClient): Promise<void> {
  const choice = readPushChoice();
  await forgetDevice();
  if (choice === null) return;
  const mine = (await relay.push.list()).data.some(({ id }) => id === choice.id);
  if (mine) await relay.push.unsubscribe({ id: choice.id });
}

/** Whoever uses this browser next is told of nothing that was the last one's. */
export async function forgetDevice(): Promise<void> {
  keepPushChoice(null);
  await keepForWorker(null);
  const registration = await navigator.serviceWorker?.getRegistration();
  await (await registration?.pushManager?.getSubscription())?.unsubscribe();
}

/** A browser that was told before is told on: under the session of today, and at the address that its push service gives it now. */
export async function keepDevice(relay: RelayClient): Promise<void> {
  const choice = readPushChoice();
  if (choice === null || pushFault() !== null) return;
  const registration = await navigator.serviceWorker.ready;
  const subscription = await registration.pushManager.getSubscription();
  const { publicKey } = await relay.push.key();
  const { topics } = choice;
  // What is signed with another key its push service refuses, and what it gave up is told to nobody.
  if (subscription === null || isOfAnotherKey(subscription, publicKey))
    return tellRelay(relay, { subscription: await subscribeAt(registration, publicKey), publicKey, topics });
  if (subscription.endpoint !== choice.endpoint || sessionTokenId() !== choice.session)
    return tellRelay(relay, { subscription, publicKey, topics });
  const isTold = (await relay.push.list()).data.some(({ id }) => id === choice.id);
  // It was taken out, here or elsewhere.
  if (!isTold) await forgetDevice();
}

function isOfAnotherKey({ options }: globalThis.PushSubscription, publicKey: string): boolean {
  const key = options.applicationServerKey;
  return key !== null && base64url(key) !== publicKey;
}

const base64url = (bytes: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/u, '');

async function subscribeAt({ pushManager }: ServiceWorkerRegistration, publicKey: string): Promise<globalThis.PushSubscription> {
  const options = { userVisibleOnly: true, applicationServerKey: publicKey };
  try {
    return await pushManager.subscribe(options);
  } catch (error) {
    // It is subscribed to a key that the relay has no more.
    const old = await pushManager.getSubscription();
    if (old === null)
      throw new Error(`The browser could not subscribe at its push service: ${error instanceof Error ? error.message : 'no reason given'}`);
    await old.unsubscribe();
    return pushManager.subscribe(options);
  }
}

interface ToTell {
  readonly subscription: globalThis.PushSubscription;
  readonly publicKey: string;
  readonly topics: readonly PushTopic[];
}

async function tellRelay(relay: RelayClient, { subscription, publicKey, topics }: ToTell): Promise<void> {
  const { endpoint, keys = {} } = subscription.toJSON();
  const { p256dh = '', auth = '' } = keys;
  const label = deviceName(navigator.userAgent);
  const { id } = await relay.push.subscribe({ endpoint: endpoint ?? '', keys: { p256dh, auth }, topics: [...topics], label });
  keepPushChoice({ id, topics, endpoint: subscription.endpoint, session: sessionTokenId() });
  await keepForWorker({ publicKey, topics, label, session: sessionWord() });
}

const browsers = [
  [/Edg\//u, 'Edge'],
  [/Firefox\//u, 'Firefox'],
  [/Chrome\/|CriOS\//u, 'Chrome'],
  [/Safari\//u, 'Safari'],
] as const;
const systems = [
  [/iPhone/u, 'iPhone'],
  [/iPad/u, 'iPad'],
  [/Android/u, 'Android'],
  [/Windows/u, 'Windows'],
  [/Mac OS X/u, 'macOS'],
  [/Linux/u, 'Linux'],
] as const;

/** What a browser calls itself, in the words of people. */
export function deviceName(userAgent: string): string {
  const [, browser = 'Browser'] = browsers.find(([pattern]) => pattern.test(userAgent)) ?? [];
  const [, system] = systems.find(([pattern]) => pattern.test(userAgent)) ?? [];
  return system === undefined ? browser : `${browser} on ${system}`;
}
