import { expect, it } from 'vitest';
import { Serial } from './serial.ts';

const turns = async () => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

it('does one piece of work after the other, in the order in which they were asked for', async () => {
  const serial = new Serial();
  const log: string[] = [];
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const first = serial.run(async () => {
    log.push('first begins');
    await gate;
    log.push('first ends');
    return 1;
  });
  const second = serial.run(() => {
    log.push('second');
    return 2;
  });
  await turns();
  expect(log).toEqual(['first begins']);
  open();
  expect(await Promise.all([first, second])).toEqual([1, 2]);
  expect(log).toEqual(['first begins', 'first ends', 'second']);
});

it('tells whoever asked why their work failed, and goes on behind it', async () => {
  const serial = new Serial();
  const failing = serial.run(() => Promise.reject(new Error('it failed')));
  const throwing = serial.run(() => {
    throw new Error('it threw');
  });
  const next = serial.run(() => 'done');
  await expect(failing).rejects.toThrow('it failed');
  await expect(throwing).rejects.toThrow('it threw');
  expect(await next).toBe('done');
});

it('has settled when what was asked for before is done, and waits for nothing that was asked for later', async () => {
  const serial = new Serial();
  const done: string[] = [];
  void serial.run(async () => {
    await turns();
    done.push('before');
  });
  const settled = serial.settled();
  void serial.run(() => new Promise(() => {}));
  await settled;
  expect(done).toEqual(['before']);
});
