import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';

const source = readFileSync(new URL('../../../public/service-worker.js', import.meta.url), 'utf8');

interface Shown {
  readonly title: string;
  readonly path: unknown;
}

interface Around {
  /** What the page has left for it. */
  readonly kept?: object;
  readonly subscribe?: (options: object) => Promise<{ toJSON(): object }>;
  readonly fetch?: (path: string, request: object) => Promise<unknown>;
}

/** The worker with a browser around it that has nothing open. Tells it what happens there, until it is done with that. */
function openWorker({ kept, subscribe, fetch }: Around) {
  const listeners = new Map<string, (event: object) => void>();
  const shown: Shown[] = [];
  const self = {
    location: { origin: 'https://relay.example' },
    addEventListener: (type: string, listener: (event: object) => void) => listeners.set(type, listener),
    clients: { matchAll: async () => [] },
    registration: {
      pushManager: { subscribe },
      getNotifications: async () => [],
      showNotification: async (title: string, { data }: { readonly data: { readonly path: unknown } }) => {
        shown.push({ title, path: data.path });
      },
    },
  };
  const found = kept && { json: async () => kept };
  const caches = { open: async () => ({ match: async () => found }) };
  runInNewContext(source, { self, URL, caches, fetch });
  const tell = async (type: string, event: object) => {
    const work: Promise<unknown>[] = [];
    listeners.get(type)?.({ ...event, waitUntil: (each: Promise<unknown>) => work.push(each) });
    await Promise.all(work);
  };
  return { shown, tell };
}

/** Hands it pushes, and says what it shows for each. */
function startWorker() {
  const { shown, tell } = openWorker({});
  return async (text: string | null): Promise<readonly Shown[]> => {
    shown.length = 0;
    await tell('push', { data: text === null ? null : { json: () => JSON.parse(text) } });
    return [...shown];
  };
}

const news = (more: object) =>
  JSON.stringify({ type: 'news', title: 'Worker asks', body: 'It has a question', path: '/approvals', tag: 't', ...more });

test('what the relay pushes is shown, and leads to a page of its own', async () => {
  const push = startWorker();
  expect(await push(news({}))).toEqual([{ title: 'Worker asks', path: '/approvals' }]);
  expect(await push(news({ path: '/agents/a%2Fb?x=//y#z' }))).toEqual([{ title: 'Worker asks', path: '/agents/a%2Fb?x=//y#z' }]);
});

test.each([
  ['nothing', null],
  ['no JSON', 'Worker asks'],
  ['null', 'null'],
  ['a list', '["Worker asks"]'],
  ['no title', news({ title: 7 })],
  ['no path', news({ path: undefined })],
  ['another host', news({ path: '//elsewhere.example/approvals' })],
  ['another host, as browsers read it', news({ path: '/\\elsewhere.example' })],
  ['another host behind a tab', news({ path: '/\t/elsewhere.example' })],
  ['an address', news({ path: 'https://elsewhere.example' })],
  ['a script', news({ path: 'javascript:alert(1)' })],
])('%s is none of the relay’s words, and shows nothing', async (_what, text) => {
  expect(await startWorker()(text)).toEqual([]);
});

const address = (endpoint: string) => ({ toJSON: () => ({ endpoint, keys: { p256dh: 'p', auth: 'a' } }) });
const kept = { publicKey: 'key', topics: ['mail'], label: 'Firefox on Linux', session: 'word' };

/** What it asks of its push service and of the relay once an address was given up. */
async function givenUp({ event = {}, ...around }: Around & { readonly event?: object }) {
  const asked: object[] = [];
  const posted: unknown[] = [];
  const { tell } = openWorker({
    subscribe: async (options) => {
      asked.push(options);
      return address('https://push.example/new');
    },
    fetch: async (path, request) => {
      posted.push([path, request]);
    },
    ...around,
  });
  await tell('pushsubscriptionchange', event);
  return { asked, posted };
}

const toldOf = (endpoint: string) => [
  '/api/push/subscriptions',
  {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-agent-relay-session': 'word' },
    body: JSON.stringify({ endpoint, keys: { p256dh: 'p', auth: 'a' }, topics: ['mail'], label: 'Firefox on Linux' }),
  },
];

test('when a push service gives up its address the worker subscribes again, and tells the relay in the name of who is signed in', async () => {
  expect(await givenUp({ kept })).toEqual({
    asked: [{ userVisibleOnly: true, applicationServerKey: 'key' }],
    posted: [toldOf('https://push.example/new')],
  });
  const event = { newSubscription: address('https://push.example/given') };
  expect(await givenUp({ kept, event })).toEqual({ asked: [], posted: [toldOf('https://push.example/given')] });
});

test('a browser that nobody wants told, or that signed out, subscribes no more; a relay that is away is no failure', async () => {
  expect(await givenUp({})).toEqual({ asked: [], posted: [] });
  await expect(givenUp({ kept, fetch: () => Promise.reject(new Error('away')) })).resolves.toBeDefined();
});
