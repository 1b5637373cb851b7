import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_WORKSPACE, type RegisterAgent, type RouteInput, type RouteName, type RouteOutput } from 'agent-relay-protocol';
import { systemClock } from '../../src/clock.ts';
import type { EventStream } from '../../src/events/event-stream.ts';
import { type Logger, silentLogger } from '../../src/logger.ts';
import type { CallContext, Relay } from '../../src/relay/contract/relay-contract.ts';
import { defaultSettings } from '../../src/relay/contract/relay-settings.ts';
import { createRelay, type StartedRelay } from '../../src/relay/relay.ts';
import type { RelayDeps } from '../../src/relay/relay-deps.ts';
import { createSessions } from '../../src/relay/sessions/sessions.ts';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { sealSession } from '../../src/transports/browser-session.ts';
import { createRelayServer, type RelayServerDeps } from '../../src/transports/relay-server.ts';

export interface BrowserHeaders extends Record<string, string> {
  readonly cookie: string;
  readonly 'x-agent-relay-session': string;
}

export function browserHeaders(relay: Pick<Relay, 'generation'>, token: string): BrowserHeaders {
  const { cookie, word } = sealSession(token);
  return { cookie: `agent_relay_session_${relay.generation}=${cookie}`, 'x-agent-relay-session': word };
}

export const OWNER_TOKEN = 'owner-token-of-these-tests';

interface Options extends Partial<Omit<RelayServerDeps, 'relay'>> {
  /** Puts something of its own in place of a part of the relay, e.g. a fault. */
  readonly replace?: (relay: StartedRelay) => Partial<Relay>;
  readonly probes?: RelayDeps['probes'];
}

/** The transports on a free port, over a relay whose inside a test can see and disturb. */
export class OpenServer implements AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly logged: { readonly message: string; readonly fields: unknown }[];
  readonly drain: () => Promise<void>;
  readonly #relay: StartedRelay;
  readonly #folder: string;
  readonly #pages: { read: number };

  constructor(relay: StartedRelay, folder: string, pages: { read: number }, listening: Pick<OpenServer, 'port' | 'logged' | 'drain'>) {
    this.#relay = relay;
    this.#folder = folder;
    this.#pages = pages;
    this.port = listening.port;
    this.logged = listening.logged;
    this.drain = listening.drain;
    this.url = `http://127.0.0.1:${listening.port}`;
  }

  /** How many batches of events the transports have pulled. */
  get pagesRead(): number {
    return this.#pages.read;
  }

  call<Name extends RouteName>(name: Name, input: RouteInput<Name>): Promise<RouteOutput<Name>> {
    return Promise.resolve(this.#relay.handlers[name](input, asOwner));
  }

  async register(agent: RegisterAgent): Promise<string> {
    return (await this.call('agents/register', { ...agent, withToken: true })).token ?? '';
  }

  /** Stores messages for the owner; answers their ids. */
  async append(count: number, body = 'x'): Promise<number[]> {
    const sent = await Promise.all(Array.from({ length: count }, () => this.call('messages/send', { to: 'id:owner', body })));
    return sent.map(({ id }) => id);
  }

  /** From here on nothing can be written. */
  closeStore(): Promise<void> {
    return this.#relay.core.store.close();
  }

  async head(): Promise<number> {
    return (await this.call('messages/cursor', {})).cursor;
  }

  /** What a browser's page sends after a login link: the cookie, and the word that belongs to it. */
  async browser(): Promise<BrowserHeaders> {
    const { code } = await this.call('login/create', {});
    const session = await this.#relay.exchangeLoginCode(code);
    return browserHeaders(this.#relay, session?.token ?? '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
    await this.#relay.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const asOwner: CallContext = { principal: { type: 'owner', workspace: DEFAULT_WORKSPACE }, signal: new AbortController().signal };

export async function openServer({ replace, probes = {}, ...options }: Options = {}): Promise<OpenServer> {
  const folder = mkdtempSync(join(tmpdir(), 'agent-relay-transports-'));
  const store = await SqliteStore.open({ path: join(folder, 'relay.db') });
  const { workspace } = asOwner.principal;
  const deps = { store, clock: systemClock, log: silentLogger, settings: defaultSettings, workspace, ownerTokens: [OWNER_TOKEN], probes };
  const relay = await createRelay({ ...deps, createSessions: (core) => createSessions(core) });
  const logged: { message: string; fields: unknown }[] = [];
  const write = (message: string, fields?: unknown) => void logged.push({ message, fields });
  const log: Logger = { debug: () => {}, info: write, warn: write, error: write, child: () => log };
  const pages = { read: 0 };
  const openEvents: Relay['openEvents'] = async (filter, context) => counted(await relay.openEvents(filter, context), pages);
  const { server, drain } = createRelayServer({
    relay: { ...relay, openEvents, ...replace?.(relay) },
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
  return new OpenServer(relay, folder, pages, { port, logged, drain });
}

function counted(stream: EventStream, pages: { read: number }): EventStream {
  const count = async function* () {
    for await (const batch of stream.batches) {
      pages.read += 1;
      yield batch;
    }
  };
  return { ...stream, batches: count() };
}
