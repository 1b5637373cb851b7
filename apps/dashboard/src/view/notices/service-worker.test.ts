import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';

const source = readFileSync(new URL('../../../public/service-worker.js', import.meta.url), 'utf8');

interface Shown {
  readonly title: string;
  readonly path: unknown;
}

/** The worker with a browser around it that has nothing open: hands it pushes, and says what it shows for each. */
function startWorker() {
  const listeners = new Map<string, (event: object) => void>();
  const shown: Shown[] = [];
  const self = {
    location: { origin: 'https://relay.example' },
    addEventListener: (type: string, listener: (event: object) => void) => listeners.set(type, listener),
    clients: { matchAll: async () => [] },
    registration: {
      getNotifications: async () => [],
      showNotification: async (title: string, { data }: { readonly data: { readonly path: unknown } }) => {
        shown.push({ title, path: data.path });
      },
    },
  };
  runInNewContext(source, { self, URL });
  return async (text: string | null): Promise<readonly Shown[]> => {
    shown.length = 0;
    const work: Promise<unknown>[] = [];
    const data = text === null ? null : { json: () => JSON.parse(text) };
    listeners.get('push')?.({ data, waitUntil: (each: Promise<unknown>) => work.push(each) });
    await Promise.all(work);
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
