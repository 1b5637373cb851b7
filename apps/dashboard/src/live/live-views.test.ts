import { createRelayClient, RelayError, type RelayEvent } from 'agent-relay-client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LiveViews } from './live-views.ts';
import { READ_AGAIN, type Snapshot, type View } from './view.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const bound = (seq: number): RelayEvent => ({ type: 'agent.removed', seq, at: seq, agentId: `agent-${seq}` });

/** A view of the numbers of the events so far, read from a relay that answers when the test says. */
function readable(id = 0, apply?: View<readonly number[]>['apply']) {
  const readings: { readonly answer: (snapshot: Snapshot<readonly number[]>) => void; readonly fail: (error: unknown) => void }[] = [];
  const view: View<readonly number[]> = {
    name: 'agents',
    id,
    route: 'agents/list',
    read: () => new Promise((answer, fail) => readings.push({ answer, fail })),
    apply: apply ?? ((seqs, { seq }) => (seqs.includes(seq) ? seqs : [...seqs, seq])),
  };
  return { view, readings };
}

// Nothing is asked of it: the views of these tests are read by the tests themselves.
const openViews = () => new LiveViews(createRelayClient({ url: 'http://127.0.0.1:1' }));
const settle = () => vi.advanceTimersByTimeAsync(0);

test('nothing is read before the log is followed, and then what is watched', async () => {
  const [views, watched, unwatched] = [openViews(), readable(1), readable(2)];
  views.of(watched.view).watch(() => {});
  views.of(unwatched.view);
  await settle();
  expect(watched.readings).toHaveLength(0);
  views.begin();
  expect([watched.readings.length, unwatched.readings.length]).toEqual([1, 0]);
  views.of(unwatched.view).watch(() => {});
  expect(unwatched.readings).toHaveLength(1);
});

test('a snapshot that arrives late is brought up to what the log has told since it was true', async () => {
  const [views, { view, readings }] = [openViews(), readable()];
  views.begin();
  const live = views.of(view);
  live.watch(() => {});
  for (const seq of [1, 2, 3]) views.push(bound(seq));
  readings[0]?.answer({ data: [1, 2], cursor: 2 });
  await settle();
  expect(live.get()).toMatchObject({ data: [1, 2, 3], error: null });
  views.push(bound(4));
  expect(live.get().data).toEqual([1, 2, 3, 4]);
});

test('of two readings on their way the later one counts, whichever answers first', async () => {
  const [views, { view, readings }] = [openViews(), readable()];
  views.begin();
  const live = views.of(view);
  live.watch(() => {});
  live.readAgain();
  readings[1]?.answer({ data: [2], cursor: 2 });
  await settle();
  readings[0]?.answer({ data: [1], cursor: 1 });
  await settle();
  expect(live.get().data).toEqual([2]);
});

test('a burst of events is told once', async () => {
  const [views, { view, readings }] = [openViews(), readable()];
  let told = 0;
  views.begin();
  views.of(view).watch(() => {
    told += 1;
  });
  readings[0]?.answer({ data: [], cursor: 0 });
  await settle();
  expect(told).toBe(1);
  for (let seq = 1; seq <= 100; seq += 1) views.push(bound(seq));
  await vi.advanceTimersByTimeAsync(101);
  expect(told).toBe(2);
});

test('a view whose change the log does not carry is read again, the rest of a burst together', async () => {
  const [views, { view, readings }] = [openViews(), readable(0, () => READ_AGAIN)];
  views.begin();
  views.of(view).watch(() => {});
  readings[0]?.answer({ data: [], cursor: 0 });
  await settle();
  for (let seq = 1; seq <= 100; seq += 1) views.push(bound(seq));
  expect(readings).toHaveLength(2);
  readings[1]?.answer({ data: [], cursor: 100 });
  await vi.advanceTimersByTimeAsync(400);
  expect(readings).toHaveLength(3);
  readings[2]?.answer({ data: [], cursor: 100 });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(readings).toHaveLength(3);
});

test('what passes is tried again, and shown only when it does not; what was known stays in sight', async () => {
  const [views, { view, readings }] = [openViews(), readable()];
  views.begin();
  const live = views.of(view);
  live.watch(() => {});
  readings[0]?.answer({ data: [1], cursor: 1 });
  await settle();
  live.readAgain();
  const lost = new RelayError('connection_closed', 'The relay is gone');
  for (let reading = 1; reading <= 5; reading += 1) {
    readings[reading]?.fail(lost);
    await vi.advanceTimersByTimeAsync(16_000);
    expect(live.get()).toMatchObject({ data: [1], error: null });
  }
  readings[6]?.fail(lost);
  await settle();
  expect(live.get()).toMatchObject({ data: [1], error: lost });
  // The relay is there again.
  views.retry();
  readings[7]?.answer({ data: [2], cursor: 2 });
  await settle();
  expect(live.get()).toMatchObject({ data: [2], error: null });
});

test('a refusal is shown at once', async () => {
  const [views, { view, readings }] = [openViews(), readable()];
  views.begin();
  const live = views.of(view);
  live.watch(() => {});
  const refused = new RelayError('forbidden', 'No');
  readings[0]?.fail(refused);
  await vi.advanceTimersByTimeAsync(60_000);
  expect([live.get().error, readings.length]).toEqual([refused, 1]);
});

test('a log that cannot be continued has everything read again', async () => {
  const [views, { view, readings }] = [openViews(), readable()];
  views.begin();
  const live = views.of(view);
  live.watch(() => {});
  views.push(bound(900));
  views.reset();
  readings[1]?.answer({ data: [1], cursor: 1 });
  await settle();
  expect(live.get().data).toEqual([1]);
});

test('who comes back to a page sees at once what it showed, kept current meanwhile; the longest unseen is forgotten', async () => {
  const [views, { view, readings }] = [openViews(), readable()];
  views.begin();
  const leave = views.of(view).watch(() => {});
  readings[0]?.answer({ data: [1], cursor: 1 });
  await settle();
  leave();
  views.push(bound(2));
  expect(views.of(view).get().data).toEqual([1, 2]);
  for (let id = 1; id <= 201; id += 1) views.of(readable(id).view).watch(() => {})();
  expect(views.of(view).get().data).toBe(undefined);
});

test('a list knows that it is whole once its end was read, until what comes pushes out the oldest', async () => {
  const [views, { view, readings }] = [openViews(), readable(0, (seqs, { seq }) => [...seqs, seq].slice(-4))];
  const list = {
    ...view,
    older: {
      oldest: 'first' as const,
      read: async () => ({ data: [1], isEnd: true }),
      merge: (known: readonly number[], more: readonly number[]) => [...more, ...known],
    },
  };
  views.begin();
  const live = views.of(list);
  live.watch(() => {});
  readings[0]?.answer({ data: [2, 3], cursor: 3, nextCursor: 2 });
  await settle();
  expect(live.get()).toMatchObject({ data: [2, 3], isWhole: false });
  await live.readOlder(list.older);
  expect(live.get()).toMatchObject({ data: [1, 2, 3], isWhole: true });
  views.push(bound(4));
  expect(live.get()).toMatchObject({ data: [1, 2, 3, 4], isWhole: true });
  views.push(bound(5));
  expect(live.get()).toMatchObject({ data: [2, 3, 4, 5], isWhole: false });
});
