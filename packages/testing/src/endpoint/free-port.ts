import { createServer } from 'node:net';

/** Below those that systems give to whoever asks for any port and to outgoing connections (Linux: from 32,768 on). */
const FIRST = 16_384;
const COUNT = 16_384;
/** Processes that begin one after another are so far apart. */
const APART = 61;

let next = process.pid * APART;

/**
 * A port of loopback that stays free while what listens there is away: nobody is given it who asks for any. A program that dials an ephemeral port where
 * nobody listens may even be connected to itself, and take it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + (next % COUNT);
    next += 1;
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
