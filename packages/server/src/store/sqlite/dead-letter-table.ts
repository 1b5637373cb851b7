import type { Database, Statement } from 'better-sqlite3';
import type { DeadLetterWrite } from '../../domain/change.ts';
import { stateNumbers } from './delivery-table.ts';

/** Which mail of people waits because it did not arrive; inside `writer.write` only. */
export class DeadLetterTable {
  readonly #add: Statement<[number, string]>;
  readonly #arrived: Statement<[{ id: number; failed: number; expired: number }]>;
  readonly #remove: Statement<[number]>;
  readonly #has: Statement<[number, string], number>;

  constructor(database: Database) {
    this.#add = database.prepare('INSERT OR IGNORE INTO dead_letters (message_id, workspace) VALUES (?, ?)');
    this.#arrived = database.prepare(
      `DELETE FROM dead_letters WHERE message_id = @id
       AND NOT EXISTS (SELECT 1 FROM deliveries WHERE message_id = @id AND state IN (@failed, @expired))`,
    );
    this.#remove = database.prepare('DELETE FROM dead_letters WHERE message_id = ?');
    this.#has = database.prepare<[number, string], number>('SELECT 1 FROM dead_letters WHERE message_id = ? AND workspace = ?').pluck();
  }

  has(workspace: string, messageId: number): boolean {
    return this.#has.get(messageId, workspace) === 1;
  }

  /** After the receipts that it follows from. */
  put(workspace: string, { messageId, status }: DeadLetterWrite): void {
    if (status === 'waits') this.#add.run(messageId, workspace);
    else if (status === 'over') this.#remove.run(messageId);
    else this.#arrived.run({ id: messageId, failed: stateNumbers.failed, expired: stateNumbers.expired });
  }
}
