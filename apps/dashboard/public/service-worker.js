/*
 * Keeps the page's own files, so that it opens while the relay is away, and shows what the page asks to be shown. What the relay says is
 * kept nowhere: nothing below /api, and nothing that was not asked for by a browser that opens a page or a file of the build.
 */
const SHELL = 'agent-relay-shell';
const KEPT_FILES = 200;
const PAGE = '/';
/** What the page leaves for when its push service gives up an address. */
const PUSH = 'agent-relay-push';
const KEPT_FOR_PUSH = '/kept-for-worker';

self.addEventListener('install', (event) => {
  event.waitUntil(Promise.all([keepPage(), self.skipWaiting()]));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(self.clients.claim());
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== self.location.origin) return;
  if (request.mode === 'navigate' && !pathname.startsWith('/api/')) event.respondWith(openPage(request));
  else if (pathname.startsWith('/assets/')) event.respondWith(readFile(request));
});

self.addEventListener('push', (event) => {
  const said = read(event.data);
  if (said !== null) event.waitUntil(tell(said));
});

self.addEventListener('pushsubscriptionchange', (event) => {
  event.waitUntil(subscribeAgain(event));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(lead(event.notification.data?.path ?? PAGE));
});

/** Every address is the same page; the newest of it is kept. */
async function openPage(request) {
  try {
    const answer = await fetch(request);
    if (isPage(answer)) await (await caches.open(SHELL)).put(PAGE, answer.clone());
    return answer;
  } catch (error) {
    const kept = await (await caches.open(SHELL)).match(PAGE);
    if (kept) return kept;
    throw error;
  }
}

async function keepPage() {
  const answer = await fetch(PAGE).catch(() => null);
  if (answer !== null && isPage(answer)) await (await caches.open(SHELL)).put(PAGE, answer);
}

/** What something before the relay answers in its place is no page of ours. */
const isPage = (answer) => answer.ok && !answer.redirected && answer.headers.get('content-type')?.startsWith('text/html') === true;

/** A file's name changes with what is in it: one that is kept is the one that is meant. */
async function readFile(request) {
  const shell = await caches.open(SHELL);
  const kept = await shell.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) {
    await shell.put(request, answer.clone());
    const files = (await shell.keys()).filter(({ url }) => new URL(url).pathname !== PAGE);
    for (const old of files.slice(0, Math.max(0, files.length - KEPT_FILES))) await shell.delete(old);
  }
  return answer;
}

/** What the relay pushes; null for what is none of its own words. */
function read(data) {
  try {
    const { type, title, body, path, tag } = data.json();
    const isWhole = [title, body, path, tag].every((text) => typeof text === 'string');
    return isWhole && isOwnPage(path) ? { type, title, body, path, tag } : null;
  } catch {
    return null;
  }
}

/** `//elsewhere` begins like a path, and is none. */
const isOwnPage = (path) => path.startsWith('/') && new URL(path, self.location.origin).origin === self.location.origin;

/** Whoever looks at the page sees it there. What is over takes the place of what is still shown, without a sound. */
async function tell({ type, title, body, path, tag }) {
  const isOver = type === 'over';
  const windows = await self.clients.matchAll({ type: 'window' });
  if (!isOver && windows.some(({ focused, visibilityState }) => focused && visibilityState === 'visible')) return;
  const shown = isOver ? await self.registration.getNotifications({ tag }) : [];
  if (isOver && shown.length === 0) return;
  await self.registration.showNotification(title, { body, tag, silent: isOver, icon: '/icon-192.png', data: { path } });
}

/** Asks for another address, and tells the relay in the name of who is signed in here; a relay that is away is told once the page is opened. */
async function subscribeAgain({ newSubscription = null }) {
  const kept = await (await caches.open(PUSH)).match(KEPT_FOR_PUSH);
  if (kept === undefined) return;
  const { publicKey, topics, label, session } = await kept.json();
  const options = { userVisibleOnly: true, applicationServerKey: publicKey };
  const { endpoint, keys } = (newSubscription ?? (await self.registration.pushManager.subscribe(options))).toJSON();
  const headers = { 'content-type': 'application/json', ...(session === null ? {} : { 'x-agent-relay-session': session }) };
  const told = { method: 'POST', headers, body: JSON.stringify({ endpoint, keys, topics, label }) };
  await fetch('/api/push/subscriptions', told).catch(() => null);
}

async function lead(path) {
  const [open] = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  if (open === undefined) return self.clients.openWindow(path);
  // It goes there also where the browser lets nobody bring it to the front.
  await open.focus().catch(() => {});
  open.postMessage({ type: 'go', path });
}
