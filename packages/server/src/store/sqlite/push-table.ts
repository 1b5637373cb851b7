import type { Database, Statement } from 'better-sqlite3';

/** Ends subscriptions to pushes, with what is on its way to them; inside `writer.write` only. */
export class PushTable {
  readonly #dropOfHolder: Statement<[string, string]>;
  readonly #endOfHolder: Statement<[string, string]>;
  readonly #drop: Statement<[number]>;
  readonly #end: Statement<[number]>;
  readonly #listeners = new Set<() => void>();
  #isWritten = false;

  constructor(database: Database) {
    this.#dropOfHolder = database.prepare(
      'DELETE FROM pushes WHERE subscription IN (SELECT ref FROM push_subscriptions WHERE workspace = ? AND holder = ?)',
    );
    this.#endOfHolder = database.prepare('DELETE FROM push_subscriptions WHERE workspace = ? AND holder = ?');
    this.#drop = database.prepare('DELETE FROM pushes WHERE subscription = ?');
    this.#end = database.prepare('DELETE FROM push_subscriptions WHERE ref = ?');
  }

  end(ref: number): void {
    this.#drop.run(ref);
    this.#end.run(ref);
  }

  /** A token has ended. */
  endOfHolder(workspace: string, holder: string): void {
    this.#dropOfHolder.run(workspace, holder);
    this.#endOfHolder.run(workspace, holder);
  }

  /** Something waits to be sent. */
  note(): void {
    this.#isWritten = true;
  }

  onWritten(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  committed(): void {
    if (!this.#isWritten) return;
    this.#isWritten = false;
    for (const listener of this.#listeners) listener();
  }

  rolledBack(): void {
    this.#isWritten = false;
  }
}
