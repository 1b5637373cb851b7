import { z } from 'zod';
import { DeliveryStateSchema } from './delivery.ts';
import { DeliveryModeSchema, type InboxItem, InboxItemSchema, MessageSchema, RelationSchema, SenderSchema } from './message.ts';
import { OpaqueIdSchema } from './primitives.ts';

/** Words that a newer relay may say fall back to the one that grants and disturbs least. */
const FromAnyRelaySchema = InboxItemSchema.extend({
  message: MessageSchema.extend({
    mode: DeliveryModeSchema.catch('next'),
    sender: SenderSchema.extend({ relation: RelationSchema.catch('peer') }),
  }),
  state: DeliveryStateSchema.catch('dispatched'),
});

const PushSchema = z.object({ subscriptionId: OpaqueIdSchema, items: z.array(z.unknown()) });

/** Mail as it was pushed: what could be read of it, and how many pieces could not. */
export interface InboxPush {
  readonly subscriptionId: string;
  readonly items: readonly InboxItem[];
  readonly unreadable: number;
}

/** Reads an `inbox/next` of a relay that may be newer than its reader: a piece that cannot be read costs no other piece. */
export function readInboxPush(params: unknown): InboxPush {
  const { subscriptionId, items: pushed } = PushSchema.parse(params);
  const items = pushed.flatMap((item) => FromAnyRelaySchema.safeParse(item).data ?? []);
  return { subscriptionId, items, unreadable: pushed.length - items.length };
}
