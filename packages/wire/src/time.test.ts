import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { aborted, backoffDelays, Pauses, settlesWithin, sleep, unlessAborted, withTimeout } from './time.ts';

function first(count: number, delays: Iterable<number>): number[] {
  const taken: number[] = [];
  for (const delay of delays) {
    if (taken.length === count) break;
    taken.push(delay);
  }
  return taken;
}

describe('backoffDelays', () => {
  it('grows by the factor up to the maximum', () => {
    expect(first(5, backoffDelays({ initialMs: 100, maxMs: 500, factor: 2, random: () => 1 }))).toEqual([100, 200, 400, 500, 500]);
  });

  it('draws each delay from the upper half of its step', () => {
    expect(first(3, backoffDelays({ initialMs: 100, maxMs: 1000, factor: 2, random: () => 0 }))).toEqual([50, 100, 200]);
  });
});

describe('Pauses', () => {
  it('grow until it went well', () => {
    const pauses = new Pauses({ initialMs: 100, maxMs: 300, random: () => 1 });
    const before = [pauses.nextMs(), pauses.nextMs(), pauses.nextMs()];
    pauses.reset();
    expect([...before, pauses.nextMs()]).toEqual([100, 200, 300, 100]);
  });
});

describe('signals', () => {
  it('tell that they have aborted, before or after', async () => {
    const before = aborted(AbortSignal.abort());
    const later = new AbortController();
    const after = aborted(later.signal);
    later.abort();
    expect(await Promise.all([before, after])).toEqual([undefined, undefined]);
  });

  it('end the waiting for work, which goes on', async () => {
    let end = (_: string) => {};
    const work = new Promise<string>((resolve) => {
      end = resolve;
    });
    const stopping = new AbortController();
    const waiting = unlessAborted(work, stopping.signal);
    stopping.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    await expect(unlessAborted(work, AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
    end('done');
    expect(await unlessAborted(work, new AbortController().signal)).toBe('done');
    expect(await unlessAborted(work, undefined)).toBe('done');
  });
});

describe('waiting', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it('sleeps for the time given', async () => {
    let isAwake = false;
    const sleeping = sleep(50).then(() => {
      isAwake = true;
    });
    await vi.advanceTimersByTimeAsync(49);
    expect(isAwake).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await sleeping;
    expect(isAwake).toBe(true);
  });

  it('does not sleep when the signal has aborted already, and wakes when it aborts', async () => {
    await sleep(1_000, { signal: AbortSignal.abort() });
    const controller = new AbortController();
    const sleeping = sleep(1_000, controller);
    controller.abort();
    await sleeping;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('passes on what the work resolves or rejects with in time', async () => {
    expect(await withTimeout(async () => 'done', 100)).toBe('done');
    await expect(withTimeout(() => Promise.reject(new Error('broken')), 100)).rejects.toThrow('broken');
  });

  it('rejects with `timeout` at the deadline and aborts the work', async () => {
    let seen: AbortSignal | undefined;
    const work = withTimeout(
      (signal) => {
        seen = signal;
        return new Promise(() => {});
      },
      100,
      { what: 'probe' },
    );
    const outcome = expect(work).rejects.toMatchObject({ code: 'timeout', message: 'The probe took too long' });
    await vi.advanceTimersByTimeAsync(100);
    await outcome;
    expect(seen?.aborted).toBe(true);
  });

  it('gives up with the reason of the outer signal, before and after it began', async () => {
    const never = () => new Promise<never>(() => {});
    await expect(withTimeout(never, 100, { signal: AbortSignal.abort('before') })).rejects.toBe('before');
    const controller = new AbortController();
    const work = withTimeout(never, 100, controller);
    controller.abort('after');
    await expect(work).rejects.toBe('after');
  });

  it('waits for longer than a timer can', async () => {
    let isAwake = false;
    void sleep(2 ** 31 + 1_000).then(() => {
      isAwake = true;
    });
    await vi.advanceTimersByTimeAsync(2 ** 31);
    expect(isAwake).toBe(false);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(isAwake).toBe(true);
  });

  it('tells whether a promise settled within a time', async () => {
    expect(await settlesWithin(Promise.reject(new Error('settled all the same')), 100)).toBe(true);
    const waiting = settlesWithin(new Promise(() => {}), 100);
    await vi.advanceTimersByTimeAsync(100);
    expect(await waiting).toBe(false);
  });
});
