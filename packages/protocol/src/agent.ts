import { z } from 'zod';
import {
  AgentIdSchema,
  EpochSchema,
  GroupNameSchema,
  LabelSchema,
  lineOf,
  MetaSchema,
  OpaqueIdSchema,
  TimestampSchema,
} from './primitives.ts';

export const AgentKindSchema = z.enum(['provider', 'channel', 'orchestrator', 'integration', 'user', 'system']);
export type AgentKind = z.infer<typeof AgentKindSchema>;

/** Presence. `online` is there but has not said more; `idle` and `busy` say whether a turn runs; `offline` is not there. */
export const AgentStatusSchema = z.enum(['online', 'idle', 'busy', 'offline']);
export type AgentStatus = z.infer<typeof AgentStatusSchema>;

/** What a turn that relay mail started may do: everything the agent may, ask a person before it writes or runs, or only read. */
export const ApprovalModeSchema = z.enum(['open', 'guarded', 'read-only']);
export type ApprovalMode = z.infer<typeof ApprovalModeSchema>;

/** How a channel reaches the outside, a name such as `telegram`; `custom` when it did not say. */
export const ChannelTransportSchema = z.string().min(1).max(64);
/** Whether what people outside write comes in, what agents write goes out, or both. */
export const ChannelDirectionSchema = z.enum(['inbound', 'outbound', 'both']);
export type ChannelDirection = z.infer<typeof ChannelDirectionSchema>;

/** Why an agent that is there does not go on: nobody fetches its mail, or its turn has made no progress for some minutes. */
export const StallSchema = z.object({
  cause: z.enum(['mail', 'turn']),
  since: TimestampSchema.describe('Since when its oldest mail waits, or when its machine gave the turn up for standing still'),
  detail: z.string().describe('The same in words'),
});
export type Stall = z.infer<typeof StallSchema>;

/** A durable address. It outlives its sessions: an agent without a running session is `offline` and keeps its mail. */
export const AgentSchema = z.object({
  id: AgentIdSchema,
  name: LabelSchema,
  kind: AgentKindSchema,
  label: LabelSchema.nullable(),
  tags: z.array(GroupNameSchema),
  givenTags: z
    .array(GroupNameSchema)
    .optional()
    .describe('Tags that the owner gave: standing rules for a tag hold for these, while it has them'),
  capabilities: z.array(GroupNameSchema),
  channels: z.array(GroupNameSchema).nullable().describe('Channels followed; null follows all. Direct mail arrives whatever is listed'),
  machine: z.string().nullable(),
  rig: z.string().nullable(),
  provider: z.string().nullable().describe('The kind of agent, e.g. claude or codex, when the relay knows it'),
  transport: ChannelTransportSchema.nullable().describe('What a channel reaches the outside by; null for all other agents'),
  direction: ChannelDirectionSchema.nullable().describe('Which way a channel carries messages; null for all other agents'),
  status: AgentStatusSchema,
  stalled: StallSchema.optional().describe('It is there and does not go on; left out while it does'),
  ready: z.boolean(),
  approval: ApprovalModeSchema,
  instanceId: OpaqueIdSchema.nullable(),
  epoch: z.int().min(0).describe('Grows with every new session, also across pruning; 0 before the first'),
  protected: z.boolean().describe('True when the agent holds a token: only that token, its node or the owner may speak as it'),
  nodeId: OpaqueIdSchema.nullable(),
  sessionId: OpaqueIdSchema.nullable(),
  wake: z
    .enum(['resume', 'fresh'])
    .optional()
    .describe(
      'Mail starts it when it is not there; `agents/release` with `wake: never` ends that. Only where agents are fetched, not in events',
    ),
  meta: MetaSchema,
  registeredAt: TimestampSchema,
  lastSeenAt: TimestampSchema,
});
export type Agent = z.infer<typeof AgentSchema>;

/** Names one incarnation of an agent; writes that carry an older epoch than the current one get `stale_session`. */
export const SessionGuardSchema = z.strictObject({ instanceId: OpaqueIdSchema.optional(), epoch: EpochSchema.optional() });
export type SessionGuard = z.infer<typeof SessionGuardSchema>;

/** Largest `meta` of an agent, as JSON text: it is on every card, in every list and in every event about the agent. */
export const MAX_AGENT_META_LENGTH = 16 * 1024;

export const RegisterAgentSchema = z.strictObject({
  id: AgentIdSchema.optional().describe('Defaults to the name when the name is a valid id'),
  name: LabelSchema,
  kind: AgentKindSchema.exclude(['system']).optional(),
  label: LabelSchema.nullable().optional(),
  tags: z.array(GroupNameSchema).max(64).optional(),
  capabilities: z.array(GroupNameSchema).max(64).optional(),
  channels: z.array(GroupNameSchema).max(64).nullable().optional(),
  machine: lineOf(128).optional(),
  rig: lineOf(128).optional(),
  provider: lineOf(64).optional(),
  transport: lineOf(64).optional().describe('Of a channel: what it reaches the outside by, e.g. telegram'),
  direction: ChannelDirectionSchema.optional().describe('Of a channel; both unless said otherwise'),
  approval: ApprovalModeSchema.optional(),
  status: AgentStatusSchema.optional(),
  ready: z.boolean().optional(),
  instanceId: OpaqueIdSchema.optional().describe(
    'One id per process: the same id keeps the epoch, another one begins the next epoch and fences the older',
  ),
  withToken: z
    .boolean()
    .optional()
    .describe('Also issue a token bound to this agent and epoch; only the owner, or the agent itself, may ask'),
  meta: MetaSchema.refine((meta) => JSON.stringify(meta).length <= MAX_AGENT_META_LENGTH, {
    error: `At most ${MAX_AGENT_META_LENGTH} characters as JSON`,
  }).optional(),
});
export type RegisterAgent = z.infer<typeof RegisterAgentSchema>;

export const RegisteredAgentSchema = AgentSchema.extend({
  cursor: z.int().min(0).describe('The log when the registration committed'),
  created: z.boolean().describe('True when the address is new'),
  token: z.string().optional().describe('Shown once'),
});
export type RegisteredAgent = z.infer<typeof RegisteredAgentSchema>;
