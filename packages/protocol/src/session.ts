import { z } from 'zod';
import { AbilitiesSchema, SandboxRequestSchema, SandboxStateSchema, SpawnModeSchema } from './abilities.ts';
import { ApprovalModeSchema } from './agent.ts';
import {
  AgentIdSchema,
  GroupNameSchema,
  LabelSchema,
  lineOf,
  MAX_BODY_LENGTH,
  MetaSchema,
  ModelNameSchema,
  OpaqueIdSchema,
  TimestampSchema,
} from './primitives.ts';
import { SessionControllersSchema } from './watching.ts';

export const SessionStatusSchema = z.enum(['starting', 'running', 'ended', 'failed']);
export type SessionStatus = z.infer<typeof SessionStatusSchema>;

/**
 * How an agent is started: `headless` is driven by its machine alone; `background` is a session of the vendor's own that a person may open at a
 * terminal, and whose plugin speaks to the relay as the agent.
 */
export const SpawnTargetSchema = z.enum(['headless', 'background']);
export type SpawnTarget = z.infer<typeof SpawnTargetSchema>;

/** One running incarnation of an agent on a node. */
export const SessionSchema = z.object({
  sessionId: OpaqueIdSchema,
  agentId: AgentIdSchema,
  nodeId: OpaqueIdSchema,
  provider: z.string(),
  instanceId: OpaqueIdSchema,
  epoch: z.int().min(1),
  status: SessionStatusSchema,
  mode: SpawnModeSchema,
  ask: z.boolean().default(false).describe('In `agentic`: a person is asked for what goes beyond the mode'),
  cwd: z.string().nullable().describe('The folder asked for, until the node has started it: then where it works'),
  model: z.string().nullable(),
  spawnedBy: AgentIdSchema.nullable(),
  spawnDepth: z.int().min(0).optional().describe('How many agents stood above it when it began, where an agent started it'),
  startedAt: TimestampSchema,
  runningSince: TimestampSchema.optional().describe(
    'When its machine had it running; one that never ran, or began on an older relay, says nothing',
  ),
  endedAt: TimestampSchema.nullable(),
  reason: z.string().nullable().describe('Why it ended or failed, in one sentence'),
  vendorSessionId: z
    .string()
    .nullable()
    .default(null)
    .describe("The vendor's own id of the conversation, where it keeps one: a later session may go on with it (`resume`)"),
  sandbox: SandboxStateSchema.default('none').describe('What keeps its processes inside its folder, from when the node has started it'),
  dialledIn: z.boolean().optional().describe('Its program was started elsewhere and dialled in: who started it brings it back'),
  target: SpawnTargetSchema.optional().describe('Left out: headless'),
  attach: z.string().max(200).optional().describe('In the background: the command that opens it at a terminal of its machine'),
  sandboxReason: z.string().nullable().default(null).describe('Why it runs without one although one was wanted (`auto`), in one sentence'),
  controllers: SessionControllersSchema.optional().describe(
    `${SessionControllersSchema.description}. Only in what \`sessions/get\` and \`sessions/list\` answer of a session that is not over, to who may see what its agent does`,
  ),
});
export type Session = z.infer<typeof SessionSchema>;

/** How long a machine may take to start an agent, to end one, to interrupt a turn, and so on. */
export const sessionLimits = {
  startMs: 90_000,
  endMs: 60_000,
  interruptMs: 20_000,
  dialledMs: 60_000,
  answerMs: 20_000,
  lookMs: 20_000,
} as const;

/** For the machine to hand an answer to its agent, and before it another one to the same question. */
export const APPROVAL_ANSWER_MS = 2 * sessionLimits.answerMs;

/** How long after its own start a relay expects its machines to arrive. */
export const ARRIVAL_MS = 10_000;

/** What whoever starts an agent may wait: for a machine to arrive, for the look whether its program is there, for the start itself. */
export const SPAWN_MS = ARRIVAL_MS + sessionLimits.lookMs + sessionLimits.startMs;

export const StartSessionSchema = z.strictObject({
  name: AgentIdSchema.describe("The agent's id"),
  provider: lineOf(64).describe('Any provider that a machine offers'),
  task: z.string().min(1).max(MAX_BODY_LENGTH).optional(),
  cwd: lineOf(4096).optional(),
  mode: SpawnModeSchema.optional(),
  model: ModelNameSchema.optional(),
  node: OpaqueIdSchema.optional().describe(
    'Id or name of the machine. Left out: for an agent that asks its own machine, else the least loaded that can and whose owner allows it',
  ),
  nodeLabels: z.array(GroupNameSchema).min(1).max(64).optional().describe('On a machine that has all of these labels'),
  label: LabelSchema.optional(),
  tags: z.array(GroupNameSchema).max(64).optional(),
  capabilities: z.array(GroupNameSchema).max(64).optional(),
  channels: z.array(GroupNameSchema).max(64).nullable().optional(),
  approval: ApprovalModeSchema.optional(),
  ask: z
    .boolean()
    .optional()
    .describe('In `agentic`: ask a person for what goes beyond the mode, instead of refusing it. An agent may pass on only what it has'),
  resume: z
    .boolean()
    .optional()
    .describe('Go on with the last conversation that this agent had with the same provider, on its machine and in its folder'),
  fork: z
    .boolean()
    .optional()
    .describe('With `resume`: go on with a copy. The conversation stays as it is, and the session that has it goes on with it'),
  resumeFrom: AgentIdSchema.optional().describe(
    'With `resume`: the agent whose conversation goes on; while that has a session, only with `fork`, as a copy. Default: its own',
  ),
  target: SpawnTargetSchema.optional().describe('Default headless; only a person starts one in the background'),
  sandbox: SandboxRequestSchema.optional().describe(
    'What keeps its processes inside its folder. What its machine asks for counts where it is stricter; so does what the agent that asks is kept in',
  ),
  spawnedBy: AgentIdSchema.optional().describe("The agent that asks; an agent's token forces its own id"),
  meta: MetaSchema.optional().describe('What its card says besides'),
  wake: z
    .enum(['never', 'resume', 'fresh'])
    .optional()
    .describe(
      'Whether mail starts it again on these terms once it has ended: in its old conversation, in a fresh one, or not; for people and programs to say, not for agents. Mail to it alone does, of a caller with a token; not mail to many, nor `fyi`. Left out, what was said before goes on',
    ),
  idleMs: z
    .int()
    .min(1_000)
    .max(604_800_000)
    .optional()
    .describe('With `wake`: after so long without work it is released, and mail wakes it. Default ten minutes'),
  idempotencyKey: lineOf(200)
    .optional()
    .describe(
      'The same start asked for again, because its answer was lost, is answered with the session that it began. A start that failed may be tried again under its key',
    ),
});
export type StartSession = z.infer<typeof StartSessionSchema>;

export const NodeProviderSchema = z.object({
  id: z
    .string()
    .max(64)
    .regex(/^[a-z0-9][a-z0-9._-]*$/u, 'The name of a provider is made of a-z, 0-9 and . _ -'),
  available: z.boolean(),
  version: z.string().nullable(),
  reason: z.string().nullable().describe('Why it is not available, and how to install it'),
  dialIn: z.boolean().optional().describe('Programs of this kind that were started elsewhere may dial in here'),
  runtime: z.string().max(1000).optional().describe('Which running program serves its sessions, where the vendor leaves a choice, and why'),
  name: lineOf(64).optional().describe('What people call it'),
  abilities: AbilitiesSchema.optional().describe('What it can do there; left out where nobody says'),
});
export type NodeProvider = z.infer<typeof NodeProviderSchema>;

/** Who asks for an agent, as a machine tells them apart: a person or a program, an agent that runs there, or one that runs elsewhere. */
export const SpawnerKindSchema = z.enum(['owner', 'own-agents', 'other-agents']);
export type SpawnerKind = z.infer<typeof SpawnerKindSchema>;

/** What the owner of a machine says of it, which the relay cannot change. What is left out is not limited. */
export const NodeTermsSchema = z.object({
  labels: z.array(GroupNameSchema).max(64).optional().describe('What an agent may be placed by'),
  capacity: z.int().min(0).max(10_000).optional().describe('How many agents it runs at once'),
  modes: z.array(SpawnModeSchema).max(16).optional().describe('In which agents may work there'),
  approvals: z.array(ApprovalModeSchema).max(16).optional().describe('Under which agents may take mail there'),
  spawners: z
    .array(SpawnerKindSchema)
    .max(16)
    .optional()
    .describe('Whose agents may start there; agents of other machines only where they are named'),
  elsewhere: z.boolean().optional().describe('Its agents may start others on other machines'),
});
export type NodeTerms = z.infer<typeof NodeTermsSchema>;

/** How busy a machine is, as its system says. */
export const NodeLoadSchema = z.object({
  cores: z.int().min(1),
  perMinute: z
    .number()
    .min(0)
    .optional()
    .describe('How many processes ran or waited to run, over the last minute; left out where its system does not count them'),
  freeMemoryBytes: z.int().min(0),
  totalMemoryBytes: z.int().min(0),
});
export type NodeLoad = z.infer<typeof NodeLoadSchema>;

/** A machine that runs relay-connect. */
export const NodeSchema = z.object({
  nodeId: OpaqueIdSchema,
  name: LabelSchema,
  status: z.enum(['online', 'offline']),
  version: z.string(),
  providers: z.array(NodeProviderSchema),
  connectedAt: TimestampSchema.nullable(),
  lastSeenAt: TimestampSchema,
  terms: NodeTermsSchema.optional().describe('What its owner says of it; left out where nothing is said'),
  load: NodeLoadSchema.optional().describe('Of its last heartbeat; no event tells of it alone'),
});
export type Node = z.infer<typeof NodeSchema>;
