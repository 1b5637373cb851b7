import { z } from 'zod';
import { ClaimSchema } from './claim.ts';
import { DeliverySchema, DeliveryStateSchema, WaitForSchema } from './delivery.ts';
import {
  AddressSchema,
  AgentIdSchema,
  GroupNameSchema,
  MAX_BODY_LENGTH,
  MessageIdSchema,
  MetaSchema,
  TimestampSchema,
} from './primitives.ts';
import { PrincipalNameSchema } from './principal-name.ts';

/** When it enters the recipient's session: at the next turn boundary, steering the running turn, interrupting it first, or as context only. */
export const DeliveryModeSchema = z.enum(['next', 'now', 'urgent', 'fyi']);
export type DeliveryMode = z.infer<typeof DeliveryModeSchema>;

/** How the sender stands to the recipients, stamped by the relay. `claimed`: a tokenless or owner caller named this sender; nothing proves it. */
export const RelationSchema = z.enum(['owner', 'lead', 'peer', 'integration', 'channel', 'claimed', 'system']);
export type Relation = z.infer<typeof RelationSchema>;

export const SenderSchema = z.object({
  relation: RelationSchema,
  principal: PrincipalNameSchema,
});
export type Sender = z.infer<typeof SenderSchema>;

/** The trace that a message belongs to, as in W3C Trace Context. */
export const TraceparentSchema = z
  .string()
  .regex(/^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/u, 'A traceparent as in W3C Trace Context');
const trace = {
  traceparent: z.string().optional().describe('As it was sent'),
  tracestate: z.string().optional().describe('As it was sent'),
};
const newTrace = {
  traceparent: TraceparentSchema.optional().describe('The trace it belongs to, stored and handed on as it came; W3C Trace Context'),
  tracestate: z
    .string()
    .min(1)
    .max(512)
    .regex(/^[\x20-\x7e]+$/u, 'Printable ASCII')
    .optional()
    .describe('What vendors add to the trace'),
};

/** What the sender expects of whoever reads it: an answer, in time. The recipient is told; nothing else follows from it yet. */
export const ExpectationSchema = z.strictObject({
  reply: z.literal(true),
  withinMs: z.int().min(1_000).max(2_592_000_000).optional().describe('Counted from its sending; up to 30 days'),
});
export type Expectation = z.infer<typeof ExpectationSchema>;

/** One message as the log holds it. It never changes, except that a deleted one leaves a tombstone: empty body and `deletedAt`. */
export const MessageSchema = z.object({
  id: MessageIdSchema,
  from: AgentIdSchema,
  to: AddressSchema.describe('The resolved address in its one spelling, e.g. id:Worker, tag:backend, channel:deploy, broadcast'),
  body: z.string(),
  subject: z.string().nullable(),
  channel: GroupNameSchema.nullable(),
  kind: z.string(),
  claimable: z.boolean(),
  replyTo: MessageIdSchema.nullable(),
  threadId: MessageIdSchema.describe('The first message of the chain'),
  mode: DeliveryModeSchema,
  expiresAt: TimestampSchema.nullable(),
  payload: MetaSchema.nullable(),
  meta: MetaSchema.nullable(),
  ...trace,
  expects: z
    .object({ reply: z.literal(true), withinMs: z.int().min(1).optional().describe('Counted from `createdAt`') })
    .optional()
    .describe('What the sender expects of whoever reads it'),
  sender: SenderSchema,
  hops: z.int().min(0).describe('How many answers of agents to agents lead here since a person or a system outside took part'),
  createdAt: TimestampSchema,
  deletedAt: TimestampSchema.nullable(),
});
export type Message = z.infer<typeof MessageSchema>;

/** How many readers of each message a list names. */
export const LISTED_READERS = 20;

/** A message with what has become of it since. */
export const MessageDetailSchema = MessageSchema.extend({
  readBy: z.array(AgentIdSchema).describe(`Who read it, in order of reading; a list names the first ${LISTED_READERS} of each message`),
  readCount: z.int().min(0).optional().describe('How many have read it; older relays do not say'),
  claim: ClaimSchema.nullable(),
});
export type MessageDetail = z.infer<typeof MessageDetailSchema>;

export const SendMessageSchema = z.strictObject({
  from: AgentIdSchema.optional().describe("Who speaks; an agent's token forces its own id, the owner defaults to `owner`"),
  to: AddressSchema.optional().describe('Required unless `replyTo` is given; then it defaults to the sender of that message'),
  body: z.string().min(1).max(MAX_BODY_LENGTH),
  subject: z.string().min(1).max(256).optional(),
  channel: GroupNameSchema.optional(),
  kind: z.string().min(1).max(64).optional().describe('Defaults to chat'),
  type: z.string().min(1).max(64).optional().describe('What older programs call `kind`, which goes first'),
  claimable: z.boolean().optional(),
  replyTo: MessageIdSchema.optional(),
  mode: DeliveryModeSchema.optional(),
  ttlMs: z.int().min(1).max(2_592_000_000).optional().describe('How long it may stay undispatched before it expires; up to 30 days'),
  payload: MetaSchema.optional(),
  meta: MetaSchema.optional(),
  ...newTrace,
  expects: ExpectationSchema.optional(),
  idempotencyKey: z.string().min(1).max(200).optional().describe('The same key and content from the same sender answers the first message'),
  waitFor: WaitForSchema.optional(),
});
export type SendMessage = z.infer<typeof SendMessageSchema>;

export const SentMessageSchema = MessageSchema.extend({
  matched: z.int().min(0).describe('How many agents the address reached when it was sent; zero is said, not hidden'),
  offline: z.int().min(0).optional().describe('Of those it matched, how many are offline now: it waits for them'),
  duplicate: z.boolean().describe('True when an earlier send with this idempotency key is answered'),
  waited: z.object({ reached: z.boolean(), deliveries: z.array(DeliverySchema) }).optional(),
});
export type SentMessage = z.infer<typeof SentMessageSchema>;

/** One piece of an agent's mail. `nonce` is fresh for each hand-over and closes the envelope an agent sees. */
export const InboxItemSchema = z.object({ message: MessageSchema, state: DeliveryStateSchema, nonce: z.string() });
export type InboxItem = z.infer<typeof InboxItemSchema>;
