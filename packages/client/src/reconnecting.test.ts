import { RelayError } from 'agent-relay-protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { reconnecting } from './reconnecting.ts';

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(1);
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const away = () => new RelayError('connection_closed', 'The relay is away');

async function collect<Item>(items: AsyncIterable<Item>, into: Item[]): Promise<void> {
  for await (const item of items) into.push(item);
}

test('stretches follow each other at growing distances, which begin anew once one was connected', async () => {
  const controller = new AbortController();
  const begin = Date.now();
  const at: number[] = [];
  const lost: number[] = [];
  const seen: number[] = [];
  const items = reconnecting(
    async function* (onOpen) {
      at.push(Date.now() - begin);
      if (at.length === 3) {
        onOpen();
        yield at.length;
      }
      throw away();
    },
    { signal: controller.signal, onLost: () => lost.push(at.length) },
  );
  const reading = collect(items, seen);
  await vi.advanceTimersByTimeAsync(1_300);
  controller.abort();
  await reading;
  expect([at, lost, seen]).toEqual([[0, 250, 750, 1_000], [1, 2, 3, 4], [3]]);
});

test('what no repetition mends ends it', async () => {
  const gone = new RelayError('not_found', 'Gone');
  const failing = reconnecting(
    async function* () {
      yield* [];
      throw gone;
    },
    { signal: new AbortController().signal },
  );
  await expect(collect(failing, [])).rejects.toBe(gone);
});
