import type { Connection } from '../../live/connection.ts';
import { isLookedAt, tellLooking } from './looking.ts';
import { type DesktopNotice, noticeOf } from './notice.ts';
import { readNoticeChoice } from './notice-choice.ts';
import { keepDevice } from './push-device.ts';
import { sound } from './sound.ts';

/** What is older than this was missed while the relay was away: the page shows it, nobody is called for it. */
const FRESH_MS = 60_000;
/** Whoever is called so often has heard it. */
const MOST_IN_A_MINUTE = 10;

/** Keeps the page's files for when the relay is away, and tells whoever wants to be told while they look elsewhere. */
export async function startNotices(connection: Connection, go: (path: string) => void): Promise<void> {
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined; // absent where the page came over plain HTTP from elsewhere
  workers?.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (isWay(data)) go(data.path);
  });
  let called: readonly number[] = [];
  connection.onEvent((event) => {
    const now = connection.now();
    const notice = now - event.at > FRESH_MS ? null : noticeOf(event);
    if (notice === null || isLookedAt()) return;
    called = called.filter((at) => now - at < FRESH_MS);
    if (called.length >= MOST_IN_A_MINUTE) return;
    called = [...called, now];
    const { isShown, isHeard } = readNoticeChoice();
    if (isShown) void show(notice, go);
    // A page that nobody has pressed yet may make no sound.
    if (isHeard) void sound().catch(() => {});
  });
  tellLooking(connection);
  // Without one the page works as before: it needs the relay to open.
  if (import.meta.env.PROD) await workers?.register('/service-worker.js').catch(() => {});
  await live(connection);
  await keepDevice(connection.relay).catch(() => {});
}

function live(connection: Connection): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (connection.getState().status !== 'live') return;
      stop();
      resolve();
    };
    const stop = connection.subscribe(look);
    look();
  });
}

const isWay = (data: unknown): data is { readonly path: string } =>
  typeof data === 'object' && data !== null && 'path' in data && typeof data.path === 'string' && data.path.startsWith('/');

async function show({ title, body, path, tag }: DesktopNotice, go: (path: string) => void): Promise<void> {
  if (!('Notification' in window) || Notification.permission !== 'granted') return;
  const looks = { body, tag, icon: '/icon-192.png', data: { path } };
  const registration = await navigator.serviceWorker?.getRegistration();
  if (registration !== undefined) return registration.showNotification(title, looks);
  const notification = new Notification(title, looks);
  notification.onclick = () => {
    window.focus();
    go(path);
  };
}
