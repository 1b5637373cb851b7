import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { SessionInbox } from './session-inbox.ts';

const frame = { id: 'f1', replySocket: '/reply.sock', fromName: 'Peer', text: 'hello' };

test('what was written to a session that does not read for long is not taken for undelivered: it reads it later', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'session-inbox-'));
  const socketPath = join(folder, 'inbox.sock');
  // Neither reads nor closes until it is told to.
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
  const connection = new Promise<NodeJS.ReadableStream>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  try {
    await new SessionInbox({ socketPath, token: undefined }).post([frame]);
    const socket = await connection;
    expect(await text(socket)).toContain('"msg_id":"f1"');
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test('where nobody listens it says so', async () => {
  await expect(new SessionInbox({ socketPath: join(tmpdir(), 'no-inbox-here.sock'), token: undefined }).post([frame])).rejects.toThrow(
    /ENOENT/u,
  );
});
