import type { ActivityEntry } from 'agent-relay-protocol';
import type { Statement } from 'better-sqlite3';
import { eventText, filesOf, messageText } from '../../domain/search-text.ts';
import type { Found, SearchPage, SearchQuery, SearchStore } from '../search-store.ts';
import { type ActivityRow, activityColumns, toActivityEntry } from './activity-rows.ts';
import type { SqliteContext } from './context.ts';
import { type MessageRow, messageColumns, toStoredMessage } from './message-rows.ts';
import { type SearchTurn, SearchTurns, TURN_MS } from './search-turns.ts';
import { type Exact, exactOf, expressionOf, highlightOf, type IndexedWords, wordsOfEntry, wordsOfMessage } from './search-words.ts';
import { Snippets } from './snippets.ts';

/** What one write puts into the index: about so many milliseconds. */
const INDEXED_ROWS = 50;
const INDEXED_CHARACTERS = 32 * 1024;
/** `behind` counts no further. */
const MAX_BEHIND = 10_000;
/** How many the first look is for; the next ones are for as many as fit into a turn, going by how long it took. */
const FIRST_HITS = 4;
const HITS = 50;
/** Texts that are looked at together for what is shown of them. */
const SHOWN_CHARACTERS = 16 * 1024;

interface Source<Row> {
  readonly metaKey: string;
  readonly newRows: Statement<[number, number], Row>;
  readonly insert: Statement<[number, string, string, string]>;
  readonly hits: Statement<[string, number, number], number>;
  readonly countNew: Statement<[number, number], number>;
  readonly charactersOf: (row: Row) => number;
  readonly wordsOf: (row: Row) => IndexedWords;
  readonly get: (id: number) => Row | undefined;
}

interface Numbered {
  readonly id: number;
  readonly workspace: string;
}

interface Walk<Row> {
  readonly source: Source<Row>;
  readonly before: number;
  /** Null for what is not to be found. */
  readonly read: (row: Row) => Found | null;
}

interface Walked {
  readonly items: readonly Found[];
  /** Where to look on; 0 when there is no more. */
  readonly next: number;
}

export class SqliteSearch implements SearchStore {
  readonly #context: SqliteContext;
  readonly #snippets: Snippets;
  readonly #turns: SearchTurns;
  readonly #through: Statement<[string], number>;
  readonly #setThrough: Statement<[number, string]>;
  readonly #messages: Source<MessageRow>;
  readonly #activity: Source<ActivityRow>;

  constructor(context: SqliteContext) {
    this.#context = context;
    const { database, reader, scanTurns } = context;
    this.#turns = new SearchTurns(scanTurns);
    this.#snippets = new Snippets(reader);
    this.#through = database.prepare<[string], number>('SELECT value FROM meta WHERE key = ?').pluck();
    this.#setThrough = database.prepare('UPDATE meta SET value = ? WHERE key = ?');
    const message = reader.prepare<[number], MessageRow>(`SELECT ${messageColumns} FROM messages WHERE id = ?`);
    const entry = reader.prepare<[number], ActivityRow>(`SELECT ${activityColumns} FROM activity WHERE id = ?`);
    this.#messages = {
      ...this.#source<MessageRow>('messages', messageColumns),
      charactersOf: ({ body }) => body.length,
      wordsOf: (row) => wordsOfMessage(toStoredMessage(row)),
      get: (id) => message.get(id),
    };
    this.#activity = {
      ...this.#source<ActivityRow>('activity', activityColumns),
      charactersOf: ({ event }) => event.length,
      wordsOf: (row) => wordsOfEntry(row.workspace, toActivityEntry(row)),
      get: (id) => entry.get(id),
    };
  }

  #source<Row>(table: 'messages' | 'activity', columns: string) {
    const { database, reader } = this.#context;
    const words = table === 'messages' ? 'message_words' : 'activity_words';
    return {
      metaKey: `indexed_${table}`,
      newRows: database.prepare<[number, number], Row>(`SELECT ${columns} FROM ${table} WHERE id > ? ORDER BY id LIMIT ?`),
      insert: database.prepare<[number, string, string, string]>(`INSERT INTO ${words} (rowid, marks, files, text) VALUES (?, ?, ?, ?)`),
      // Numbers are bound as floating point, and FTS5 passes over a limit that is no integer: each look would begin at the newest.
      hits: reader
        .prepare<[string, number, number], number>(
          `SELECT rowid FROM ${words} WHERE ${words} MATCH ? AND rowid <= CAST(? AS INTEGER) ORDER BY rowid DESC LIMIT ?`,
        )
        .pluck(),
      countNew: reader.prepare<[number, number], number>(`SELECT count(*) FROM (SELECT 1 FROM ${table} WHERE id > ? LIMIT ?)`).pluck(),
    };
  }

  index(): Promise<boolean> {
    return this.#context.writer.write(() => {
      const messages = this.#indexSome(this.#messages);
      const activity = this.#indexSome(this.#activity);
      return messages || activity;
    });
  }

  isBehind(): boolean {
    return this.#countNew(this.#messages, 1) + this.#countNew(this.#activity, 1) > 0;
  }

  behind(): number {
    return this.#countNew(this.#messages, MAX_BEHIND) + this.#countNew(this.#activity, MAX_BEHIND);
  }

  #countNew({ countNew, metaKey }: Pick<Source<never>, 'countNew' | 'metaKey'>, most: number): number {
    return countNew.get(this.#through.get(metaKey) ?? 0, most) ?? 0;
  }

  /** Answers whether there may be more. */
  #indexSome<Row extends { readonly id: number }>(source: Source<Row>): boolean {
    const rows: Row[] = [];
    let characters = 0;
    // One at a time: each may be large.
    for (const row of source.newRows.iterate(this.#through.get(source.metaKey) ?? 0, INDEXED_ROWS)) {
      rows.push(row);
      characters += source.charactersOf(row);
      if (characters > INDEXED_CHARACTERS) break;
    }
    for (const row of rows) {
      const { marks, files, text } = source.wordsOf(row);
      source.insert.run(row.id, marks, files, text);
    }
    const last = rows.at(-1);
    if (last) this.#setThrough.run(last.id, source.metaKey);
    return rows.length === INDEXED_ROWS || characters > INDEXED_CHARACTERS;
  }

  async find(query: SearchQuery): Promise<SearchPage> {
    const turn = this.#turns.begin(query.caller, query.signal);
    const exact = exactOf(query);
    const { before, limit } = query;
    // Only activity is a session's, calls tools and changes files.
    const hasMessages = query.messages && query.session === undefined && query.tool === undefined && query.file === undefined;
    const ofMessages = {
      source: this.#messages,
      before: before.message,
      read: (row: MessageRow) => this.#exactly(this.#message(row, query), exact),
    };
    const ofActivity = {
      source: this.#activity,
      before: before.entry,
      read: (row: ActivityRow) => this.#exactly(this.#entry(row, query), exact),
    };
    const messages = hasMessages ? await this.#walk(ofMessages, query, turn) : nothing;
    const entries = query.activity ? await this.#walk(ofActivity, query, turn) : nothing;
    const items = [...messages.items, ...entries.items].sort((one, other) => atOf(other) - atOf(one)).slice(0, limit);
    const next = {
      message: nextOf(messages, items, before.message, idOfMessage),
      entry: nextOf(entries, items, before.entry, idOfEntry),
    };
    return { items: await this.#withSnippets(items, query, turn), next: next.message === 0 && next.entry === 0 ? null : next };
  }

  /** From the newest before `before` on, some at a time: one look goes on until it has found them, however far apart they are. */
  async #walk<Row extends Numbered>({ source, before, read }: Walk<Row>, query: SearchQuery, turn: SearchTurn): Promise<Walked> {
    // Where there is one workspace every row has its mark, and looking for it would cost more than all else.
    let expression = expressionOf(query, false);
    const items: Found[] = [];
    let high = Math.min(before - 1, this.#through.get(source.metaKey) ?? 0);
    for (let most = FIRST_HITS; high > 0; ) {
      const asked = { expression, high, most };
      const looked = await turn.look(() => source.hits.all(asked.expression, asked.high, asked.most));
      if (looked === null) return { items, next: high + 1 };
      const [hits, tookMs] = looked;
      const hasMore = hits.length === most;
      most = Math.max(1, Math.min(HITS, Math.floor((most * TURN_MS) / tookMs)));
      for (const id of hits) {
        const row = source.get(id);
        const isOurs = row?.workspace === query.workspace;
        if (row && !isOurs) expression = expressionOf(query, true);
        const item = row && isOurs ? read(row) : null;
        if (item !== null) items.push(item);
        if (items.length === query.limit || turn.isOver) return { items, next: id };
        await turn.rest();
      }
      high = hasMore ? (hits.at(-1) ?? 0) - 1 : 0;
    }
    return { items, next: 0 };
  }

  #message(row: MessageRow, query: SearchQuery): Found | null {
    const stored = toStoredMessage(row);
    const { reading } = query;
    const { message } = stored;
    if (message.deletedAt !== null || !isWithin(message.createdAt, query)) return null;
    if (reading && !reading.mayRead(message, () => this.#context.participants.of(stored.workspace, message.threadId))) return null;
    return { stored, snippet: [] };
  }

  #entry(row: ActivityRow, query: SearchQuery): Found | null {
    if (!isWithin(row.at, query)) return null;
    const entry = toActivityEntry(row);
    return query.isShown(entry) ? { entry, snippet: [] } : null;
  }

  /** The same where it has what stands together, as it stands. */
  #exactly(found: Found | null, { included, excluded, files }: Exact): Found | null {
    if (found === null) return null;
    if (files !== null && !this.#snippets.matches('entry' in found ? namesIn(found.entry) : '', files)) return null;
    if (included !== null && !this.#snippets.matches(textOf(found), included)) return null;
    return excluded !== null && this.#snippets.matches(textOf(found), excluded) ? null : found;
  }

  async #withSnippets(items: readonly Found[], { terms }: SearchQuery, turn: SearchTurn): Promise<readonly Found[]> {
    const highlight = highlightOf(terms);
    const shown: Found[] = [];
    for (const piece of inPieces(items)) {
      const texts = piece.map(({ text }) => text);
      const snippets = this.#snippets.of(texts, highlight);
      shown.push(...piece.map(({ item }, index) => ({ ...item, snippet: snippets[index] ?? [] })));
      await turn.rest();
    }
    return shown;
  }
}

interface Told {
  readonly item: Found;
  readonly text: string;
}

/** As many at once as have about so many characters. */
function inPieces(items: readonly Found[]): readonly (readonly Told[])[] {
  const pieces: Told[][] = [];
  let characters = 0;
  for (const item of items) {
    const text = textOf(item);
    const last = pieces.at(-1);
    characters += text.length;
    if (last && characters <= SHOWN_CHARACTERS) {
      last.push({ item, text });
      continue;
    }
    pieces.push([{ item, text }]);
    characters = text.length;
  }
  return pieces;
}

const nothing: Walked = { items: [], next: 0 };

const isWithin = (at: number, { sinceAt = 0, untilAt }: SearchQuery): boolean => at >= sinceAt && at <= untilAt;

const textOf = (found: Found): string => ('stored' in found ? messageText(found.stored.message) : eventText(found.entry.event));
const namesIn = ({ event }: ActivityEntry): string =>
  filesOf(event)
    .map(({ path }) => path)
    .join('\n');
const atOf = (found: Found): number => ('stored' in found ? found.stored.message.createdAt : found.entry.at);
const idOfMessage = (found: Found): number | null => ('stored' in found ? found.stored.message.id : null);
const idOfEntry = (found: Found): number | null => ('entry' in found ? found.entry.id : null);

/** Where the next page begins: what was found and had no room comes again. */
function nextOf(walked: Walked, kept: readonly Found[], before: number, idOf: (found: Found) => number | null): number {
  const ids = kept.flatMap((found) => idOf(found) ?? []);
  if (ids.length === walked.items.length) return walked.next;
  return ids.at(-1) === undefined ? before : Math.min(...ids);
}
