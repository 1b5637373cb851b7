import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { feelPulse } from './relay-pulse.ts';

test('who takes the connection is silent until it says something, and who is away is not', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on a port
  const [pulse, other] = [feelPulse(address), feelPulse(address)];
  await expect.poll(() => sockets.length).toBe(2);
  expect([pulse.isSilent, other.isSilent]).toEqual([true, true]);
  for (const socket of sockets) await once(socket, 'data');
  for (const socket of sockets) socket.write('HTTP/1.1 200 OK\r\n');
  await expect.poll(() => [pulse.isSilent, other.isSilent]).toEqual([false, false]);
  server.close();
  const nowhere = feelPulse(address);
  await expect.poll(() => nowhere.isSilent).toBe(false);
  for (const unknown of [undefined, 'https://relay.example', 'no address']) expect(feelPulse(unknown).isSilent).toBe(false);
});
