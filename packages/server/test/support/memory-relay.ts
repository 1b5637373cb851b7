import {
  DEFAULT_WORKSPACE,
  type Message,
  type Principal,
  RELAY_VERSION,
  RelayError,
  type RelayEvent,
  routeNames,
} from 'agent-relay-protocol';
import type { EventBatch, NodeHandlers, Relay, RelayHandlers } from '../../src/relay/relay-contract.ts';

/** Stands in for the relay while the transports alone are tried: a log, tokens and login codes in memory, and no rules. */
export class MemoryRelay implements Relay {
  readonly handlers: RelayHandlers;
  readonly nodeHandlers: NodeHandlers;
  readonly tokens = new Map<string, Principal>();
  readonly loginCodes = new Map<string, string>();
  readonly log: RelayEvent[] = [];
  readonly aborted: string[] = [];
  readonly detached: unknown[] = [];
  pagesRead = 0;
  #bells = new Set<() => void>();

  constructor() {
    const refused = Object.fromEntries(
      routeNames.map((name) => [
        name,
        () => {
          throw new RelayError('not_found', `${name} finds nothing here`);
        },
      ]),
    );
    const served: Partial<RelayHandlers> = {
      'system/health': () => ({ status: 'ok', version: RELAY_VERSION, protocol: 1, parts: {} }),
      'system/me': (_input, { principal }) => principal,
      'messages/cursor': () => ({ cursor: this.log.length, generation: 'g1' }),
      'messages/send': (input, { principal }) => this.#send(input.body, input.to ?? 'owner', principal),
      'agents/remove': () => {
        throw new TypeError('a bug with secrets in it');
      },
      'inbox/list': (input, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            this.aborted.push(input.id);
            resolve({ data: [], cursor: 0 });
          });
        }),
      'messages/list': (input) => ({ data: [], cursor: input.since ?? 0, nextCursor: input.limit ?? 0 }),
    };
    this.handlers = { ...refused, ...served } as RelayHandlers; // every name is in `refused`
    this.nodeHandlers = {
      'nodes/attach': async () => ({ nodeId: 'n1', sessions: [] }),
      'nodes/heartbeat': async () => ({ release: [] }),
      'sessions/report': async (_params, { link }) => {
        await link.command('session/interrupt', { sessionId: 's' }, { timeoutMs: 5_000 });
        return {};
      },
      'activity/append': async (_params, { principal }) => ({ ackedSeq: principal.type === 'node' ? 1 : 0 }),
    };
  }

  async authenticate(token: string): Promise<Principal | null> {
    return this.tokens.get(token) ?? null;
  }

  async exchangeLoginCode(code: string): Promise<{ token: string; expiresAt: number } | null> {
    const token = this.loginCodes.get(code);
    this.loginCodes.delete(code);
    return token === undefined ? null : { token, expiresAt: Date.now() + 60_000 };
  }

  nodeLive(): void {}

  nodeDetached(link: unknown): void {
    this.detached.push(link);
  }

  async openEvents(filter: { after?: number | undefined }, { signal }: { signal: AbortSignal }) {
    const cursor = filter.after ?? this.log.length;
    const reset = { reason: 'ahead' as const, oldest: 1, head: this.log.length, generation: 'g1' };
    return { cursor, generation: 'g1', batches: cursor > this.log.length ? single({ reset }) : this.#follow(cursor, signal) };
  }

  async openInbox(): Promise<{ batches: AsyncIterable<never> }> {
    throw new RelayError('inbox_taken', 'Somebody else delivers this mail');
  }

  async openActivity(): Promise<never> {
    throw new RelayError('not_found', 'No such agent');
  }

  async close(): Promise<void> {}

  append(body: string): void {
    this.#send(body, 'owner', { type: 'owner', workspace: DEFAULT_WORKSPACE });
  }

  async *#follow(after: number, signal: AbortSignal): AsyncGenerator<EventBatch> {
    let cursor = after;
    while (!signal.aborted) {
      const events = this.log.slice(cursor, cursor + 50);
      if (events.length > 0) {
        this.pagesRead += 1;
        cursor += events.length;
        yield { events };
      } else await this.#bell(signal);
    }
  }

  #bell(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#bells.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#bells.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  #send(body: string, to: string, principal: Principal) {
    const id = this.log.length + 1;
    const message: Message = {
      id,
      from: 'owner',
      to,
      body,
      subject: null,
      channel: null,
      kind: 'chat',
      claimable: false,
      replyTo: null,
      threadId: id,
      mode: 'next',
      expiresAt: null,
      payload: null,
      meta: null,
      sender: { relation: 'owner', principal: principal.type },
      createdAt: 1,
      deletedAt: null,
    };
    this.log.push({ type: 'message.new', seq: id, at: 1, message, matched: 1 });
    for (const wake of [...this.#bells]) wake();
    return { ...message, matched: 1, duplicate: false };
  }
}

async function* single<Item>(item: Item): AsyncGenerator<Item> {
  yield item;
}
