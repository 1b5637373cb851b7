import { JsonRpcError } from 'agent-relay-wire';
import { expect, test } from 'vitest';
import { RequestGate } from './request-gate.ts';

const overloaded = () => new JsonRpcError({ code: -32001, message: 'Server overloaded; retry later.' });

test('no more requests than allowed are in flight, and all are sent in order', async () => {
  const gate = new RequestGate({ maxInFlight: 2 });
  const sent: number[] = [];
  const releases: (() => void)[] = [];
  const all = [1, 2, 3, 4].map((number) =>
    gate.run(async () => {
      sent.push(number);
      await new Promise<void>((resolve) => releases.push(resolve));
    }),
  );
  await expect.poll(() => sent).toEqual([1, 2]);
  releases.shift()?.();
  await expect.poll(() => sent).toEqual([1, 2, 3]);
  for (const release of releases.splice(0)) release();
  await expect.poll(() => sent).toEqual([1, 2, 3, 4]);
  for (const release of releases.splice(0)) release();
  await Promise.all(all);
  expect(gate.inFlight).toBe(0);
});

test('a full server is tried again, with a look before each resend', async () => {
  const gate = new RequestGate({ random: () => 0 });
  const calls: string[] = [];
  const send = async () => {
    calls.push('send');
    if (calls.length < 4) throw overloaded();
    return 'answer';
  };
  const look = async () => void calls.push('look');
  expect(await gate.run(send, look)).toBe('answer');
  expect(calls).toEqual(['send', 'look', 'send', 'look', 'send']);
});

test('what is found before a resend is the answer', async () => {
  const gate = new RequestGate({ random: () => 0 });
  expect(
    await gate.run(
      () => Promise.reject(overloaded()),
      async () => 'was there',
    ),
  ).toBe('was there');
});

test('a server that stays full is given up after the last try, any other error at once', async () => {
  const gate = new RequestGate({ random: () => 0, maxOverloadedTries: 3 });
  let tries = 0;
  const fail = (error: Error) => () => {
    tries += 1;
    return Promise.reject(error);
  };
  await expect(gate.run(fail(overloaded()))).rejects.toMatchObject({ rpcCode: -32001 });
  expect(tries).toBe(3);
  await expect(gate.run(fail(new Error('no')))).rejects.toThrow('no');
  expect(tries).toBe(4);
});
