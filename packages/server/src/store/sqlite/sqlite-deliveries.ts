import type { Delivery } from 'agent-relay-protocol';
import type { Statement } from 'better-sqlite3';
import { isInAudience } from '../../domain/audience.ts';
import type { DeliveryFound, StoredMessage } from '../../domain/change.ts';
import { queuedRecord } from '../../domain/delivery.ts';
import type { AddressEntry } from '../../domain/directory.ts';
import type { Decision, DeliveryFacts } from '../../domain/facts.ts';
import type { DeliveryStore, MovedCopy, WaitingPage } from '../store.ts';
import type { SqliteContext } from './context.ts';
import { type DeliveryRow, toDeliveryRecord } from './delivery-table.ts';
import { WaitingMail, type WaitingStretch } from './waiting-mail.ts';

export class SqliteDeliveries implements DeliveryStore {
  readonly #context: SqliteContext;
  readonly #waiting: WaitingMail;
  readonly #ofMessage: Statement<[number], DeliveryRow>;
  readonly #directAddress: Statement<[number, string], string>;
  readonly #queuedSince: Statement<[number, number], number>;
  readonly #raiseFloor: Statement<[number, number, number]>;

  constructor(context: SqliteContext) {
    this.#context = context;
    this.#waiting = new WaitingMail(context.reader, context.openMail);
    this.#ofMessage = context.reader.prepare('SELECT * FROM deliveries WHERE message_id = ? ORDER BY ref');
    this.#directAddress = context.reader
      .prepare<[number, string], string>('SELECT address FROM messages WHERE id = ? AND workspace = ? AND fan_out = 0')
      .pluck();
    this.#queuedSince = context.reader
      .prepare<[number, number], number>('SELECT updated_at FROM deliveries WHERE message_id = ? AND ref = ? AND state = 0')
      .pluck();
    this.#raiseFloor = context.database.prepare('UPDATE addresses SET inbox_floor = ? WHERE ref = ? AND inbox_floor < ?');
  }

  async ofMessage(workspace: string, messageId: number): Promise<readonly Delivery[]> {
    const deliveries: Delivery[] = [];
    for (const row of this.#ofMessage.all(messageId)) {
      const entry = this.#context.index.byRef(row.ref);
      if (entry?.workspace !== workspace) continue;
      const { state, evidence, late, reason, updatedAt } = toDeliveryRecord(row);
      deliveries.push({ messageId, agentId: entry.agentId, state, evidence, late, reason, updatedAt });
    }
    return deliveries.length > 0 ? deliveries : this.#withoutRow(workspace, messageId);
  }

  /** The copy of a direct message that nothing has happened to. */
  #withoutRow(workspace: string, messageId: number): readonly Delivery[] {
    const address = this.#directAddress.get(messageId, workspace);
    const entry = address && this.#context.index.find(workspace, address.slice(3));
    const queuedSince = entry ? this.#context.openMail.queuedSince(entry.ref, messageId) : 0;
    if (!entry || queuedSince === 0) return [];
    return [{ messageId, agentId: entry.agentId, state: 'queued', evidence: null, late: false, reason: null, updatedAt: queuedSince }];
  }

  async waiting(workspace: string, agentId: string, after: number, limit: number): Promise<WaitingPage> {
    return this.#list(workspace, agentId, { after, limit });
  }

  async waitingDirect(workspace: string, agentId: string, after: number, limit: number): Promise<WaitingPage> {
    return this.#list(workspace, agentId, { after, limit, only: 'direct' });
  }

  async untouched(workspace: string, agentId: string, limit: number): Promise<readonly number[]> {
    const entry = this.#context.index.find(workspace, agentId);
    if (!entry) return [];
    const waiting = this.#context.openMail.after(entry.ref, 0, limit);
    return waiting.flatMap((id) => this.#context.openMail.queuedSince(entry.ref, id) || (this.#queuedSince.get(id, entry.ref) ?? []));
  }

  raiseFloor(workspace: string, agentId: string, floor: number): Promise<void> {
    const entry = this.#context.index.find(workspace, agentId);
    if (!entry) return Promise.resolve();
    return this.#context.writer.write(() => void this.#raiseFloor.run(floor, entry.ref, floor));
  }

  change<Answer>(
    workspace: string,
    agentId: string,
    ids: readonly number[],
    decide: (facts: DeliveryFacts) => Decision<Answer>,
  ): Promise<readonly MovedCopy<Answer>[]> {
    const { writer, index, changes, facts } = this.#context;
    return writer.write(() => {
      const entry = index.find(workspace, agentId);
      if (!entry) return [];
      const moved: MovedCopy<Answer>[] = [];
      for (const [position, messageId] of ids.entries()) {
        const found = this.#find(workspace, entry, messageId);
        if (!found) continue;
        const decision = decide({ ...facts.of(workspace), found, position });
        const { answer } = changes.carryOut(workspace, decision);
        moved.push({ messageId, answer, isChanged: decision.change !== null });
      }
      return moved;
    });
  }

  #list(workspace: string, agentId: string, stretch: Omit<WaitingStretch, 'head'>): WaitingPage {
    const { index, log } = this.#context;
    const { head } = log;
    const entry = index.find(workspace, agentId);
    return entry ? this.#waiting.list(entry, { ...stretch, head }) : { items: [], through: head };
  }

  #find(workspace: string, entry: AddressEntry, id: number): DeliveryFound | null {
    const { tables } = this.#context.changes;
    const stored: StoredMessage | null = tables.messages.get(workspace, id);
    if (!stored) return null;
    const { message } = stored;
    const row = tables.deliveries.get(id, entry.ref);
    if (row) return { agentId: entry.agentId, message, record: row };
    return isInAudience(message, entry) ? { agentId: entry.agentId, message, record: queuedRecord(message.createdAt) } : null;
  }
}
