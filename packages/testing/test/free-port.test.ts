import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freePort, portsBeside } from '../src/endpoint/free-port.ts';

test.each([
  { given: '32768\t60999\n', first: 16_384, count: 16_384 },
  { given: '49152\t65535\n', first: 32_768, count: 16_384 },
  { given: '15000\t64000\n', first: 1_025, count: 13_975 },
  { given: '1024\t40000\n', first: 40_001, count: 16_384 },
  { given: '2000\t60000\n', first: 60_001, count: 5_535 },
  { given: '1024\t65535\n', first: 16_384, count: 16_384 },
  { given: '', first: 16_384, count: 16_384 },
])('beside the ports $given that the system gives away there are $count from $first on', ({ given, ...beside }) => {
  expect(portsBeside(given)).toEqual(beside);
});

test.runIf(process.platform === 'linux')('a free port is none that the system gives away by itself, and each is another', async () => {
  const { first, count } = portsBeside(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'));
  const ports = await Promise.all(Array.from({ length: 50 }, freePort));
  expect(new Set(ports).size).toBe(50);
  expect(Math.min(...ports)).toBeGreaterThanOrEqual(first);
  expect(Math.max(...ports)).toBeLessThan(first + count);
});

test('a port where somebody listens is passed over', async () => {
  const taken = (await freePort()) + 1;
  const server = createServer();
  // Somebody else who listens there does as well.
  await new Promise<unknown>((resolve) => server.once('listening', resolve).once('error', resolve).listen(taken, '127.0.0.1'));
  expect(await Promise.all(Array.from({ length: 10 }, freePort))).not.toContain(taken);
  server.close();
});
