import { carriesPrompt } from 'agent-relay-wire';
import type { z } from 'zod';
import type { CodexRequester, CodexRequestOptions } from './codex-requester.ts';
import { isConnectionLost } from './errors.ts';
import { ThreadItemSchema } from './items.ts';
import { DequeueResult, type ItemEntry, ItemsPage, QueuePage, StoredThread, TurnsPage } from './methods.ts';
import type { Turn } from './notifications.ts';
import { hasNoHistory } from './stored-history.ts';
import { type RecordedMessage, storedMessages } from './stored-messages.ts';

export interface ListItemsOptions {
  /** Keeps to one turn. */
  readonly turnId?: string | undefined;
  /** Default 100. */
  readonly limit?: number;
}

export interface FindOptions {
  /** What it says: where no list has it, it is looked for in the stored conversation, too. */
  readonly text?: string | undefined;
}

export interface LookOptions extends FindOptions {
  /** Default: among the newest 100 items. */
  readonly howeverLongAgo?: boolean;
}

/** A message in the conversation, and whether the model did something after it in its turn. */
export interface FoundMessage {
  readonly entry: ItemEntry;
  readonly wasRead: boolean;
}

type QueueEntry = z.output<typeof QueuePage>['data'][number];

interface List<T> {
  readonly schema: z.ZodType<{ data: T[]; nextCursor?: string | undefined }>;
  readonly method: string;
  readonly params?: object;
  /** Whether nothing is wanted beyond this page. Default: all of them are. */
  readonly isLast?: (page: readonly T[]) => boolean;
}

export interface ListTurnsOptions extends CodexRequestOptions {
  /** As many as reach back to this turn. */
  readonly backTo?: string | undefined;
}

const clientIdOf = ({ item }: ItemEntry) => (item.known?.type === 'userMessage' ? item.known.clientId : undefined);

const pageSize = 100;
const turnsAtOnce = 20;
/** Of one list: a server whose cursor leads nowhere must not keep its client. */
const maxPages = 200;
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
    return this.#list({ ...itemList({ limit, turnId }), isLast: () => true }, options);
  }

  /** Newest first: the newest 20, or more with `backTo`. */
  turns({ backTo, ...options }: ListTurnsOptions = {}): Promise<readonly Turn[]> {
    const params = { limit: turnsAtOnce, sortDirection: 'desc' };
    const isLast = (page: readonly Turn[]) => backTo === undefined || page.some(({ id }) => id <= backTo);
    return this.#list({ schema: TurnsPage, method: 'thread/turns/list', params, isLast }, options);
  }

  /** The record of one turn. Without an answer nothing is recorded, as far as is known here. */
  async turn(turnId: string): Promise<Turn | undefined> {
    const turns = await this.turns({ timeoutMs: recordTimeoutMs }).catch(() => []);
    return turns.find(({ id }) => id === turnId);
  }

  /** The turn that runs, as far as is recorded. */
  async runningTurn(options?: CodexRequestOptions): Promise<Turn | undefined> {
    const turns = await this.turns({ ...options, timeoutMs: recordTimeoutMs }).catch(() => []);
    return turns.find(({ status }) => status === 'inProgress');
  }

  /** The items of each of these turns, oldest first. */
  async itemsByTurn(turns: readonly Turn[], options?: CodexRequestOptions): Promise<ReadonlyMap<string, readonly ItemEntry[]>> {
    const byTurn = new Map<string, readonly ItemEntry[]>();
    for (const { id: turnId } of turns) byTurn.set(turnId, (await this.#list(itemList({ turnId }), options)).toReversed());
    return byTurn;
  }

  /** What waits for a turn of its own. Experimental. */
  queue(options?: CodexRequestOptions): Promise<readonly QueueEntry[]> {
    return this.#list({ schema: QueuePage, method: 'thread/queue/list', params: { limit: pageSize } }, options);
  }

  /** Takes back what waits in the queue under these ids. Answers for each that did whether it is out: else Codex has just taken it. Experimental. */
  async dequeue(clientUserMessageIds: ReadonlySet<string>, options?: CodexRequestOptions): Promise<ReadonlyMap<string, boolean>> {
    const isOut = new Map<string, boolean>();
    for (const { id, clientUserMessageId } of await this.queue(options)) {
      if (!clientUserMessageId || !clientUserMessageIds.has(clientUserMessageId)) continue;
      const params = { threadId: this.#threadId(), queuedSubmissionId: id };
      const { deleted } = await this.#client.ask(DequeueResult, 'thread/queue/delete', params, options);
      isOut.set(clientUserMessageId, deleted);
    }
    return isOut;
  }

  /** Which of these messages are in the conversation, in the turns back to this one; without one among its newest items. By their ids, with what they say. */
  async messages(
    wanted: ReadonlyMap<string, string | undefined>,
    { backTo, ...options }: ListTurnsOptions = {},
  ): Promise<ReadonlyMap<string, ItemEntry>> {
    const isLast = (page: readonly ItemEntry[]) => backTo === undefined || page.some(({ turnId }) => turnId < backTo);
    const items = await this.#list({ ...itemList(), isLast }, options);
    const entries = items.map((entry) => [clientIdOf(entry) ?? '', entry] as const);
    const found = new Map(entries.filter(([clientId]) => wanted.has(clientId)).reverse());
    const missing = new Map([...wanted].filter(([clientId]) => !found.has(clientId)));
    const unlisted = await this.#unlisted(missing, options);
    return new Map([...found, ...[...unlisted].map(([clientId, { entry }]) => [clientId, entry] as const)]);
  }

  /** A message that came into the conversation, however long ago that was. */
  async findMessage(clientUserMessageId: string, { text }: FindOptions = {}): Promise<FoundMessage | undefined> {
    const isIt = (entry: ItemEntry) => clientIdOf(entry) === clientUserMessageId;
    const items = await this.#list({ ...itemList(), isLast: (page) => page.some(isIt) });
    const at = items.findIndex(isIt);
    const entry = items[at];
    if (!entry) return (await this.#unlisted(new Map([[clientUserMessageId, text]]))).get(clientUserMessageId);
    const wasRead = items.slice(0, at).some(({ turnId, item }) => turnId === entry.turnId && item.type !== 'userMessage');
    return { entry, wasRead };
  }

  /** Where a message of ours went: the id of its turn, empty while it waits in the queue, `undefined` when it has not arrived. */
  async turnOfMessage(clientUserMessageId: string, { howeverLongAgo = false, text }: LookOptions = {}): Promise<string | undefined> {
    // The queue first: what leaves it meanwhile is among the items then.
    const queue = this.#client.isExperimental ? await this.queue() : [];
    const found = howeverLongAgo
      ? (await this.findMessage(clientUserMessageId))?.entry
      : (await this.items()).find((entry) => clientIdOf(entry) === clientUserMessageId);
    if (found) return found.turnId;
    if (queue.some((queued) => queued.clientUserMessageId === clientUserMessageId)) return '';
    return (await this.#unlisted(new Map([[clientUserMessageId, text]]))).get(clientUserMessageId)?.entry.turnId;
  }

  /** Which of these are in the conversation as it is stored, and in no list. */
  async #unlisted(
    wanted: ReadonlyMap<string, string | undefined>,
    options?: CodexRequestOptions,
  ): Promise<ReadonlyMap<string, FoundMessage>> {
    const found = new Map<string, FoundMessage>();
    if ([...wanted.values()].every((text) => text === undefined)) return found;
    const asking = this.#client.ask(StoredThread, 'thread/read', { threadId: this.#threadId() }, options);
    const stored = await asking.catch((error: unknown) => {
      // Whoever asks knows nothing then, and sends nothing.
      if (isConnectionLost(error)) throw error;
      return undefined;
    });
    const path = stored?.thread.path;
    const messages = path === undefined ? [] : await storedMessages(path);
    for (const [clientId, text] of wanted) {
      const isIt = (message: RecordedMessage) =>
        message.clientId === clientId || (message.clientId === undefined && text !== undefined && carriesPrompt(message.text, text));
      const message = messages.findLast(isIt);
      if (!message) continue;
      const { id, turnId, wasRead } = message;
      const item = ThreadItemSchema.parse({ type: 'userMessage', id, clientId, content: [{ type: 'text', text: message.text }] });
      found.set(clientId, { entry: { turnId, item }, wasRead });
    }
    return found;
  }

  /** Page after page, until one is the last. */
  async #list<T>({ schema, method, params, isLast }: List<T>, options?: CodexRequestOptions): Promise<readonly T[]> {
    const found: T[] = [];
    let cursor: string | undefined;
    for (let pages = 0; pages < maxPages; pages += 1) {
      const asked = { threadId: this.#threadId(), ...params, ...(cursor === undefined ? {} : { cursor }) };
      const { data, nextCursor } = await this.#page(schema, { method, params: asked }, options);
      found.push(...data);
      cursor = nextCursor;
      if (cursor === undefined || data.length === 0 || isLast?.(data) === true) break;
    }
    return found;
  }

  async #page<Page extends { data: unknown[] }>(
    schema: z.ZodType<Page>,
    { method, params }: { readonly method: string; readonly params: object },
    options?: CodexRequestOptions,
  ): Promise<Page | { data: []; nextCursor?: undefined }> {
    try {
      return await this.#client.ask(schema, method, params, options);
    } catch (error) {
      if (hasNoHistory(error)) return { data: [] };
      throw error;
    }
  }
}

function itemList({ turnId, limit = pageSize }: ListItemsOptions = {}): List<ItemEntry> {
  const params = { limit, sortDirection: 'desc', ...(turnId === undefined ? {} : { turnId }) };
  return { schema: ItemsPage, method: 'thread/items/list', params };
}
