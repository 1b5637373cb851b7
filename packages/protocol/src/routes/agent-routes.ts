import { z } from 'zod';
import {
  AgentSchema,
  AgentStatusSchema,
  ApprovalModeSchema,
  RegisterAgentSchema,
  RegisteredAgentSchema,
  SessionGuardSchema,
} from '../agent.ts';
import { ActivityEntrySchema } from '../agent-event.ts';
import { AgentIdSchema, GroupNameSchema, LabelSchema, listByIdOf, listOf, OpaqueIdSchema, pageById, pageEitherWay } from '../primitives.ts';
import { route } from '../route.ts';
import { SessionSchema, sessionLimits } from '../session.ts';

const agent = { id: AgentIdSchema };
const guard = SessionGuardSchema.shape;

/** Routes of the table. */
export const agentRoutes = {
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
      stalled: z.boolean().optional().describe('Only those that have stalled, or only the others'),
      ...pageById,
    }),
    output: listByIdOf(AgentSchema),
  }),
  'agents/find': route({
    method: 'GET',
    path: '/agents/find',
    scope: 'agents:read',
    anonymous: true,
    summary: 'Agents that have a capability',
    input: z.strictObject({ capability: GroupNameSchema, ...pageById }),
    output: listByIdOf(AgentSchema),
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
    summary: 'Set what a turn that relay mail started may do; a session that a machine runs keeps what it was started with',
    input: z.strictObject({ ...agent, approval: ApprovalModeSchema }),
    output: AgentSchema,
  }),
  'agents/remove': route({
    method: 'DELETE',
    path: '/agents/:id',
    scope: 'agents:write',
    anonymous: true,
    summary: 'Delete the address; what a machine runs of it ends, its waiting mail fails and the senders are told',
    input: z.strictObject({ ...agent }),
    output: z.object({ removed: z.literal(true), failedMessages: z.int().min(0) }),
    wait: { ms: sessionLimits.endMs },
  }),
  'agents/interrupt': route({
    method: 'POST',
    path: '/agents/:id/interrupt',
    scope: 'sessions:write',
    anonymous: false,
    summary: 'Stop the running turn; the session stays',
    input: z.strictObject(agent),
    output: z.object({ interrupted: z.boolean().describe('False when no turn was running') }),
    wait: { ms: sessionLimits.interruptMs },
  }),
  'agents/release': route({
    method: 'POST',
    path: '/agents/:id/release',
    scope: 'sessions:write',
    anonymous: false,
    summary: 'End the running session and its processes; the address keeps its mail',
    input: z.strictObject({
      ...agent,
      reason: z.string().min(1).max(500).optional(),
      wake: z
        .literal('never')
        .optional()
        .describe('Mail no longer starts it again; where that is all there is to end, its last session is answered'),
    }),
    output: SessionSchema,
    wait: { ms: sessionLimits.endMs },
  }),
  'agents/activity': route({
    method: 'GET',
    path: '/agents/:id/activity',
    scope: 'events:read',
    shared: true,
    anonymous: false,
    summary: 'What the agent did, oldest first',
    input: z.strictObject({
      ...agent,
      session: OpaqueIdSchema.optional(),
      ...pageEitherWay,
    }),
    output: listOf(ActivityEntrySchema),
  }),
} as const;
