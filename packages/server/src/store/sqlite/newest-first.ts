import type { Database, Statement } from 'better-sqlite3';
import type { Page } from '../../domain/change.ts';
import { MAX_PAGE_CHARACTERS } from '../../domain/page.ts';
import type { Asked } from '../asked.ts';
import type { ScanTurns } from './scan-turns.ts';

/** How many rows one query passes over: other callers get their turn between two of them. */
const STRETCH = 2_000;

interface ListedTable {
  readonly table: string;
  /** Of the rows, growing. */
  readonly id: string;
  /** SQL over the filter's names, each of which is null where it was not given. */
  readonly matches: string;
  /** By a filter's name, its condition, for which there is an index that begins with the workspace and ends with the id. */
  readonly indexed?: Readonly<Record<string, string>>;
}

export interface ListFilter {
  readonly workspace: string;
  readonly [name: string]: string | number | null;
}

interface ListPage<Row, Item> extends Asked {
  readonly before: number | undefined;
  readonly limit: number;
  readonly get: (id: number) => Row | undefined;
  readonly charactersOf: (row: Row) => number;
  readonly toItem: (row: Row) => Item | null;
}

type Listing = Statement<[ListFilter & { readonly before: number }], [id: number, matches: number]>;

/** Lists the rows of a table from its end, in stretches: a filter that matches little, or nothing, blocks nobody. */
export class NewestFirst {
  readonly #all: Listing;
  readonly #by: readonly (readonly [name: string, listing: Listing])[];
  readonly #turns: ScanTurns;

  constructor(reader: Database, turns: ScanTurns, { table, id, matches, indexed = {} }: ListedTable) {
    const listing = (where: string): Listing =>
      reader
        .prepare<[ListFilter & { readonly before: number }], [number, number]>(
          `SELECT ${id}, workspace = @workspace AND ${matches} FROM ${table} WHERE ${where} ${id} < @before ORDER BY ${id} DESC LIMIT ${STRETCH}`,
        )
        .raw();
    this.#all = listing('');
    this.#by = Object.entries(indexed).map(([name, condition]) => [name, listing(`workspace = @workspace AND ${condition} AND`)]);
    this.#turns = turns;
  }

  async page<Row, Item>(filter: ListFilter, asked: ListPage<Row, Item>): Promise<Omit<Page<Item>, 'cursor'>> {
    const listing = this.#by.find(([name]) => filter[name] !== null)?.[1] ?? this.#all;
    const page = new NewestPage(asked);
    for (let before = asked.before ?? Number.MAX_SAFE_INTEGER; ; ) {
      const last = page.look(listing.iterate({ ...filter, before }));
      if (last === null) return { items: page.items, next: page.next };
      before = last;
      await this.#turns.next(asked.caller);
    }
  }
}

/** Gathers a page: so many items, and no more text than one answer carries. */
class NewestPage<Row, Item> {
  readonly items: Item[] = [];
  /** Where the page after this one begins; null when there is none. */
  next: number | null = null;
  readonly #asked: ListPage<Row, Item>;
  #lastId: number | null = null;
  #characters = 0;

  constructor(asked: ListPage<Row, Item>) {
    this.#asked = asked;
  }

  /** Answers the row from which to look on; null when the page is whole, or there are no more. */
  look(rows: Iterable<[id: number, matches: number]>): number | null {
    let seen = 0;
    let last = 0;
    for (const [id, matches] of rows) {
      seen += 1;
      last = id;
      if (matches === 1 && !this.#add(id)) {
        this.next = this.#lastId;
        return null;
      }
    }
    return seen < STRETCH ? null : last;
  }

  /** False when it has no room for this one. */
  #add(id: number): boolean {
    const { get, charactersOf, toItem, limit } = this.#asked;
    const row = get(id);
    const item = row === undefined ? null : toItem(row);
    if (row === undefined || item === null) return true;
    this.#characters += charactersOf(row);
    const hasRoom = this.items.length < limit && (this.items.length === 0 || this.#characters <= MAX_PAGE_CHARACTERS);
    if (!hasRoom) return false;
    this.items.push(item);
    this.#lastId = id;
    return true;
  }
}
