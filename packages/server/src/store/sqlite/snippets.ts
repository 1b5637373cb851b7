import type { Snippet } from 'agent-relay-protocol';
import type { Database, Statement } from 'better-sqlite3';

/** What is shown before and after what was found first. */
const BEFORE_CHARACTERS = 80;
const AFTER_CHARACTERS = 160;
const BEGIN = '\u0002';
const END = '\u0003';

/** Looks at texts as the index does, by the same tokenizer. Keeps nothing, and takes about as long as the texts are. */
export class Snippets {
  readonly #connection: Pick<Database, 'inTransaction'>;
  readonly #put: Statement<[number, string]>;
  readonly #matches: Statement<[string], number>;
  readonly #show: Statement<[string], { readonly rowid: number; readonly shown: string }>;
  readonly #begin: Statement<[]>;
  readonly #undo: Statement<[]>;

  /** The table is the connection's own, in memory, also where the database is only read. */
  constructor(connection: Database) {
    this.#connection = connection;
    connection.pragma('temp_store = MEMORY');
    connection.exec("CREATE VIRTUAL TABLE temp.shown USING fts5(text, tokenize = 'porter unicode61 remove_diacritics 2')");
    this.#put = connection.prepare('INSERT INTO temp.shown (rowid, text) VALUES (?, ?)');
    this.#matches = connection.prepare<[string], number>('SELECT 1 FROM temp.shown WHERE shown MATCH ?').pluck();
    // Not snippet(): what that takes grows by the square of how often something is found.
    this.#show = connection.prepare('SELECT rowid, highlight(shown, 0, char(2), char(3)) AS shown FROM temp.shown WHERE shown MATCH ?');
    this.#begin = connection.prepare('BEGIN');
    this.#undo = connection.prepare('ROLLBACK');
  }

  matches(text: string, expression: string): boolean {
    return this.#look([text], () => this.#matches.get(expression) === 1);
  }

  /** Where in each text something was found; its beginning where nothing is to be shown. */
  of(texts: readonly string[], highlight: string | null): readonly Snippet[] {
    const plain = texts.map((text) => text.replaceAll(BEGIN, ' ').replaceAll(END, ' '));
    const found = highlight === null ? [] : this.#look(plain, () => this.#show.all(highlight));
    const shown = new Map(found.map((row) => [row.rowid, row.shown]));
    return plain.map((text, index) => snippetOf(text, shown.get(index)));
  }

  /** One transaction for all texts, and none of them stays. */
  #look<Answer>(texts: readonly string[], look: () => Answer): Answer {
    this.#begin.run();
    try {
      for (const [index, text] of texts.entries()) this.#put.run(index, text);
      return look();
    } finally {
      // A full disk or memory has ended it already, and what it said must not give way to that.
      if (this.#connection.inTransaction) this.#undo.run();
    }
  }
}

function snippetOf(text: string, found = ''): Snippet {
  const first = found.indexOf(BEGIN);
  if (first === -1) return [{ text: cut(text, 0, BEFORE_CHARACTERS + AFTER_CHARACTERS), isMatch: false }];
  return piecesOf(cut(found, first - BEFORE_CHARACTERS, first + AFTER_CHARACTERS));
}

/** A stretch of a text, with a mark where it goes on, and no half of a character. */
function cut(text: string, from: number, to: number): string {
  const begin = Math.max(0, from);
  const shown = text
    .slice(begin, to)
    .replace(/^[\uDC00-\uDFFF]/u, '')
    .replace(/[\uD800-\uDBFF]$/u, '');
  return `${begin > 0 ? '…' : ''}${shown}${to < text.length ? '…' : ''}`;
}

/** What was found last may be cut off before its end. */
function piecesOf(marked: string): Snippet {
  const pieces: { text: string; isMatch: boolean }[] = [];
  for (const [index, piece] of marked.split(BEGIN).entries()) {
    const [match = '', after = ''] = piece.split(END);
    if (index === 0) pieces.push({ text: piece, isMatch: false });
    else pieces.push({ text: match, isMatch: true }, { text: after, isMatch: false });
  }
  return pieces.filter((piece) => piece.text !== '');
}
