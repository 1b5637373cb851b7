import type { IncomingMessage } from 'node:http';

/** How long a refused body is still read: closing at once would make the client lose the answer with the connection. */
const DISCARD_MS = 10_000;

/** Throws away what is left of a request that was answered before its body had been read; cuts the connection if that takes too long. */
export function discardBody(request: IncomingMessage, then: () => void = () => {}): void {
  if (request.complete || request.destroyed) {
    then();
    return;
  }
  const timer = setTimeout(() => request.socket.destroy(), DISCARD_MS);
  timer.unref();
  request.on('data', () => {});
  request.on('error', () => {});
  request.once('end', then);
  request.once('close', () => {
    clearTimeout(timer);
    then();
  });
  request.resume();
}
