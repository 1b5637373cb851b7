import { setImmediate } from 'node:timers/promises';
import type { AuditEntry, AuditVerdict } from 'agent-relay-protocol';
import type { Statement } from 'better-sqlite3';
import type { Page } from '../../domain/change.ts';
import { takePage } from '../../domain/page.ts';
import type { AuditedAct, AuditQuery, AuditStore } from '../audit-store.ts';
import { type AuditRow, auditColumns, Doing, GENESIS, hashOf, type Link } from './audit-table.ts';
import type { SqliteContext } from './context.ts';

/** Entries looked at before others have their turn. */
const STRETCH = 500;

export class SqliteAudit implements AuditStore {
  readonly #context: SqliteContext;
  readonly #list: Statement<[{ workspace: string; action: string | null; by: string | null; before: number; limit: number }], AuditRow>;
  readonly #stretch: Statement<[string, number, number], AuditRow>;
  readonly #checkpoint: Statement<[string], Link>;
  readonly #old: Statement<[{ readonly before: number; readonly limit: number }], Link & { readonly workspace: string }>;
  readonly #delete: Statement<[string, number]>;
  readonly #setCheckpoint: Statement<[string, number, string]>;

  constructor(context: SqliteContext) {
    this.#context = context;
    const { reader, database } = context;
    this.#list = reader.prepare(
      `SELECT ${auditColumns} FROM audit WHERE workspace = @workspace AND id < @before AND (@action IS NULL OR action = @action)
       AND (@by IS NULL OR by = @by) ORDER BY id DESC LIMIT @limit`,
    );
    this.#stretch = reader.prepare(`SELECT ${auditColumns} FROM audit WHERE workspace = ? AND id > ? ORDER BY id LIMIT ?`);
    this.#checkpoint = reader.prepare('SELECT id, hash FROM audit_checkpoints WHERE workspace = ?');
    // Only what is older than everything behind it: a clock that was set back must not tear the chain.
    this.#old = database.prepare(
      `SELECT workspace, id, hash FROM audit a WHERE at < @before AND NOT EXISTS
       (SELECT 1 FROM audit b WHERE b.workspace = a.workspace AND b.id < a.id AND b.at >= @before) ORDER BY workspace, id LIMIT @limit`,
    );
    this.#delete = database.prepare('DELETE FROM audit WHERE workspace = ? AND id = ?');
    this.#setCheckpoint = database.prepare(
      'INSERT INTO audit_checkpoints (workspace, id, hash) VALUES (?, ?, ?) ON CONFLICT (workspace) DO UPDATE SET id = excluded.id, hash = excluded.hash',
    );
  }

  async during<Result>(workspace: string, act: AuditedAct, work: () => Result | Promise<Result>): Promise<Result> {
    const { audit, writer } = this.#context;
    const doing = new Doing(workspace, act);
    try {
      const result = await audit.within(doing, async () => work());
      if (!audit.has(doing)) await writer.write(() => audit.link(doing));
      return result;
    } finally {
      doing.isOver = true;
    }
  }

  async list({ workspace, action, by, before = Number.MAX_SAFE_INTEGER, limit }: AuditQuery): Promise<Page<AuditEntry>> {
    const found = this.#list.iterate({ workspace, action: action ?? null, by: by ?? null, before, limit: limit + 1 });
    const { rows, isCut } = takePage(found, limit, ({ details }) => details.length + 300);
    return { items: rows.map(toEntry), cursor: this.#context.log.head, next: isCut ? (rows.at(-1)?.id ?? null) : null };
  }

  async verify(workspace: string): Promise<AuditVerdict> {
    const from = this.#checkpoint.get(workspace) ?? GENESIS;
    let head = from;
    for (let checked = 0; ; await setImmediate()) {
      const rows = this.#stretch.all(workspace, head.id, STRETCH);
      for (const row of rows) {
        const reason = faultOf(workspace, head, row);
        if (reason !== null) return { sound: false, checked, from, head, broken: { id: row.id, reason } };
        head = { id: row.id, hash: row.hash };
        checked += 1;
      }
      if (rows.length < STRETCH) return { sound: true, checked, from, head, broken: null };
    }
  }

  prune(before: number, limit: number): Promise<number> {
    return this.#context.writer.write(() => {
      const old = this.#old.all({ before, limit });
      for (const { workspace, id, hash } of old) {
        this.#delete.run(workspace, id);
        this.#setCheckpoint.run(workspace, id, hash);
      }
      return old.length;
    });
  }
}

function faultOf(workspace: string, before: Link, row: AuditRow): string | null {
  if (row.id !== before.id + 1) return `it follows entry ${before.id}: what was between them is gone`;
  return row.hash === hashOf(workspace, before.hash, row) ? null : 'it is not what was written, or what was before it is not';
}

const toEntry = ({ token_id: tokenId, details, ...row }: AuditRow): AuditEntry => ({ ...row, tokenId, details: detailsOf(details) });

/** Somebody may have written there what is no JSON: that is told by `verify`, and hides no entry. */
function detailsOf(text: string): AuditEntry['details'] {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === 'object' && read !== null && !Array.isArray(read) ? (read as AuditEntry['details']) : {}; // JSON of our own
  } catch {
    return {};
  }
}
