import type { Database, Statement } from 'better-sqlite3';
import { WriteBell } from './write-bell.ts';

/** Ends subscriptions to pushes, with what is on its way to them; inside `writer.write` only. */
export class PushTable extends WriteBell {
  readonly #dropOfHolder: Statement<[string, string]>;
  readonly #endOfHolder: Statement<[string, string]>;
  readonly #drop: Statement<[number]>;
  readonly #end: Statement<[number]>;

  constructor(database: Database) {
    super();
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

  endOfHolder(workspace: string, holder: string): void {
    this.#dropOfHolder.run(workspace, holder);
    this.#endOfHolder.run(workspace, holder);
  }
}
