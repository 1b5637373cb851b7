import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startTestRelay } from '../src/testing.ts';
import { startCommand } from './support/command.ts';

test('a relay of this machine is asked through no proxy, also where Node goes by the environment', async () => {
  await using relay = await startTestRelay();
  const home = mkdtempSync(join(tmpdir(), 'proxied-'));
  let asked = 0;
  const proxy = createServer((socket) => {
    asked += 1;
    socket.destroy();
  });
  onTestFinished(() => {
    proxy.close();
    rmSync(home, { recursive: true, force: true });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`; // it listens on TCP
  const env = { HOME: home, NODE_USE_ENV_PROXY: '1', HTTP_PROXY: address, http_proxy: address };
  const { done } = startCommand(['agents', '--url', relay.url, '--token', relay.ownerToken], env);
  expect(await done).toEqual({ code: 0, out: expect.stringContaining('owner'), note: '' });
  expect(asked).toBe(0);
});
