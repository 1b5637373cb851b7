import { isInAudience } from '../../domain/audience.ts';
import type { StoredMessage } from '../../domain/change.ts';
import { type DeliveryRecord, queuedRecord } from '../../domain/delivery.ts';
import type { SqliteContext } from './context.ts';

/** The message that an answer is to, and the answerer's own copy of it; inside `writer.write` only. */
export function repliedOf(
  { changes, index }: Pick<SqliteContext, 'changes' | 'index'>,
  workspace: string,
  replyTo: number | null,
  from: string,
): { readonly repliedTo: StoredMessage | null; readonly copy: DeliveryRecord | null } {
  const { messages, deliveries } = changes.tables;
  const repliedTo = replyTo === null ? null : messages.get(workspace, replyTo);
  const replier = repliedTo && index.find(workspace, from);
  if (!repliedTo || !replier) return { repliedTo, copy: null };
  const copy = deliveries.get(repliedTo.message.id, replier.ref);
  if (copy || !isInAudience(repliedTo.message, replier)) return { repliedTo, copy };
  return { repliedTo, copy: queuedRecord(repliedTo.message.createdAt) };
}
