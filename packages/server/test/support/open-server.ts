import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_WORKSPACE } from 'agent-relay-protocol';
import { systemClock } from '../../src/clock.ts';
import type { Logger } from '../../src/logger.ts';
import { createRelayServer, type RelayServerDeps } from '../../src/transports/relay-server.ts';
import { MemoryRelay } from './memory-relay.ts';

export const OWNER_TOKEN = 'owner-token-of-these-tests';

export interface OpenServer extends AsyncDisposable {
  readonly relay: MemoryRelay;
  readonly url: string;
  readonly port: number;
  readonly logged: { readonly message: string; readonly fields: unknown }[];
  drain(): Promise<void>;
}

/** The transports on a free port, over a relay in memory. */
export async function openServer(options: Partial<RelayServerDeps> = {}): Promise<OpenServer> {
  const relay = new MemoryRelay();
  relay.tokens.set(OWNER_TOKEN, { type: 'owner', workspace: DEFAULT_WORKSPACE });
  const logged: { message: string; fields: unknown }[] = [];
  const write = (message: string, fields?: unknown) => void logged.push({ message, fields });
  const log: Logger = { debug: () => {}, info: write, warn: write, error: write, child: () => log };
  const { server, drain } = createRelayServer({
    relay,
    log,
    clock: systemClock,
    bindHost: '127.0.0.1',
    allowedHosts: [],
    corsOrigins: [],
    allowRemoteAnonymous: false,
    dashboardFolder: join(tmpdir(), 'agent-relay-no-such-folder'),
    ...options,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return { relay, url: `http://127.0.0.1:${port}`, port, logged, drain, [Symbol.asyncDispose]: drain };
}
