import type { Snippet } from 'agent-relay-protocol';
import type { Database, Statement } from 'better-sqlite3';

/** In words. */
const LENGTH = 24;
const PLAIN_CHARACTERS = 200;
const BEGIN = '\u0002';
const END = '\u0003';

/** Shows where in a text something was found, by the same tokenizer that found it. Keeps nothing. */
export class Snippets {
  readonly #put: Statement<[string]>;
  readonly #show: Statement<[string], string>;
  readonly #clear: Statement<[]>;

  /** The table is the connection's own, in memory, also where the database is only read. */
  constructor(connection: Database) {
    connection.pragma('temp_store = MEMORY');
    connection.exec("CREATE VIRTUAL TABLE temp.shown USING fts5(text, tokenize = 'porter unicode61 remove_diacritics 2')");
    this.#put = connection.prepare('INSERT INTO temp.shown (text) VALUES (?)');
    this.#show = connection
      .prepare<[string], string>(`SELECT snippet(shown, 0, char(2), char(3), '…', ${LENGTH}) FROM temp.shown WHERE shown MATCH ?`)
      .pluck();
    this.#clear = connection.prepare('DELETE FROM temp.shown');
  }

  /** The beginning of the text where nothing is to be shown. */
  of(text: string, highlight: string | null): Snippet {
    const plain = text.replaceAll(BEGIN, ' ').replaceAll(END, ' ');
    const found = highlight === null ? undefined : this.#find(plain, highlight);
    if (found === undefined) return [{ text: plain.slice(0, PLAIN_CHARACTERS), isMatch: false }];
    const pieces: { text: string; isMatch: boolean }[] = [];
    for (const piece of found.split(BEGIN)) {
      const [match, after] = piece.split(END);
      if (after === undefined) pieces.push({ text: piece, isMatch: false });
      else pieces.push({ text: match ?? '', isMatch: true }, { text: after, isMatch: false });
    }
    return pieces.filter((piece) => piece.text !== '');
  }

  #find(text: string, highlight: string): string | undefined {
    this.#put.run(text);
    try {
      return this.#show.get(highlight);
    } finally {
      this.#clear.run();
    }
  }
}
