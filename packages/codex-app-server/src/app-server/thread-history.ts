import type { z } from 'zod';
import type { CodexRequester, CodexRequestOptions } from './codex-requester.ts';
import { type ItemEntry, ItemsPage, QueuePage, TurnsPage } from './methods.ts';
import type { Turn } from './notifications.ts';
import { hasNoHistory } from './stored-history.ts';

export interface ListItemsOptions {
  /** Keeps to one turn. */
  readonly turnId?: string;
  /** Default 100. */
  readonly limit?: number;
}

type QueueEntry = z.output<typeof QueuePage>['data'][number];

const clientIdOf = ({ item }: ItemEntry) => (item.known?.type === 'userMessage' ? item.known.clientId : undefined);

const pageSize = 100;
const newestTurns = 20;
/** Asked for while somebody waits for the end of a turn. */
const recordTimeoutMs = 10_000;

/** What a server has recorded of one thread: its items, its turns, and what waits in its queue. A thread without a history has none of them. */
export class ThreadHistory {
  readonly #client: CodexRequester;
  readonly #threadId: () => string;

  constructor(client: CodexRequester, threadId: () => string) {
    this.#client = client;
    this.#threadId = threadId;
  }

  /** Newest first. */
  items({ turnId, limit = pageSize }: ListItemsOptions = {}, options?: CodexRequestOptions): Promise<readonly ItemEntry[]> {
    const params = { threadId: this.#threadId(), limit, sortDirection: 'desc', ...(turnId === undefined ? {} : { turnId }) };
    return this.#list(ItemsPage, 'thread/items/list', params, options);
  }

  /** The newest 20, newest first. */
  turns(options?: CodexRequestOptions): Promise<readonly Turn[]> {
    const params = { threadId: this.#threadId(), limit: newestTurns, sortDirection: 'desc' };
    return this.#list(TurnsPage, 'thread/turns/list', params, options);
  }

  /** The record of one turn. Without an answer nothing is recorded, as far as is known here. */
  async turn(turnId: string): Promise<Turn | undefined> {
    const turns = await this.turns({ timeoutMs: recordTimeoutMs }).catch(() => []);
    return turns.find(({ id }) => id === turnId);
  }

  /** The items of each of these turns, oldest first. */
  async itemsByTurn(turns: readonly Turn[], options?: CodexRequestOptions): Promise<ReadonlyMap<string, readonly ItemEntry[]>> {
    const byTurn = new Map<string, readonly ItemEntry[]>();
    for (const { id: turnId } of turns) byTurn.set(turnId, (await this.items({ turnId }, options)).toReversed());
    return byTurn;
  }

  /** What waits for a turn of its own. Experimental. */
  queue(options?: CodexRequestOptions): Promise<readonly QueueEntry[]> {
    return this.#list(QueuePage, 'thread/queue/list', { threadId: this.#threadId() }, options);
  }

  /** Takes back what waits in the queue under these ids, and answers which did. Experimental. */
  async dequeue(clientUserMessageIds: ReadonlySet<string>, options?: CodexRequestOptions): Promise<ReadonlySet<string>> {
    const taken = new Set<string>();
    for (const { id, clientUserMessageId } of await this.queue(options)) {
      if (!clientUserMessageId || !clientUserMessageIds.has(clientUserMessageId)) continue;
      await this.#client.request('thread/queue/delete', { threadId: this.#threadId(), queuedSubmissionId: id }, options);
      taken.add(clientUserMessageId);
    }
    return taken;
  }

  /** Which of these messages are in the conversation, among its newest items. */
  async messages(clientUserMessageIds: ReadonlySet<string>, options?: CodexRequestOptions): Promise<ReadonlyMap<string, ItemEntry>> {
    const entries = (await this.items({}, options)).map((entry) => [clientIdOf(entry) ?? '', entry] as const);
    return new Map(entries.filter(([clientId]) => clientUserMessageIds.has(clientId)).reverse());
  }

  /** Where a message of ours went: the id of its turn, empty while it waits in the queue, `undefined` when it has not arrived. */
  async turnOfMessage(clientUserMessageId: string): Promise<string | undefined> {
    const found = (await this.items()).find((entry) => clientIdOf(entry) === clientUserMessageId);
    if (found) return found.turnId;
    if (!this.#client.isExperimental) return undefined;
    return (await this.queue()).some((queued) => queued.clientUserMessageId === clientUserMessageId) ? '' : undefined;
  }

  async #list<T>(schema: z.ZodType<{ data: T[] }>, method: string, params: object, options?: CodexRequestOptions): Promise<readonly T[]> {
    try {
      return (await this.#client.ask(schema, method, params, options)).data;
    } catch (error) {
      if (hasNoHistory(error)) return [];
      throw error;
    }
  }
}
