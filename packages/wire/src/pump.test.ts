import { expect, it } from 'vitest';
import { Pump } from './pump.ts';

/** Work whose runs end when the test says so. */
function steered() {
  const runs: { readonly end: () => void; readonly fail: (error: unknown) => void }[] = [];
  const errors: unknown[] = [];
  const work = () => new Promise<void>((end, fail) => runs.push({ end, fail }));
  return { runs, errors, pump: new Pump(work, (error) => errors.push(error)) };
}
const turns = async () => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

it('runs once more for all that woke it while it ran', async () => {
  const { pump, runs } = steered();
  pump.wake();
  for (let times = 0; times < 3; times += 1) pump.wake();
  expect(runs).toHaveLength(1);
  runs[0]?.end();
  await turns();
  expect(runs).toHaveLength(2);
  runs[1]?.end();
  await pump.settled();
  expect([runs.length, pump.isRunning]).toEqual([2, false]);
});

it('joins the run in hand, which is not followed by another', async () => {
  const { pump, runs } = steered();
  const joined = Promise.all([pump.run(), pump.run()]);
  runs[0]?.end();
  await joined;
  await turns();
  expect(runs).toHaveLength(1);
});

it('tells whoever asked why a run failed, and runs again when it is woken', async () => {
  const { pump, runs, errors } = steered();
  const asked = pump.run();
  runs[0]?.fail('asked');
  await expect(asked).rejects.toBe('asked');
  pump.wake();
  runs[1]?.fail('woken');
  await turns();
  expect([errors, runs.length]).toEqual([['woken'], 2]);
  pump.wake();
  expect(runs).toHaveLength(3);
});

it('runs again also when the run that was woken meanwhile failed', async () => {
  const { pump, runs, errors } = steered();
  pump.wake();
  pump.wake();
  runs[0]?.fail('first');
  await turns();
  expect([errors, runs.length]).toEqual([['first'], 2]);
});

it('is woken by its own work without running twice at a time', async () => {
  let depth = 0;
  let deepest = 0;
  let left = 3;
  const pump: Pump = new Pump(
    async () => {
      depth += 1;
      deepest = Math.max(deepest, depth);
      if (left-- > 0) pump.wake();
      await Promise.resolve();
      depth -= 1;
    },
    () => {},
  );
  pump.wake();
  await pump.settled();
  expect([left, deepest]).toEqual([-1, 1]);
});

it('says once why a run failed, also to whoever wakes it after it was closed', async () => {
  const { pump, runs, errors } = steered();
  pump.wake();
  runs[0]?.fail('once');
  await pump.close();
  pump.wake();
  await pump.run();
  expect([errors, runs.length]).toEqual([['once'], 1]);
});

it('begins nothing once it is closed, and waits for the run in hand', async () => {
  const { pump, runs } = steered();
  pump.wake();
  pump.wake();
  let isClosed = false;
  const closing = pump.close().then(() => {
    isClosed = true;
  });
  await turns();
  expect(isClosed).toBe(false);
  runs[0]?.fail('whatever');
  await closing;
  pump.wake();
  await pump.run();
  expect(runs).toHaveLength(1);
});
