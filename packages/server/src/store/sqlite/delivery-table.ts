import type { DeliveryEvidence, DeliveryState } from 'agent-relay-protocol';
import type { Database, Statement } from 'better-sqlite3';
import { type DeliveryRecord, deliveryStates, isDeliveryOpen, queuedRecord } from '../../domain/delivery.ts';
import type { OpenMail } from './open-mail.ts';

export interface DeliveryRow {
  readonly message_id: number;
  readonly ref: number;
  readonly state: number;
  /** Written by this version only, from a DeliveryRecord. */
  readonly evidence: DeliveryEvidence | null;
  readonly late: number;
  readonly reason: string | null;
  readonly updated_at: number;
  readonly read_at: number | null;
}

/** The numbers that states are stored as; the first three are open. 1 was never given to any. */
export const stateNumbers = {
  queued: 0,
  dispatched: 2,
  delivered: 3,
  seen: 4,
  answered: 5,
  failed: 6,
  expired: 7,
} as const satisfies Record<DeliveryState, number>;
const stateOf = new Map<number, DeliveryState>(deliveryStates.map((state) => [stateNumbers[state], state]));

export const toDeliveryRecord = (row: DeliveryRow): DeliveryRecord => ({
  state: stateOf.get(row.state) ?? 'queued',
  evidence: row.evidence,
  late: row.late === 1,
  reason: row.reason,
  updatedAt: row.updated_at,
  readAt: row.read_at,
});

type Values = [state: number, evidence: string | null, late: number, reason: string | null, updatedAt: number, readAt: number | null];

/** One row a recipient to whose copy something has happened; inside `writer.write` only. */
export class DeliveryTable {
  readonly #open: OpenMail;
  /** By state: receipts committed since the store was opened, and those of the turn under way. */
  readonly written: Record<DeliveryState, number> = { queued: 0, dispatched: 0, delivered: 0, seen: 0, answered: 0, failed: 0, expired: 0 };
  #unsure: DeliveryState[] = [];
  readonly #get: Statement<[number, number], DeliveryRow>;
  readonly #update: Statement<[...Values, number, number]>;
  readonly #insert: Statement<[...Values, number, number]>;

  constructor(database: Database, open: OpenMail) {
    this.#open = open;
    this.#get = database.prepare('SELECT * FROM deliveries WHERE message_id = ? AND ref = ?');
    this.#update = database.prepare(
      'UPDATE deliveries SET state = ?, evidence = ?, late = ?, reason = ?, updated_at = ?, read_at = ? WHERE message_id = ? AND ref = ?',
    );
    this.#insert = database.prepare(
      'INSERT INTO deliveries (state, evidence, late, reason, updated_at, read_at, message_id, ref) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    );
  }

  /** The copy of a new direct message. It gets a row when something happens to it, or when it has waited for long. */
  queue(messageId: number, ref: number, at: number): void {
    this.#open.opened(ref, messageId, at);
  }

  get(messageId: number, ref: number): DeliveryRecord | null {
    const queuedSince = this.#open.queuedSince(ref, messageId);
    if (queuedSince > 0) return queuedRecord(queuedSince);
    const row = this.#get.get(messageId, ref);
    return row ? toDeliveryRecord(row) : null;
  }

  put(messageId: number, ref: number, record: DeliveryRecord): void {
    const state = stateNumbers[record.state];
    this.#unsure.push(record.state);
    const { evidence, reason, updatedAt, readAt } = record;
    const late = record.late ? 1 : 0;
    const isWritten =
      !this.#open.isUnwritten(ref, messageId) &&
      this.#update.run(state, evidence, late, reason, updatedAt, readAt, messageId, ref).changes > 0;
    if (!isWritten) this.#insert.run(state, evidence, late, reason, updatedAt, readAt, messageId, ref);
    if (isDeliveryOpen(record.state)) this.#open.reopened(ref, messageId);
    else this.#open.closed(ref, messageId);
  }

  committed(): void {
    for (const state of this.#unsure) this.written[state] += 1;
    this.#unsure = [];
  }

  rolledBack(): void {
    this.#unsure = [];
  }
}
