import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import type { Database, Statement } from 'better-sqlite3';
import type { AuditedAct } from '../audit-store.ts';

export interface AuditRow {
  readonly id: number;
  readonly at: number;
  readonly by: string;
  readonly token_id: string | null;
  readonly action: string;
  readonly subject: string | null;
  readonly details: string;
  readonly hash: string;
}

export interface Link {
  readonly id: number;
  readonly hash: string;
}

/** What the first entry follows. */
export const GENESIS: Link = { id: 0, hash: '0'.repeat(64) };
export const auditColumns = 'id, at, by, token_id, action, subject, details, hash';
/** Somebody does something: remembered once, with the first of their writes. */
export class Doing {
  readonly workspace: string;
  readonly act: AuditedAct;
  isOver = false;

  constructor(workspace: string, act: AuditedAct) {
    this.workspace = workspace;
    this.act = act;
  }
}

/** Inside the writer: links what is done to the chain, in the transaction that does it. */
export class AuditTable {
  readonly #doing = new AsyncLocalStorage<Doing>();
  /** Linked in the turn in hand, which may still be rolled back. */
  readonly #linked = new Set<Doing>();
  readonly #last: Statement<[string], Link>;
  readonly #checkpoint: Statement<[string], Link>;
  readonly #insert: Statement<[string, number, number, string, string | null, string, string | null, string, string]>;

  constructor(database: Database) {
    this.#last = database.prepare('SELECT id, hash FROM audit WHERE workspace = ? ORDER BY id DESC LIMIT 1');
    this.#checkpoint = database.prepare('SELECT id, hash FROM audit_checkpoints WHERE workspace = ?');
    this.#insert = database.prepare(
      'INSERT INTO audit (workspace, id, at, by, token_id, action, subject, details, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    );
  }

  within<Result>(doing: Doing, work: () => Result): Result {
    return this.#doing.run(doing, work);
  }

  /** What the caller of a write is doing; asked when the write is asked for. */
  current(): Doing | null {
    const doing = this.#doing.getStore();
    return doing === undefined || doing.isOver ? null : doing;
  }

  /** Of the turn in hand, or before. */
  has(doing: Doing): boolean {
    return doing.isOver || this.#linked.has(doing);
  }

  link(doing: Doing): void {
    if (this.has(doing)) return;
    this.#linked.add(doing);
    const { workspace, act } = doing;
    const { at, by, tokenId, action, subject } = act;
    const before = this.#last.get(workspace) ?? this.#checkpoint.get(workspace) ?? GENESIS;
    const row = { id: before.id + 1, at, by, token_id: tokenId, action, subject, details: JSON.stringify(act.details) };
    this.#insert.run(workspace, row.id, at, by, tokenId, action, subject, row.details, hashOf(workspace, before.hash, row));
  }

  committed(): void {
    for (const doing of this.#linked) doing.isOver = true;
    this.#linked.clear();
  }

  rolledBack(): void {
    this.#linked.clear();
  }
}

export const hashOf = (
  workspace: string,
  before: string,
  { id, at, by, token_id, action, subject, details }: Omit<AuditRow, 'hash'>,
): string =>
  createHash('sha256')
    .update(JSON.stringify([before, workspace, id, at, by, token_id, action, subject, details]))
    .digest('hex');
