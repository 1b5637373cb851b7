import type { Message } from 'agent-relay-protocol';
import type { Database, Statement } from 'better-sqlite3';
import { isDirect } from '../../domain/audience.ts';
import type { AttemptKey, StoredMessage } from '../../domain/change.ts';
import { workOffered } from '../../domain/claim-changes.ts';
import type { AddressTable } from './address-table.ts';
import type { DeliveryTable } from './delivery-table.ts';
import type { SqliteLog } from './log.ts';
import { extraOf, type MessageRow, messageColumns, toStoredMessage } from './message-rows.ts';

type Inserted = [
  id: number,
  workspace: string,
  sender: string,
  address: string,
  fanOut: number,
  channel: string | null,
  threadId: number | null,
  relation: string,
  principal: string,
  matched: number,
  createdAt: number,
  expiresAt: number | null,
  body: string,
  extra: string | null,
];

/** Writes messages: each is its own log entry. Inside `writer.write` only. */
export class MessageTable {
  readonly #log: SqliteLog;
  readonly #addresses: AddressTable;
  readonly #deliveries: DeliveryTable;
  readonly #insert: Statement<Inserted>;
  readonly #get: Statement<[number], MessageRow>;
  readonly #insertWork: Statement<[string, number, string, string]>;
  readonly #bury: Statement<[string | null, number, number]>;
  readonly #putKey: Statement<[string, string, string, string, number]>;
  readonly #forgetWords: Statement<[number]>;

  constructor(database: Database, log: SqliteLog, addresses: AddressTable, deliveries: DeliveryTable) {
    this.#log = log;
    this.#addresses = addresses;
    this.#deliveries = deliveries;
    this.#insert = database.prepare(
      `INSERT INTO messages (id, workspace, sender, address, fan_out, channel, thread_id, relation, principal, matched, created_at, expires_at, body, extra)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#get = database.prepare(`SELECT ${messageColumns} FROM messages WHERE id = ?`);
    this.#insertWork = database.prepare("INSERT INTO work (kind, subject_id, workspace, address, status) VALUES (?, ?, ?, ?, 'open')");
    this.#putKey = database.prepare('INSERT INTO idempotency (workspace, sender, key, digest, message_id) VALUES (?, ?, ?, ?, ?)');
    this.#forgetWords = database.prepare('DELETE FROM message_words WHERE rowid = ?');
    this.#bury = database.prepare("UPDATE messages SET body = '', extra = ?, deleted_at = ? WHERE id = ?");
  }

  get(workspace: string, id: number): StoredMessage | null {
    const recent = this.#log.recentMessage(id);
    if (recent) return recent.workspace === workspace ? recent : null;
    const row = this.#get.get(id);
    return row && row.workspace === workspace ? toStoredMessage(row) : null;
  }

  /** Writes a message under its number, with its recipient's copy and the work that it offers. */
  append(stored: StoredMessage, kind: 'message' | 'task'): void {
    const { workspace, message, matched } = stored;
    const direct = isDirect(message.to);
    const extra = extraOf(message);
    this.#insert.run(
      message.id,
      workspace,
      message.from,
      message.to,
      direct ? 0 : 1,
      message.channel,
      message.threadId === message.id ? null : message.threadId,
      message.sender.relation,
      message.sender.principal,
      matched,
      message.createdAt,
      message.expiresAt,
      message.body,
      extra,
    );
    this.#log.noteMessage(stored, message.body.length + (extra?.length ?? 0));
    if (direct) this.#deliveries.queue(message.id, this.#addresses.ensure(workspace, message.to.slice(3)).ref, message.createdAt);
    if (!message.claimable) return;
    this.#insertWork.run(kind, message.id, workspace, message.to);
    this.#log.append(workspace, workOffered(message, kind));
  }

  /** Remembers under which key a sender sent it. */
  putKey(workspace: string, from: string, { key, digest }: AttemptKey, messageId: number): void {
    this.#putKey.run(workspace, from, key, digest, messageId);
  }

  /** Leaves a tombstone: what was said is gone, who said it to whom and in which thread stays. */
  bury(message: Message, at: number): void {
    const { traceparent: _parent, tracestate: _state, expects: _expects, ...rest } = message;
    this.#bury.run(extraOf({ ...rest, subject: null, payload: null, meta: null }), at, message.id);
    this.#forgetWords.run(message.id);
    this.#log.forgetMessage();
  }
}
