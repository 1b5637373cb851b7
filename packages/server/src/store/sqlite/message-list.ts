import type { Statement } from 'better-sqlite3';
import { isInAudience } from '../../domain/audience.ts';
import type { Page, StoredMessage } from '../../domain/change.ts';
import { MAX_PAGE_CHARACTERS } from '../../domain/page.ts';
import type { AgentIndex } from '../agent-index.ts';
import type { Asked } from '../asked.ts';
import type { MessageQuery } from '../store.ts';
import type { SqliteContext } from './context.ts';
import { stateNumbers } from './delivery-table.ts';
import type { SqliteLog } from './log.ts';
import { type MessageRow, messageCharacters, messageColumns, toStoredMessage } from './message-rows.ts';
import type { ScanTurns } from './scan-turns.ts';
import type { ThreadParticipants } from './thread-participants.ts';

interface Filter {
  readonly workspace: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly channel: string | null;
  readonly direct: string | null;
  readonly unreadBy: number | null;
  readonly claimable: number | null;
  readonly state: number | null;
  /** Whose copy is meant; null for that of any recipient. */
  readonly copyOf: number | null;
  readonly self: string | null;
  readonly selfAddress: string | null;
  readonly selfRef: number | null;
  readonly low: number;
  readonly high: number;
}

type Conditions = Omit<Filter, 'low' | 'high'>;
/** Over the ids above `after`, up to `last`. */
interface Walk extends Asked {
  readonly rows: Walkable;
  readonly after: number;
  readonly last: number;
}

/** Rows that a list is made of, in either order, and how many ids of them one query passes over. */
interface Walkable {
  readonly forward: Statement<[Filter], MessageRow>;
  readonly backward: Statement<[Filter], MessageRow>;
  readonly stretch: number;
}

type Keep = (stored: StoredMessage) => boolean;

/** How many ids one query passes over: other callers get their turn between two of them. */
const STRETCH = 2_000;
/** How many of what it finds one turn looks at, and how much text: whether the caller may read each has to be looked up. */
const MAX_SEEN = 200;
const MAX_SEEN_CHARACTERS = MAX_PAGE_CHARACTERS / 4;

/** Who takes part in a thread is not asked here, of each of its messages anew: `ThreadParticipants` remembers it. */
const where = `id > @low AND id <= @high AND workspace = @workspace
  AND (@from IS NULL OR sender = @from) AND (@to IS NULL OR address = @to) AND (@channel IS NULL OR channel = @channel)
  AND (@direct IS NULL OR fan_out = 1 OR address = @direct)
  AND (@claimable IS NULL OR @claimable = EXISTS (SELECT 1 FROM work WHERE kind IN ('message', 'task') AND subject_id = messages.id))
  AND (@state IS NULL OR EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = messages.id AND d.state = @state
    AND (@copyOf IS NULL OR d.ref = @copyOf) AND (@self IS NULL OR sender = @self OR d.ref = @selfRef)))
  AND (@unreadBy IS NULL OR NOT EXISTS (SELECT 1 FROM deliveries WHERE message_id = messages.id AND ref = @unreadBy AND read_at IS NOT NULL))
  AND (@self IS NULL OR fan_out = 1 OR sender = @self OR address = @selfAddress OR thread_id IS NOT NULL
    OR EXISTS (SELECT 1 FROM messages a WHERE a.thread_id = messages.id))`;

/** Lists messages by walking the log in stretches, so that a filter that matches little blocks nobody. */
export class MessageList {
  readonly #log: SqliteLog;
  readonly #index: AgentIndex;
  readonly #participants: ThreadParticipants;
  readonly #all: Walkable;
  /** Found by an index, however long the log is. */
  readonly #deadLetters: Walkable;
  readonly #turns: ScanTurns;

  constructor({ reader, log, index, scanTurns, participants }: SqliteContext) {
    this.#turns = scanTurns;
    this.#participants = participants;
    this.#log = log;
    this.#index = index;
    const walkable = (rows: string, stretch: number): Walkable => ({
      forward: reader.prepare(`SELECT ${messageColumns} FROM messages WHERE ${rows} AND ${where} ORDER BY id`),
      backward: reader.prepare(`SELECT ${messageColumns} FROM messages WHERE ${rows} AND ${where} ORDER BY id DESC`),
      stretch,
    });
    this.#all = walkable('TRUE', STRETCH);
    this.#deadLetters = walkable(
      'id IN (SELECT message_id FROM dead_letters WHERE workspace = @workspace AND message_id > @low AND message_id <= @high)',
      Number.MAX_SAFE_INTEGER,
    );
  }

  async read(query: MessageQuery): Promise<Page<StoredMessage>> {
    const head = this.#log.head;
    const entry = query.for === undefined ? null : this.#index.in(query.workspace).find(query.for);
    if (entry === undefined) return { items: [], cursor: head, next: null };
    const { reading } = query;
    const self = reading?.as ?? null;
    const filter = {
      workspace: query.workspace,
      from: query.from ?? null,
      to: query.to ?? null,
      channel: query.channel ?? null,
      direct: entry ? `id:${entry.agentId}` : null,
      unreadBy: entry && query.unread === true ? entry.ref : null,
      claimable: query.claimable === undefined ? null : Number(query.claimable),
      state: query.state === undefined ? null : stateNumbers[query.state],
      copyOf: entry?.ref ?? null,
      self,
      selfAddress: self === null ? null : `id:${self}`,
      selfRef: self === null ? null : (this.#index.in(query.workspace).find(self)?.ref ?? null),
    };
    const mayRead = ({ workspace, message }: StoredMessage) =>
      !reading || reading.mayRead(message, () => this.#participants.of(workspace, message.threadId));
    const keep = (stored: StoredMessage) => (!entry || isInAudience(stored.message, entry)) && mayRead(stored);
    const { after, before, limit, caller } = query;
    const rows = query.deadLetter === true ? this.#deadLetters : this.#all;
    const page = new MessagePage(limit, keep);
    const isWhole =
      before === undefined
        ? await this.#first(filter, page, { rows, after, last: head, caller })
        : await this.#last(filter, page, { rows, after, last: Math.min(head, before - 1), caller });
    const items = before === undefined ? page.items : page.items.toReversed();
    return { items, cursor: head, next: isWhole ? null : page.lastId };
  }

  /** Fills the page from the front; answers whether nothing is left for another. */
  async #first(filter: Conditions, page: MessagePage, { rows, after, last, caller }: Walk): Promise<boolean> {
    for (let low = after; low < last; ) {
      const high = Math.min(last, low + rows.stretch);
      low = page.look(rows.forward.iterate({ ...filter, low, high })) ?? high;
      if (page.isFull) return page.lastId === last;
      if (low < last) await this.#turns.next(caller);
    }
    return true;
  }

  /** As `#first`, from the back. */
  async #last(filter: Conditions, page: MessagePage, { rows, after, last, caller }: Walk): Promise<boolean> {
    for (let high = last; high > after; ) {
      const low = Math.max(after, high - rows.stretch);
      const stoppedAt = page.look(rows.backward.iterate({ ...filter, low, high }));
      high = stoppedAt === null ? low : stoppedAt - 1;
      if (page.isFull) return page.lastId === after + 1;
      if (high > after) await this.#turns.next(caller);
    }
    return true;
  }
}

/** Gathers a page: so many messages, and no more text than one answer carries. */
class MessagePage {
  readonly items: StoredMessage[] = [];
  isFull = false;
  lastId = 0;
  readonly #limit: number;
  readonly #keep: Keep;
  #characters = 0;

  constructor(limit: number, keep: Keep) {
    this.#limit = limit;
    this.#keep = keep;
  }

  /** Answers the row after which it stopped: the page is full, or it has seen enough for one turn. Null when there were no more. */
  look(rows: Iterable<MessageRow>): number | null {
    let seenCharacters = 0;
    let seen = 0;
    for (const row of rows) {
      const characters = messageCharacters(row);
      seenCharacters += characters;
      seen += 1;
      this.#add(row, characters);
      if (this.isFull || seenCharacters > MAX_SEEN_CHARACTERS || seen === MAX_SEEN) return row.id;
    }
    return null;
  }

  #add(row: MessageRow, characters: number): void {
    const stored = toStoredMessage(row);
    if (!this.#keep(stored)) return;
    this.#characters += characters;
    this.isFull = this.items.length > 0 && this.#characters > MAX_PAGE_CHARACTERS;
    if (this.isFull) return;
    this.items.push(stored);
    this.lastId = row.id;
    this.isFull = this.items.length === this.#limit;
  }
}
