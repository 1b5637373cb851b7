import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freePort } from '../src/endpoint/free-port.ts';

test.runIf(process.platform === 'linux')('a free port is none that the system gives away by itself, and each is another', async () => {
  const [first = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split('\t').map(Number);
  const ports = await Promise.all(Array.from({ length: 50 }, freePort));
  expect(new Set(ports).size).toBe(50);
  expect(Math.max(...ports)).toBeLessThan(first);
  expect(Math.min(...ports)).toBeGreaterThan(1_024);
});

test('a port where somebody listens is passed over', async () => {
  const server = createServer().listen((await freePort()) + 1, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const taken = typeof address === 'object' ? address?.port : 0;
  expect(await Promise.all(Array.from({ length: 10 }, freePort))).not.toContain(taken);
  await new Promise((resolve) => server.close(resolve));
});
