import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type InboxItem, type Principal, RelayError, type RelayEvent } from 'agent-relay-protocol';
import { silentLogger } from '../../src/logger.ts';
import type { CallContext, RelayHandlers } from '../../src/relay/contract/relay-contract.ts';
import { defaultSettings, type RelaySettings } from '../../src/relay/contract/relay-settings.ts';
import { createRelay, type StartedRelay } from '../../src/relay/relay.ts';
import type { RelayDeps } from '../../src/relay/relay-deps.ts';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { askingStore } from '../support/asking-store.ts';
import { ManualClock } from './manual-clock.ts';

export const anonymous: Principal = { type: 'anonymous', workspace: 'default' };
export const owner: Principal = { type: 'owner', workspace: 'default' };
/** Reads everything that is said, and is not the owner. */
export const observer: Principal = {
  type: 'token',
  workspace: 'default',
  tokenId: 'observer',
  name: 'observer',
  kind: 'observer',
  agentId: null,
  scopes: ['events:read', 'messages:read', 'tasks:read', 'pairs:read', 'workspace:read'],
  targets: null,
  channels: null,
};
export const agentOf = (agentId: string, epoch = 1): Principal => ({ type: 'agent', workspace: 'default', agentId, epoch });
export const nodeOf = (nodeId: string): Principal => ({ type: 'node', workspace: 'default', nodeId });

/** A relay over a real database file, with a clock that is turned by hand. */
export class World implements AsyncDisposable {
  readonly clock: ManualClock;
  readonly folder: string;
  readonly #settings: Partial<RelaySettings>;
  readonly #more: Partial<RelayDeps>;
  readonly #ending = new AbortController();
  relay: StartedRelay;

  private constructor(relay: StartedRelay, clock: ManualClock, folder: string, settings: Partial<RelaySettings>, more: Partial<RelayDeps>) {
    this.relay = relay;
    this.#more = more;
    this.clock = clock;
    this.folder = folder;
    this.#settings = settings;
  }

  static async open(settings: Partial<RelaySettings> = {}, more: Partial<RelayDeps> = {}): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), 'agent-relay-core-'));
    const clock = new ManualClock();
    return new World(await openRelay(folder, clock, settings, more), clock, folder, settings, more);
  }

  /** Closes the relay and opens the same database again, as a restart does. */
  async restart(): Promise<void> {
    await this.relay.close();
    this.relay = await openRelay(this.folder, this.clock, this.#settings, this.#more);
  }

  get call(): RelayHandlers {
    return this.relay.handlers;
  }

  as(principal: Principal, signal: AbortSignal = this.#ending.signal): CallContext {
    return { principal, signal };
  }

  async register(id: string, more: Partial<Parameters<RelayHandlers['agents/register']>[0]> = {}, principal = anonymous) {
    return this.call['agents/register']({ id, name: id, ...more }, this.as(principal));
  }

  async send(from: string, to: string, body = 'hello', more: Partial<Parameters<RelayHandlers['messages/send']>[0]> = {}) {
    return this.call['messages/send']({ from, to, body, ...more }, this.as(anonymous));
  }

  /** Ids an agent's poll answers. */
  async poll(id: string, principal = anonymous): Promise<number[]> {
    const { data } = await this.call['inbox/list']({ id }, this.as(principal));
    return data.map(({ message }) => message.id);
  }

  async ack(id: string, ...ids: number[]) {
    return this.call['inbox/ack']({ id, ids }, this.as(anonymous));
  }

  /** One recipient's receipt as one word, with its evidence and whether it came late. */
  async receipt(messageId: number, agentId: string): Promise<string> {
    const { data } = await this.call['messages/deliveries']({ id: messageId }, this.as(observer));
    const found = data.find((delivery) => delivery.agentId === agentId);
    if (!found) return 'none';
    return [found.state, found.evidence, found.late ? 'late' : null].filter(Boolean).join(' ');
  }

  /** The whole log after a cursor, as single events. */
  async events(after = 0, filter: { for?: string; channel?: string; types?: string[] } = {}): Promise<RelayEvent[]> {
    const { head } = this.relay.core.store.log;
    const ending = new AbortController();
    const stream = await this.relay.openEvents({ after, ...filter }, this.as(observer, ending.signal));
    const found: RelayEvent[] = [];
    const reading = (async () => {
      for await (const batch of stream.batches) if ('events' in batch) found.push(...batch.events);
    })();
    // A reader that waits at the head has everything: the log is read in turns of the event loop, not in time.
    for (let turn = 0; turn < 20; turn += 1) await anotherTurn();
    ending.abort();
    await reading;
    return found.filter((event) => event.seq <= head);
  }

  async types(after = 0): Promise<string[]> {
    return (await this.events(after)).map(({ type }) => type);
  }

  get head(): number {
    return this.relay.core.store.log.head;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.relay.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function openRelay(
  folder: string,
  clock: ManualClock,
  settings: Partial<RelaySettings>,
  more: Partial<RelayDeps>,
): Promise<StartedRelay> {
  const store = await SqliteStore.open({ path: join(folder, 'relay.db') });
  return createRelay({
    store: askingStore(store),
    clock,
    log: silentLogger,
    settings: { ...defaultSettings, ...settings },
    workspace: 'default',
    ownerTokens: ['the owner'],
    ...more,
  });
}

export const anotherTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Waits, turn by turn, until something is so; at least a minute, for what is not of this thread takes time and no turns. */
export async function until(isSo: () => boolean | Promise<boolean>, turns = 2_000): Promise<void> {
  const latest = performance.now() + 60_000;
  for (let turn = 0; turn < turns || performance.now() < latest; turn += 1) {
    if (await isSo()) return;
    await (turn < turns ? anotherTurn() : new Promise((resolve) => void setTimeout(resolve, 20)));
  }
  throw new Error('It did not come to be');
}

/** The code an operation is refused with; `none` when it is not. */
export async function codeOf(operation: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof operation === 'function' ? operation() : operation);
    return 'none';
  } catch (error) {
    if (error instanceof RelayError) return error.code;
    throw error;
  }
}

/** Everything a stream of batches has brought so far. */
export function collect(batches: AsyncIterable<readonly InboxItem[]>): {
  readonly ids: number[];
  readonly items: InboxItem[];
  failure: unknown;
} {
  const collected: { ids: number[]; items: InboxItem[]; failure: unknown } = { ids: [], items: [], failure: null };
  void (async () => {
    try {
      for await (const items of batches) {
        collected.items.push(...items);
        collected.ids.push(...items.map(({ message }) => message.id));
      }
    } catch (error) {
      collected.failure = error;
    }
  })();
  return collected;
}
