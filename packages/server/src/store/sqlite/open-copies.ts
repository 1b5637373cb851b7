import type { DeliveryState } from 'agent-relay-protocol';
import type { Statement } from 'better-sqlite3';
import { isDirect, isInAudience } from '../../domain/audience.ts';
import type { DeliveryFound, StoredMessage } from '../../domain/change.ts';
import { queuedRecord } from '../../domain/delivery.ts';
import type { SqliteContext } from './context.ts';
import { type DeliveryRow, toDeliveryRecord } from './delivery-table.ts';

/** The copies of a message that still wait; inside `writer.write` only. */
export class OpenCopies {
  readonly #context: Pick<SqliteContext, 'index' | 'openMail' | 'changes'>;
  readonly #rows: Statement<[number], DeliveryRow>;

  constructor(context: Pick<SqliteContext, 'database' | 'index' | 'openMail' | 'changes'>) {
    this.#context = context;
    this.#rows = context.database.prepare('SELECT * FROM deliveries WHERE message_id = ? AND state <= 2');
  }

  /** Those in these states; a fan-out recipient without a row is queued. */
  of({ workspace, message }: StoredMessage, states: readonly DeliveryState[]): readonly DeliveryFound[] {
    const { index, changes } = this.#context;
    const open: DeliveryFound[] = [];
    for (const row of this.#rows.all(message.id)) {
      const entry = index.byRef(row.ref);
      const record = toDeliveryRecord(row);
      if (entry && states.includes(record.state)) open.push({ agentId: entry.agentId, message, record });
    }
    if (isDirect(message.to)) {
      const recipient = index.find(workspace, message.to.slice(3));
      const queuedSince = recipient && open.length === 0 ? this.#context.openMail.queuedSince(recipient.ref, message.id) : 0;
      if (recipient && queuedSince > 0) open.push({ agentId: recipient.agentId, message, record: queuedRecord(queuedSince) });
      return open;
    }
    // A deleted one has failed for all of them.
    if (message.deletedAt !== null) return open;
    for (const entry of index.agents(workspace)) {
      if (!isInAudience(message, entry) || changes.tables.deliveries.get(message.id, entry.ref)) continue;
      open.push({ agentId: entry.agentId, message, record: queuedRecord(message.createdAt) });
    }
    return open;
  }
}
