import { z } from 'zod';
import { AgentSchema } from './agent.ts';
import { ApprovalSchema } from './approval.ts';
import { CallbackStatusSchema } from './callback.ts';
import { ChannelBindingSchema } from './channel.ts';
import { ClaimSchema } from './claim.ts';
import { DeliveryEvidenceSchema, DeliveryStateSchema } from './delivery.ts';
import { HoldSchema } from './hold.ts';
import { MessageSchema } from './message.ts';
import { nearest } from './nearest.ts';
import { PairSchema } from './pair.ts';
import { AgentIdSchema, CursorSchema, MessageIdSchema, OpaqueIdSchema, TimestampSchema } from './primitives.ts';
import { NodeSchema, SessionSchema } from './session.ts';
import { TaskSchema } from './task.ts';
import { TokenSchema } from './token.ts';

const at = { seq: CursorSchema, at: TimestampSchema };
const delivery = {
  ...at,
  messageId: MessageIdSchema,
  agentId: AgentIdSchema.describe('The recipient'),
  from: AgentIdSchema.describe('The sender, who is told'),
  state: DeliveryStateSchema,
  evidence: DeliveryEvidenceSchema.nullable(),
  late: z.boolean(),
  reason: z.string().nullable(),
};
const task = { ...at, task: TaskSchema };
const token = { ...at, token: TokenSchema, by: z.string().nullable().describe('Who did it, as in `sender.principal`; null when time did') };
const claim = { ...at, claim: ClaimSchema, messageId: MessageIdSchema.nullable() };

/**
 * Everything the log tells. `seq` is the cursor: an event committed with a change carries the sequence of that commit, so a snapshot's
 * `cursor` plus the events after it are exact. Event types this version does not know are skipped by clients.
 */
export const RelayEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('message.new'), ...at, message: MessageSchema, matched: z.int().min(0) }),
  z.object({ type: z.literal('message.read'), ...at, messageId: MessageIdSchema, agentId: AgentIdSchema }),
  z.object({ type: z.literal('message.claimed'), ...claim }),
  z.object({ type: z.literal('message.deleted'), ...at, messageId: MessageIdSchema }),
  z.object({ type: z.literal('message.held'), ...at, hold: HoldSchema }),
  z.object({ type: z.literal('message.released'), ...at, hold: HoldSchema }),
  z.object({ type: z.literal('message.refused'), ...at, hold: HoldSchema }),
  z.object({ type: z.literal('delivery.dispatched'), ...delivery }),
  z.object({ type: z.literal('delivery.delivered'), ...delivery }),
  z.object({ type: z.literal('delivery.seen'), ...delivery }),
  z.object({ type: z.literal('delivery.answered'), ...delivery }),
  z.object({ type: z.literal('delivery.failed'), ...delivery }),
  z.object({
    type: z.literal('delivery.expired'),
    ...delivery,
    count: z.int().min(1).describe('How many recipients it expired for; told once'),
  }),
  z.object({
    type: z.literal('work.available'),
    ...at,
    kind: z.enum(['message', 'task']),
    subjectId: z.int().min(1),
    cause: z.enum(['opened', 'released', 'expired']),
  }),
  z.object({ type: z.literal('claim.renewed'), ...claim }),
  z.object({ type: z.literal('claim.progressed'), ...claim }),
  z.object({ type: z.literal('claim.completed'), ...claim }),
  z.object({ type: z.literal('claim.released'), ...claim }),
  z.object({ type: z.literal('claim.expired'), ...claim }),
  z.object({ type: z.literal('claim.cancelled'), ...claim }),
  z.object({ type: z.literal('agent.registered'), ...at, agent: AgentSchema }),
  z.object({ type: z.literal('agent.updated'), ...at, agent: AgentSchema }),
  z.object({ type: z.literal('agent.status'), ...at, agent: AgentSchema }),
  z.object({ type: z.literal('agent.stalled'), ...at, agentId: AgentIdSchema, waiting: z.int().min(1), oldestAt: TimestampSchema }),
  z.object({ type: z.literal('agent.removed'), ...at, agentId: AgentIdSchema }),
  z.object({ type: z.literal('session.started'), ...at, session: SessionSchema }),
  z.object({ type: z.literal('session.updated'), ...at, session: SessionSchema }),
  z.object({ type: z.literal('session.ended'), ...at, session: SessionSchema }),
  z.object({ type: z.literal('approval.requested'), ...at, approval: ApprovalSchema }),
  z.object({ type: z.literal('approval.resolved'), ...at, approval: ApprovalSchema }),
  z.object({ type: z.literal('task.created'), ...task }),
  z.object({ type: z.literal('task.repeated'), ...task }),
  z.object({ type: z.literal('task.claimed'), ...task }),
  z.object({ type: z.literal('task.updated'), ...task }),
  z.object({ type: z.literal('task.released'), ...task }),
  z.object({ type: z.literal('task.completed'), ...task }),
  z.object({ type: z.literal('task.failed'), ...task }),
  z.object({ type: z.literal('task.canceled'), ...task }),
  z.object({
    type: z.literal('callback.updated'),
    ...at,
    callbackId: z.int().min(1),
    taskId: MessageIdSchema,
    integration: AgentIdSchema,
    status: CallbackStatusSchema.describe('`pending`: an attempt failed and another follows, or it is sent again'),
  }),
  z.object({ type: z.literal('node.connected'), ...at, node: NodeSchema }),
  z.object({ type: z.literal('node.disconnected'), ...at, node: NodeSchema }),
  z.object({ type: z.literal('node.updated'), ...at, node: NodeSchema }).describe('What it can start is not what it was'),
  z.object({ type: z.literal('pair.requested'), ...at, pair: PairSchema }),
  z.object({ type: z.literal('pair.accepted'), ...at, pair: PairSchema }),
  z.object({ type: z.literal('pair.rejected'), ...at, pair: PairSchema }),
  z.object({ type: z.literal('pair.ended'), ...at, pair: PairSchema }),
  z.object({ type: z.literal('token.created'), ...token }),
  z.object({ type: z.literal('token.revoked'), ...token }),
  z.object({ type: z.literal('token.expired'), ...token }),
  z.object({ type: z.literal('channel.bound'), ...at, binding: ChannelBindingSchema }),
  z.object({ type: z.literal('channel.unbound'), ...at, binding: ChannelBindingSchema }),
]);
export type RelayEvent = z.infer<typeof RelayEventSchema>;
export type RelayEventType = RelayEvent['type'];

type PastVerb =
  | 'requested'
  | 'resolved'
  | 'accepted'
  | 'rejected'
  | 'claimed'
  | 'deleted'
  | 'dispatched'
  | 'delivered'
  | 'answered'
  | 'held'
  | 'failed'
  | 'expired'
  | 'renewed'
  | 'progressed'
  | 'completed'
  | 'released'
  | 'refused'
  | 'cancelled'
  | 'canceled'
  | 'created'
  | 'revoked'
  | 'repeated'
  | 'registered'
  | 'updated'
  | 'stalled'
  | 'removed'
  | 'started'
  | 'ended'
  | 'connected'
  | 'disconnected'
  | 'bound'
  | 'unbound'
  | 'seen'
  | 'read';
/** Names that are not `noun.pastVerb`: the seeds' own, and what is offered rather than done. */
type Exempt = 'message.new' | 'agent.status' | 'work.available';
type NotInGrammar = Exclude<RelayEventType, `${string}.${PastVerb}` | Exempt>;
export const relayEventNamesFitTheGrammar: [NotInGrammar] extends [never] ? true : NotInGrammar = true;

export const relayEventTypes: readonly RelayEventType[] = RelayEventSchema.options.map((option) => option.shape.type.value);

const eventNames: readonly string[] = [...new Set(relayEventTypes.flatMap((type) => [type.slice(0, type.indexOf('.')), type]))];

/** One that no event has would be a reader that waits for ever. */
const EventNameSchema = z.enum(eventNames, {
  error: ({ input }) => {
    const near = nearest(String(input).slice(0, 64), eventNames);
    return `No event is called so${near === null ? '' : `; ${near} is`}: name an event type, or a noun such as message`;
  },
});

/** Which events a reader gets. Everything given must match; nothing given is the whole log of the workspace. */
export const EventFilterSchema = z.strictObject({
  after: CursorSchema.optional().describe('Read what follows this sequence; absent reads from now on'),
  for: AgentIdSchema.optional().describe('Only what concerns this agent: mail to or from it, its receipts, its claims, its presence'),
  types: z
    .array(EventNameSchema)
    .max(64)
    .optional()
    .describe('Event types, or a noun such as `message` for all of its events; `claim` finds `message.claimed` too'),
  channel: z.string().min(1).max(64).optional().describe('Only messages of this channel and what happens to them'),
  generation: OpaqueIdSchema.optional().describe('The log generation the cursor belongs to; another one gets a reset'),
});
export type EventFilter = z.infer<typeof EventFilterSchema>;

/**
 * Said instead of events when a cursor cannot be continued exactly: it lies below the pruned floor, beyond the head, or belongs to another
 * log generation. Take a new snapshot, then read after its cursor. `oldest` is the first sequence that can still be read.
 */
export const EventResetSchema = z.object({
  reason: z.enum(['pruned', 'ahead', 'generation']),
  oldest: CursorSchema,
  head: CursorSchema,
  generation: OpaqueIdSchema,
});
export type EventReset = z.infer<typeof EventResetSchema>;
