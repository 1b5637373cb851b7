import { z } from 'zod';
import {
  AddressSchema,
  AgentIdSchema,
  CursorSchema,
  GroupNameSchema,
  MAX_BODY_LENGTH,
  MessageIdSchema,
  MetaSchema,
  OpaqueIdSchema,
  TimestampSchema,
} from './primitives.ts';
import { PrincipalNameSchema } from './principal-name.ts';

/** `open` waits for an agent; `claimed`, `in_progress` and `blocked` are in one agent's hands; the rest is over. */
export const TaskStatusSchema = z.enum(['open', 'claimed', 'in_progress', 'blocked', 'done', 'failed', 'canceled']);
export type TaskStatus = z.infer<typeof TaskStatusSchema>;

const spelled = (status: string) => (status === 'cancelled' ? 'canceled' : status);

/** Statuses as callers write them: `cancelled`, as claims have it, is the same word. */
export const ListedTaskStatusSchema = z
  .enum([...TaskStatusSchema.options, 'active', 'ended', 'cancelled'])
  .transform(spelled)
  .pipe(TaskStatusSchema.or(z.enum(['active', 'ended'])));
export const NewTaskStatusSchema = z
  .enum([...TaskStatusSchema.exclude(['claimed']).options, 'cancelled'])
  .transform(spelled)
  .pipe(TaskStatusSchema.exclude(['claimed']));

const oneLine = (maximum: number) => z.string().min(1).max(maximum);

/** Durable work with a lifecycle. Its id is that of the one claimable message that offers it. */
export const TaskSchema = z.object({
  id: MessageIdSchema,
  source: AgentIdSchema.describe('Who created it: an integration by its name, else an agent'),
  type: z.string().nullable(),
  severity: z.string().nullable(),
  title: z.string(),
  body: z.string(),
  target: AddressSchema.describe('Whom it is offered to, in its one spelling'),
  channel: GroupNameSchema.nullable(),
  dedupeKey: z.string().nullable(),
  externalUrl: z.string().nullable(),
  metadata: MetaSchema.nullable(),
  status: TaskStatusSchema,
  claimedBy: AgentIdSchema.nullable().describe('Who holds it, or held it when it ended'),
  claimId: OpaqueIdSchema.nullable(),
  result: z.json().nullable(),
  progress: z.json().nullable(),
  occurrenceCount: z.int().min(1).describe('How often its source reported it while it was active'),
  lastSeenAt: TimestampSchema,
  createdAt: TimestampSchema,
  updatedAt: TimestampSchema,
  endedAt: TimestampSchema.nullable(),
});
export type Task = z.infer<typeof TaskSchema>;

export const taskEventTypes = [
  'task.created',
  'task.repeated',
  'task.claimed',
  'task.updated',
  'task.released',
  'task.completed',
  'task.failed',
  'task.canceled',
] as const;
export const TaskEventTypeSchema = z.enum(taskEventTypes);
export type TaskEventType = z.infer<typeof TaskEventTypeSchema>;

/** One line of a task's history; it outlives the log's own. Reports that repeat each other share a line. */
export const TaskEventSchema = z.object({
  seq: CursorSchema.describe('Where the log tells of it; of several, of the first'),
  taskId: MessageIdSchema,
  type: TaskEventTypeSchema,
  at: TimestampSchema,
  count: z.int().min(1).describe('How many repeated reports this line stands for; 1 for everything else'),
  lastAt: TimestampSchema.describe('When the last of them came'),
  by: PrincipalNameSchema.describe(
    'Who did it: as in `sender.principal`, or the id of an agent, e.g. integration:ops-monitor, Worker, relay',
  ),
  status: TaskStatusSchema,
  occurrenceCount: z.int().min(1),
  detail: z
    .json()
    .nullable()
    .describe('What this event brought: the progress, the result, or what a repeated report said, of several the last'),
});
export type TaskEvent = z.infer<typeof TaskEventSchema>;

/** What a system outside reports. The same `dedupeKey` from the same source joins the task that is active under it. */
export const ReportEventSchema = z.strictObject({
  type: oneLine(64).optional(),
  severity: oneLine(64).optional(),
  title: oneLine(256),
  body: z
    .string()
    .max(MAX_BODY_LENGTH - 4096)
    .optional(),
  target: AddressSchema.optional().describe('Whom the task is offered to; defaults to the only target that the token allows'),
  channel: GroupNameSchema.optional(),
  dedupeKey: oneLine(256).optional(),
  externalUrl: z
    .url({ protocol: /^https?$/u })
    .max(2048)
    .optional(),
  metadata: MetaSchema.optional(),
  status: z.enum(['open', 'resolved']).optional().describe('`resolved` ends the task that is active under `dedupeKey`'),
  source: AgentIdSchema.optional().describe("Who reports; an integration's or agent's token forces its own name"),
  idempotencyKey: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('The same key and content from the same source is one report, however often it is sent'),
});
export type ReportEvent = z.infer<typeof ReportEventSchema>;

export const ReportedEventSchema = z.object({
  outcome: z.enum(['created', 'repeated', 'resolved', 'ignored']).describe('`ignored`: resolved, and no task was active'),
  task: TaskSchema.nullable().describe('As it stands now'),
  duplicate: z.boolean().describe('True when an earlier report with this idempotency key is answered'),
});
export type ReportedEvent = z.infer<typeof ReportedEventSchema>;

/** A configured integration, or one that has been seen creating tasks. Its token is never shown. */
export const IntegrationSchema = z.object({
  name: AgentIdSchema,
  configured: z.boolean(),
  scopes: z.array(z.string()),
  targets: z.array(AddressSchema).nullable(),
  channels: z.array(GroupNameSchema).nullable(),
  callbackHost: z.string().nullable().describe('Where its callbacks go; the rest of the address may be a secret'),
  tasks: z.object({ active: z.int(), total: z.int() }),
  lastSeenAt: TimestampSchema.nullable().describe('When it last reported a task'),
});
export type Integration = z.infer<typeof IntegrationSchema>;
