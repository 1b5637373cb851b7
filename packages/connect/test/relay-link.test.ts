import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RelayLink } from '../src/relay-link.ts';

test.skipIf(process.getuid?.() !== 0)('a machine’s token is shown to no socket of another user', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'agent-relay-link-'));
  const socketPath = join(folder, 'relay.sock');
  const heard: string[] = [];
  const server = createServer((socket) => {
    socket.on('data', (chunk) => {
      heard.push(String(chunk));
      socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  const open = () =>
    RelayLink.open({
      ...{ url: new URL('http://127.0.0.1:1'), socketPath, token: 'secret', signal: new AbortController().signal },
      ...{ onCommand: async () => null, onNotification: () => undefined, onError: () => undefined },
    });
  await expect(open()).rejects.toMatchObject({ code: 'connection_closed' });
  expect(heard.splice(0).join('')).toContain('secret');
  chownSync(socketPath, 65_534, 65_534);
  await expect(open()).rejects.toMatchObject({ code: 'connection_closed' });
  expect(heard).toEqual([]);
  server.close();
  rmSync(folder, { recursive: true, force: true });
});
