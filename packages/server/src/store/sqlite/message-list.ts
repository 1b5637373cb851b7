import type { Database, Statement } from 'better-sqlite3';
import { isInAudience } from '../../domain/audience.ts';
import type { AgentIndex } from '../agent-index.ts';
import type { Page, StoredMessage } from '../change.ts';
import type { MessageQuery } from '../store.ts';
import type { SqliteLog } from './log.ts';
import { type MessageRow, messageColumns, toStoredMessage } from './message-rows.ts';

interface Filter {
  readonly workspace: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly channel: string | null;
  readonly direct: string | null;
  readonly unreadBy: number | null;
  readonly claimable: number | null;
  readonly low: number;
  readonly high: number;
  readonly limit: number;
}

type Conditions = Omit<Filter, 'low' | 'high' | 'limit'>;
type Keep = (stored: StoredMessage) => boolean;

/** How many ids one query passes over: other callers get their turn between two of them. */
const STRETCH = 20_000;

const where = `id > @low AND id <= @high AND workspace = @workspace
  AND (@from IS NULL OR sender = @from) AND (@to IS NULL OR address = @to) AND (@channel IS NULL OR channel = @channel)
  AND (@direct IS NULL OR fan_out = 1 OR address = @direct)
  AND (@claimable IS NULL OR @claimable = EXISTS (SELECT 1 FROM work WHERE kind IN ('message', 'task') AND subject_id = messages.id))
  AND (@unreadBy IS NULL OR NOT EXISTS (SELECT 1 FROM deliveries WHERE message_id = messages.id AND ref = @unreadBy AND read_at IS NOT NULL))`;

/** Lists messages by walking the log in stretches, so that a filter that matches little blocks nobody. */
export class MessageList {
  readonly #log: SqliteLog;
  readonly #index: AgentIndex;
  readonly #forward: Statement<[Filter], MessageRow>;
  readonly #backward: Statement<[Filter], MessageRow>;

  constructor(reader: Database, log: SqliteLog, index: AgentIndex) {
    this.#log = log;
    this.#index = index;
    this.#forward = reader.prepare(`SELECT ${messageColumns} FROM messages WHERE ${where} ORDER BY id LIMIT @limit`);
    this.#backward = reader.prepare(`SELECT ${messageColumns} FROM messages WHERE ${where} ORDER BY id DESC LIMIT @limit`);
  }

  async read(query: MessageQuery): Promise<Page<StoredMessage>> {
    const head = this.#log.head;
    const entry = query.for === undefined ? null : this.#index.find(query.workspace, query.for);
    if (entry === undefined) return { items: [], cursor: head, next: null };
    const filter = {
      workspace: query.workspace,
      from: query.from ?? null,
      to: query.to ?? null,
      channel: query.channel ?? null,
      direct: entry ? `id:${entry.agentId}` : null,
      unreadBy: entry && query.unread === true ? entry.ref : null,
      claimable: query.claimable === undefined ? null : Number(query.claimable),
    };
    const keep = (stored: StoredMessage) => !entry || isInAudience(stored.message, entry);
    const items = query.newest === true ? await this.#last(filter, query, head, keep) : await this.#first(filter, query, head, keep);
    const last = items.at(-1)?.message.id ?? query.since;
    const isFull = query.newest !== true && items.length === query.limit;
    return { items, cursor: head, next: isFull && last < head ? last : null };
  }

  async #first(filter: Conditions, { since, limit }: MessageQuery, head: number, keep: Keep): Promise<readonly StoredMessage[]> {
    const items: StoredMessage[] = [];
    for (let low = since; low < head && items.length < limit; ) {
      const high = Math.min(head, low + STRETCH);
      const rows = this.#forward.all({ ...filter, low, high, limit });
      items.push(...rows.map(toStoredMessage).filter(keep));
      low = rows.length < limit ? high : (rows.at(-1)?.id ?? high);
      if (low < head && items.length < limit) await anotherTurn();
    }
    return items.slice(0, limit);
  }

  async #last(filter: Conditions, { since, limit }: MessageQuery, head: number, keep: Keep): Promise<readonly StoredMessage[]> {
    const items: StoredMessage[] = [];
    for (let high = head; high > since && items.length < limit; ) {
      const low = Math.max(since, high - STRETCH);
      const rows = this.#backward.all({ ...filter, low, high, limit });
      items.push(...rows.map(toStoredMessage).filter(keep));
      high = rows.length < limit ? low : (rows.at(-1)?.id ?? low + 1) - 1;
      if (high > since && items.length < limit) await anotherTurn();
    }
    return items.slice(0, limit).reverse();
  }
}

const anotherTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
