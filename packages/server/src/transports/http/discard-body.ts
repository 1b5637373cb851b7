import type { IncomingMessage, ServerResponse } from 'node:http';

/** How long and how much of a refused body is still read: closing at once would make the client lose the answer with the connection. */
const DISCARD_MS = 2_000;
const DISCARD_BYTES = 16 * 1024 * 1024;

/** Throws away what is left of a request that was answered before its body had been read; cuts the connection if it is too much. */
export function discardBody(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete || request.destroyed || !response.headersSent) return;
  const cut = () => request.socket.destroy();
  const timer = setTimeout(cut, DISCARD_MS);
  timer.unref();
  let discardedBytes = 0;
  request.on('data', (chunk: Buffer) => {
    discardedBytes += chunk.length;
    if (discardedBytes > DISCARD_BYTES) cut();
  });
  request.on('error', () => {});
  request.once('close', () => clearTimeout(timer));
  request.resume();
}
