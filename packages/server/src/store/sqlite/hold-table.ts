import { type Hold, HoldSchema, type OpenHold } from 'agent-relay-protocol';
import type { Database, Statement } from 'better-sqlite3';
import type { AttemptKey, HoldWrite } from '../../domain/change.ts';
import { recordReader } from './record-reader.ts';

const readHold = recordReader(HoldSchema);

interface HoldRow {
  readonly record: string;
}

/** Writes held messages; inside `writer.write` only. */
export class HoldTable {
  readonly #insert: Statement<[number, string, string, string, string | null, number, string]>;
  readonly #update: Statement<[string, number | null, string, number]>;
  readonly #find: Statement<[string, number], HoldRow & { readonly idempotency_key: string | null; readonly digest: string }>;
  readonly #open: Statement<[string, string, string], HoldRow>;
  readonly #join: Statement<[string, string, string, number]>;
  readonly #underKey: Statement<[{ workspace: string; sender: string; key: string }], HoldRow & { readonly digest: string }>;
  readonly #countOpen: Statement<[string, string], number>;
  /** Whether any was ever held, as far as anybody remembers: most relays never look further. */
  #isEmpty: boolean;

  constructor(database: Database) {
    this.#insert = database.prepare(
      `INSERT INTO holds (id, workspace, sender, status, digest, idempotency_key, held_at, record) VALUES (?, ?, ?, 'held', ?, ?, ?, ?)`,
    );
    this.#update = database.prepare('UPDATE holds SET status = ?, decided_at = ?, record = ? WHERE id = ?');
    this.#find = database.prepare('SELECT record, digest, idempotency_key FROM holds WHERE workspace = ? AND id = ?');
    this.#open = database.prepare("SELECT record FROM holds WHERE workspace = ? AND sender = ? AND digest = ? AND status = 'held'");
    this.#join = database.prepare('INSERT OR REPLACE INTO hold_keys (workspace, sender, key, hold_id) VALUES (?, ?, ?, ?)');
    this.#underKey = database.prepare(
      `SELECT record, digest FROM holds WHERE id = ifnull(
        (SELECT id FROM holds WHERE workspace = @workspace AND sender = @sender AND idempotency_key = @key ORDER BY id DESC LIMIT 1),
        (SELECT hold_id FROM hold_keys WHERE workspace = @workspace AND sender = @sender AND key = @key))`,
    );
    this.#countOpen = database
      .prepare<[string, string], number>("SELECT count(*) FROM holds WHERE workspace = ? AND sender = ? AND status = 'held'")
      .pluck();
    this.#isEmpty = database.prepare('SELECT 1 FROM holds LIMIT 1').get() === undefined;
  }

  find(workspace: string, id: number): { readonly hold: Hold; readonly key: AttemptKey | null } | null {
    const row = this.#find.get(workspace, id);
    if (!row) return null;
    const key = row.idempotency_key === null ? null : { key: row.idempotency_key, digest: row.digest };
    return { hold: toHold(row), key };
  }

  /** The hold of the same attempt that is still open. */
  findOpen(workspace: string, sender: string, digest: string): OpenHold | null {
    const row = this.#open.get(workspace, sender, digest);
    const hold = row && toHold(row);
    return hold?.status === 'held' ? hold : null;
  }

  /** What became of the attempt under this key. */
  findUnderKey(workspace: string, sender: string, key: string): { readonly hold: Hold; readonly digest: string } | null {
    if (this.#isEmpty) return null;
    const row = this.#underKey.get({ workspace, sender, key });
    return row ? { hold: toHold(row), digest: row.digest } : null;
  }

  countOpen(workspace: string, sender: string): number {
    return this.#countOpen.get(workspace, sender) ?? 0;
  }

  insert(workspace: string, hold: Hold, { digest, key }: NonNullable<HoldWrite['attempt']>): void {
    this.#isEmpty = false;
    this.#insert.run(hold.id, workspace, hold.message.from, digest, key, hold.heldAt, JSON.stringify(hold));
  }

  /** The same attempt came under another key. */
  join(workspace: string, { id, message }: Hold, key: string): void {
    this.#join.run(workspace, message.from, key, id);
  }

  update(hold: Hold): void {
    this.#update.run(hold.status, hold.status === 'held' ? null : hold.decidedAt, JSON.stringify(hold), hold.id);
  }
}

export const toHold = ({ record }: HoldRow): Hold => readHold(record);
