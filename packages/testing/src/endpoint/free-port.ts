import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** Ports that the system gives to nobody by itself. */
export interface PortRange {
  readonly first: number;
  readonly count: number;
}

const LOWEST = 1_025;
const HIGHEST = 65_535;
const MOST = 16_384;

/**
 * Beside those that the system gives to whoever asks for any port and to outgoing connections: below them or above, where there are more. Where it gives
 * away all, and where it does not say, as if it gave those that Linux does unless told otherwise, from 32,768 on.
 * @param given `ip_local_port_range` of Linux: the first and the last of them
 */
export function portsBeside(given: string): PortRange {
  const [first = 0, last = -1] = given.trim().split(/\s+/u).map(Number);
  const below = Math.min(first - LOWEST, MOST);
  const above = Math.min(HIGHEST - last, MOST);
  if (last < first || !(Math.max(below, above) > 0)) return portsBeside('32768 60999');
  return below >= above ? { first: first - below, count: below } : { first: last + 1, count: above };
}

/** Processes that begin one after another are so far apart. */
const APART = 61;

const { first, count } = portsBeside(givenAway());
let next = process.pid * APART;

/**
 * A port of loopback that stays free while what listens there is away: nobody is given it who asks for any. A program that dials an ephemeral port where
 * nobody listens may even be connected to itself, and take it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = first + (next % count);
    next += 1;
    if (await isFree(port)) return port;
  }
}

function givenAway(): string {
  try {
    return readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
  } catch {
    return '';
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
