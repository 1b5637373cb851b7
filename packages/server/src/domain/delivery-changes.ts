import type { Change, DeliveryFound, DeliveryWrite } from './change.ts';
import { advanceDelivery, type DeliveryRecord, type DeliveryStep, isDeliveryOpen } from './delivery.ts';
import type { Decision } from './facts.ts';

/** The receipt of a copy, as it is now. */
export const receiptOf = ({ agentId, message }: Omit<DeliveryFound, 'record'>, next: DeliveryRecord): DeliveryWrite => ({
  messageId: message.id,
  agentId,
  from: message.from,
  next,
  tell: true,
});

/** The receipt of a copy after one more step; null when that says nothing new. */
export function nextReceipt(found: DeliveryFound, step: DeliveryStep, now: number): DeliveryWrite | null {
  const next = advanceDelivery(found.record, step, now);
  return next && receiptOf(found, next);
}

/** Takes a copy one step further; answers whether it waits no more. */
export function moveCopy(found: DeliveryFound, step: DeliveryStep, now: number, more: Omit<Change, 'at'> = {}): Decision<boolean> {
  const receipt = nextReceipt(found, step, now);
  const { state } = receipt?.next ?? found.record;
  return { answer: !isDeliveryOpen(state), change: receipt && { ...more, at: now, deliveries: [receipt] } };
}
