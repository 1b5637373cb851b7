import { z } from 'zod';
import {
  AgentSchema,
  AgentStatusSchema,
  ApprovalModeSchema,
  RegisterAgentSchema,
  RegisteredAgentSchema,
  SessionGuardSchema,
} from './agent.ts';
import { ActivityEntrySchema } from './agent-event.ts';
import { ClaimSchema, LeaseMsSchema } from './claim.ts';
import { DeliveryReportSchema, DeliverySchema } from './delivery.ts';
import { InboxItemSchema, MessageDetailSchema, SendMessageSchema, SentMessageSchema } from './message.ts';
import {
  AddressSchema,
  AgentIdSchema,
  CursorSchema,
  GroupNameSchema,
  LabelSchema,
  listOf,
  MessageIdSchema,
  OpaqueIdSchema,
  PageLimitSchema,
  TimestampSchema,
} from './primitives.ts';
import { PrincipalSchema, type Scope } from './principal.ts';
import { NodeSchema, SessionSchema, SessionStatusSchema, StartSessionSchema } from './session.ts';

export type HttpMethod = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/**
 * One operation, declared once: HTTP serves it at `/api` + `path`, the WebSocket under its key as the JSON-RPC method, the client as a typed call.
 * `input` is one strict object: path parameters, query and body merged. `anonymous` says whether a tokenless program on loopback may call it.
 */
export interface Route<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  readonly method: HttpMethod;
  readonly path: string;
  readonly scope: Scope;
  readonly anonymous: boolean;
  readonly summary: string;
  readonly input: Input;
  readonly output: Output;
  /** The HTTP status of success; a function looks at the output. Defaults to 200. */
  readonly status?: number | ((output: z.output<Output>) => number);
}

const route = <Input extends z.ZodType, Output extends z.ZodType>(definition: Route<Input, Output>): Route<Input, Output> => definition;

const agent = { id: AgentIdSchema };
const guard = SessionGuardSchema.shape;
const message = { id: MessageIdSchema };
const actor = { agentId: AgentIdSchema.optional().describe("Who acts; an agent's token forces its own id"), ...guard };
const claimWrite = {
  claimId: OpaqueIdSchema,
  fence: z
    .int()
    .min(1)
    .optional()
    .describe('From the claim; without it the write acts under the current claim of the same agent and epoch'),
  ...actor,
};
const nothing = z.strictObject({});

export const HealthSchema = z.object({
  status: z.enum(['ok', 'degraded']),
  version: z.string(),
  protocol: z.int(),
  parts: z.record(z.string(), z.object({ status: z.enum(['ok', 'degraded']), reason: z.string().optional() })),
});
export const StatsSchema = z.object({
  version: z.string(),
  protocol: z.int(),
  generation: OpaqueIdSchema.describe('The log generation'),
  cursor: CursorSchema,
  oldest: CursorSchema,
  uptimeMs: z.int(),
  agents: z.object({ total: z.int(), online: z.int(), idle: z.int(), busy: z.int(), offline: z.int() }),
  messages: z.object({ total: z.int(), open: z.int().describe('Claimable and not completed'), undelivered: z.int() }),
  nodes: z.object({ total: z.int(), online: z.int() }),
  sessions: z.object({ running: z.int() }),
});
export type Stats = z.infer<typeof StatsSchema>;
export type Health = z.infer<typeof HealthSchema>;

export const WorkItemSchema = z.object({ kind: z.literal('message'), message: MessageDetailSchema, claim: ClaimSchema.nullable() });
export type WorkItem = z.infer<typeof WorkItemSchema>;

/** The route table. */
export const routes = {
  'system/health': route({
    method: 'GET',
    path: '/health',
    scope: 'health:read',
    anonymous: true,
    summary: 'Whether each part of the relay works',
    input: nothing,
    output: HealthSchema,
  }),
  'system/stats': route({
    method: 'GET',
    path: '/stats',
    scope: 'stats:read',
    anonymous: true,
    summary: 'Version, log position and counts',
    input: nothing,
    output: StatsSchema,
  }),
  'system/me': route({
    method: 'GET',
    path: '/me',
    scope: 'stats:read',
    anonymous: true,
    summary: 'Who this token speaks for',
    input: nothing,
    output: PrincipalSchema,
  }),
  'login/create': route({
    method: 'POST',
    path: '/login-codes',
    scope: '*',
    anonymous: false,
    summary: 'A one-time code that a browser exchanges for a session cookie; valid for ten minutes',
    status: 201,
    input: nothing,
    output: z.object({ code: z.string(), expiresAt: TimestampSchema }),
  }),

  'agents/register': route({
    method: 'POST',
    path: '/agents',
    scope: 'agents:write',
    anonymous: true,
    summary: 'Register an agent, or update it',
    input: RegisterAgentSchema,
    output: RegisteredAgentSchema,
    status: (output) => (output.created ? 201 : 200),
  }),
  'agents/list': route({
    method: 'GET',
    path: '/agents',
    scope: 'agents:read',
    anonymous: true,
    summary: 'Agents, by id',
    input: z.strictObject({
      tag: GroupNameSchema.optional(),
      capability: GroupNameSchema.optional(),
      machine: z.string().optional(),
      label: LabelSchema.optional(),
      status: AgentStatusSchema.optional(),
      provider: z.string().optional(),
    }),
    output: listOf(AgentSchema),
  }),
  'agents/find': route({
    method: 'GET',
    path: '/agents/find',
    scope: 'agents:read',
    anonymous: true,
    summary: 'Agents that have a capability',
    input: z.strictObject({ capability: GroupNameSchema }),
    output: listOf(AgentSchema),
  }),
  'agents/get': route({
    method: 'GET',
    path: '/agents/:id',
    scope: 'agents:read',
    anonymous: true,
    summary: 'One agent',
    input: z.strictObject(agent),
    output: AgentSchema,
  }),
  'agents/heartbeat': route({
    method: 'POST',
    path: '/agents/:id/heartbeat',
    scope: 'agents:write',
    anonymous: true,
    summary: 'I am here; renews the claims of this session',
    input: z.strictObject({ ...agent, ...guard, status: AgentStatusSchema.optional() }),
    output: AgentSchema,
  }),
  'agents/label': route({
    method: 'PATCH',
    path: '/agents/:id/label',
    scope: 'agents:write',
    anonymous: true,
    summary: 'Set or clear (null) the label',
    input: z.strictObject({ ...agent, label: z.union([LabelSchema, z.literal('')]).nullable() }),
    output: AgentSchema,
  }),
  'agents/tags': route({
    method: 'PATCH',
    path: '/agents/:id/tags',
    scope: 'agents:write',
    anonymous: true,
    summary: 'Replace tags, capabilities or channel subscriptions',
    input: z.strictObject({
      ...agent,
      tags: z.array(GroupNameSchema).max(64).optional(),
      capabilities: z.array(GroupNameSchema).max(64).optional(),
      channels: z.array(GroupNameSchema).max(64).nullable().optional(),
    }),
    output: AgentSchema,
  }),
  'agents/status': route({
    method: 'PATCH',
    path: '/agents/:id/status',
    scope: 'agents:write',
    anonymous: true,
    summary: 'Set presence',
    input: z.strictObject({ ...agent, ...guard, status: AgentStatusSchema }),
    output: AgentSchema,
  }),
  'agents/ready': route({
    method: 'PATCH',
    path: '/agents/:id/ready',
    scope: 'agents:write',
    anonymous: true,
    summary: 'Say whether the agent takes mail',
    input: z.strictObject({ ...agent, ...guard, ready: z.boolean() }),
    output: AgentSchema,
  }),
  'agents/approval': route({
    method: 'PATCH',
    path: '/agents/:id/approval',
    scope: 'sessions:write',
    anonymous: false,
    summary: 'Set what a turn that relay mail started may do',
    input: z.strictObject({ ...agent, approval: ApprovalModeSchema }),
    output: AgentSchema,
  }),
  'agents/remove': route({
    method: 'DELETE',
    path: '/agents/:id',
    scope: 'agents:write',
    anonymous: true,
    summary: 'Delete the address; its waiting mail fails and the senders are told',
    input: z.strictObject({ ...agent }),
    output: z.object({ removed: z.literal(true), failedMessages: z.int().min(0) }),
  }),
  'agents/interrupt': route({
    method: 'POST',
    path: '/agents/:id/interrupt',
    scope: 'sessions:write',
    anonymous: false,
    summary: 'Stop the running turn; the session stays',
    input: z.strictObject(agent),
    output: z.object({ interrupted: z.boolean().describe('False when no turn was running') }),
  }),
  'agents/release': route({
    method: 'POST',
    path: '/agents/:id/release',
    scope: 'sessions:write',
    anonymous: false,
    summary: 'End the running session and its processes; the address keeps its mail',
    input: z.strictObject({ ...agent, reason: z.string().min(1).max(500).optional() }),
    output: SessionSchema,
  }),
  'agents/activity': route({
    method: 'GET',
    path: '/agents/:id/activity',
    scope: 'events:read',
    anonymous: false,
    summary: 'What the agent did, oldest first',
    input: z.strictObject({
      ...agent,
      session: OpaqueIdSchema.optional(),
      since: CursorSchema.optional(),
      limit: PageLimitSchema,
      newest: z.boolean().optional().describe('The last `limit` entries instead of the first'),
    }),
    output: listOf(ActivityEntrySchema),
  }),

  'inbox/list': route({
    method: 'GET',
    path: '/agents/:id/inbox',
    scope: 'messages:read',
    anonymous: true,
    summary: "An agent's waiting mail, oldest first; waits up to `waitMs` for the first piece",
    input: z.strictObject({
      ...agent,
      ...guard,
      waitMs: z.int().min(0).max(50_000).optional(),
      limit: PageLimitSchema,
      peek: z.boolean().optional().describe('Only look: takes no lease and changes no state'),
    }),
    output: listOf(InboxItemSchema),
  }),
  'inbox/ack': route({
    method: 'POST',
    path: '/agents/:id/inbox/ack',
    scope: 'messages:write',
    anonymous: true,
    summary: 'I have these; they leave the inbox',
    input: z.strictObject({
      ...agent,
      ...guard,
      ids: z.array(MessageIdSchema).min(1).max(1000),
      state: z.enum(['delivered', 'seen', 'answered']).optional(),
    }),
    output: z.object({
      acknowledged: z.array(MessageIdSchema),
      unknown: z.array(MessageIdSchema).describe('Not in the mail of this agent'),
    }),
  }),

  'messages/send': route({
    method: 'POST',
    path: '/messages',
    scope: 'messages:write',
    anonymous: true,
    summary: 'Send a message; the answer means it is on disk',
    input: SendMessageSchema,
    output: SentMessageSchema,
    status: (output) => (output.duplicate ? 200 : 201),
  }),
  'messages/list': route({
    method: 'GET',
    path: '/messages',
    scope: 'messages:read',
    anonymous: true,
    summary: 'Messages after a cursor, oldest first',
    input: z.strictObject({
      for: AgentIdSchema.optional().describe('Messages this agent is in the audience of'),
      from: AgentIdSchema.optional(),
      to: AddressSchema.optional(),
      channel: GroupNameSchema.optional(),
      unread: z.boolean().optional().describe('With `for`: only what it has not read'),
      claimable: z.boolean().optional(),
      since: CursorSchema.optional(),
      limit: PageLimitSchema,
      newest: z.boolean().optional().describe('The last `limit` messages instead of the first'),
    }),
    output: listOf(MessageDetailSchema),
  }),
  'messages/cursor': route({
    method: 'GET',
    path: '/messages/cursor',
    scope: 'messages:read',
    anonymous: true,
    summary: 'The head of the log',
    input: nothing,
    output: z.object({ cursor: CursorSchema, generation: OpaqueIdSchema }),
  }),
  'messages/get': route({
    method: 'GET',
    path: '/messages/:id',
    scope: 'messages:read',
    anonymous: true,
    summary: 'One message',
    input: z.strictObject(message),
    output: MessageDetailSchema,
  }),
  'messages/thread': route({
    method: 'GET',
    path: '/messages/:id/thread',
    scope: 'messages:read',
    anonymous: true,
    summary: 'The whole chain the message belongs to, oldest first',
    input: z.strictObject({ ...message, since: CursorSchema.optional(), limit: PageLimitSchema }),
    output: listOf(MessageDetailSchema),
  }),
  'messages/deliveries': route({
    method: 'GET',
    path: '/messages/:id/deliveries',
    scope: 'messages:read',
    anonymous: true,
    summary: "Every recipient's receipt",
    input: z.strictObject(message),
    output: listOf(DeliverySchema),
  }),
  'messages/read': route({
    method: 'PATCH',
    path: '/messages/:id',
    scope: 'messages:write',
    anonymous: true,
    summary: 'Mark read by one agent',
    input: z.strictObject({ ...message, ...actor, read: z.literal(true).optional() }),
    output: MessageDetailSchema,
  }),
  'messages/claim': route({
    method: 'POST',
    path: '/messages/:id/claim',
    scope: 'messages:write',
    anonymous: true,
    summary: 'Take a claimable message; exactly one claimant wins',
    input: z.strictObject({ ...message, ...actor, leaseMs: LeaseMsSchema.optional() }),
    output: ClaimSchema,
  }),
  'messages/remove': route({
    method: 'DELETE',
    path: '/messages/:id',
    scope: 'messages:write',
    anonymous: true,
    summary: 'Delete the content; a tombstone stays in the log',
    input: z.strictObject({ ...message, ...actor }),
    output: z.object({ removed: z.literal(true) }),
  }),

  'claims/get': route({
    method: 'GET',
    path: '/claims/:claimId',
    scope: 'messages:read',
    anonymous: true,
    summary: 'One claim',
    input: z.strictObject({ claimId: OpaqueIdSchema }),
    output: ClaimSchema,
  }),
  'claims/renew': route({
    method: 'POST',
    path: '/claims/:claimId/renew',
    scope: 'messages:write',
    anonymous: true,
    summary: 'Extend the lease',
    input: z.strictObject({ ...claimWrite, leaseMs: LeaseMsSchema.optional() }),
    output: ClaimSchema,
  }),
  'claims/progress': route({
    method: 'POST',
    path: '/claims/:claimId/progress',
    scope: 'messages:write',
    anonymous: true,
    summary: 'Say how far the work is',
    input: z.strictObject({ ...claimWrite, progress: z.json() }),
    output: ClaimSchema,
  }),
  'claims/release': route({
    method: 'POST',
    path: '/claims/:claimId/release',
    scope: 'messages:write',
    anonymous: true,
    summary: 'Give the work back',
    input: z.strictObject({ ...claimWrite, reason: z.string().min(1).max(1000).optional() }),
    output: ClaimSchema,
  }),
  'claims/complete': route({
    method: 'POST',
    path: '/claims/:claimId/complete',
    scope: 'messages:write',
    anonymous: true,
    summary: 'The work is done; accepted exactly once',
    input: z.strictObject({ ...claimWrite, result: z.json().optional() }),
    output: ClaimSchema,
  }),
  'work/list': route({
    method: 'GET',
    path: '/work',
    scope: 'messages:read',
    anonymous: true,
    summary: 'Work that is open for an agent, oldest first',
    input: z.strictObject({
      for: AgentIdSchema.optional(),
      held: z.boolean().optional().describe('Also what is held, by whom'),
      limit: PageLimitSchema,
    }),
    output: listOf(WorkItemSchema),
  }),

  'deliveries/report': route({
    method: 'POST',
    path: '/agents/:id/deliveries',
    scope: 'messages:write',
    anonymous: false,
    summary: 'What the deliverer of this agent has evidence for',
    input: z.strictObject({ ...agent, ...guard, reports: z.array(DeliveryReportSchema).min(1).max(1000) }),
    output: z.object({
      applied: z
        .array(MessageIdSchema)
        .describe('A `dispatched` that is not here must not be handed over: the agent has it already, or it is gone'),
    }),
  }),

  'sessions/start': route({
    method: 'POST',
    path: '/sessions',
    scope: 'sessions:write',
    anonymous: false,
    summary: 'Spawn an agent on a node; answers when it runs',
    input: StartSessionSchema,
    output: SessionSchema,
    status: 201,
  }),
  'sessions/list': route({
    method: 'GET',
    path: '/sessions',
    scope: 'sessions:read',
    anonymous: true,
    summary: 'Sessions, newest first',
    input: z.strictObject({ agent: AgentIdSchema.optional(), status: SessionStatusSchema.optional(), limit: PageLimitSchema }),
    output: listOf(SessionSchema),
  }),
  'sessions/get': route({
    method: 'GET',
    path: '/sessions/:sessionId',
    scope: 'sessions:read',
    anonymous: true,
    summary: 'One session',
    input: z.strictObject({ sessionId: OpaqueIdSchema }),
    output: SessionSchema,
  }),
  'nodes/list': route({
    method: 'GET',
    path: '/nodes',
    scope: 'nodes:read',
    anonymous: true,
    summary: 'Machines that run agents',
    input: nothing,
    output: listOf(NodeSchema),
  }),
} as const;

export type Routes = typeof routes;
export type RouteName = keyof Routes;
/** What a caller sends. */
export type RouteRequest<Name extends RouteName> = z.input<Routes[Name]['input']>;
/** What a handler receives: parsed. */
export type RouteInput<Name extends RouteName> = z.output<Routes[Name]['input']>;
export type RouteOutput<Name extends RouteName> = z.output<Routes[Name]['output']>;

export const routeNames = Object.keys(routes) as readonly RouteName[]; // `routes` is `as const`: its keys are exactly RouteName

/** The event stream over HTTP: `GET /api/events` with an EventFilter as its query, answered as SSE. `Last-Event-ID` stands for `after`. */
export const EVENTS_PATH = '/events';
/** Everything HTTP lives under this prefix; the WebSocket is at `/ws`, MCP at `/mcp`. */
export const API_PREFIX = '/api';
export const WEB_SOCKET_PATH = '/ws';
export const MCP_PATH = '/mcp';
