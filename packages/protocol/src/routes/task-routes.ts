import { z } from 'zod';
import { CallbackSchema, CallbackStatusSchema } from '../callback.ts';
import { ClaimSchema, LeaseMsSchema } from '../claim.ts';
import {
  AddressSchema,
  AgentIdSchema,
  counted,
  listByIdOf,
  listOf,
  MessageIdSchema,
  pageAfter,
  pageBefore,
  pageById,
} from '../primitives.ts';
import { actor, route } from '../route.ts';
import {
  IntegrationSchema,
  ListedTaskStatusSchema,
  NewTaskStatusSchema,
  ReportEventSchema,
  ReportedEventSchema,
  TaskEventSchema,
  TaskSchema,
} from '../task.ts';

const task = { id: MessageIdSchema };
const narrowed = {
  status: ListedTaskStatusSchema.optional().describe('`active` is whatever has not `ended`'),
  source: AgentIdSchema.optional(),
  target: AddressSchema.optional(),
  find: z.string().min(1).max(256).optional().describe('Words of its title, target, holder, severity, type, key or number, in any case'),
};
const ingressScopes = ['tasks:create', 'events:create'] as const;
/** Who may create tasks sees what becomes of its own. */
const ownTaskScopes = ['tasks:write', ...ingressScopes] as const;

/** Routes of the table. */
export const taskRoutes = {
  'integrations/report': route({
    method: 'POST',
    path: '/integrations/events',
    scope: 'tasks:write',
    alsoScopes: ingressScopes,
    anonymous: true,
    summary: 'Report what happened outside: creates a task, or joins or ends the one that is active under its dedupeKey',
    input: ReportEventSchema,
    output: ReportedEventSchema,
    status: ({ outcome, duplicate }) => (outcome === 'created' && !duplicate ? 201 : 200),
  }),
  'integrations/list': route({
    method: 'GET',
    path: '/integrations',
    scope: 'tasks:read',
    anonymous: true,
    summary: 'Integrations that are configured, and sources that tasks came from, by name',
    input: z.strictObject(pageById),
    output: listByIdOf(IntegrationSchema),
  }),
  'tasks/list': route({
    method: 'GET',
    path: '/tasks',
    scope: 'tasks:read',
    alsoScopes: ownTaskScopes,
    anonymous: true,
    summary: "Tasks, newest first; with a scope that creates tasks alone, the caller's own",
    input: z.strictObject({
      ...narrowed,
      ...pageBefore,
    }),
    output: listOf(TaskSchema),
  }),
  'tasks/count': route({
    method: 'GET',
    path: '/tasks/count',
    scope: 'tasks:read',
    alsoScopes: ownTaskScopes,
    anonymous: true,
    summary: 'How many tasks there are of each status, of those that the caller may list',
    input: z.strictObject(narrowed),
    output: counted,
  }),
  'tasks/get': route({
    method: 'GET',
    path: '/tasks/:id',
    scope: 'tasks:read',
    alsoScopes: ownTaskScopes,
    anonymous: true,
    summary: 'One task',
    input: z.strictObject(task),
    output: TaskSchema,
  }),
  'tasks/events': route({
    method: 'GET',
    path: '/tasks/:id/events',
    scope: 'tasks:read',
    alsoScopes: ownTaskScopes,
    anonymous: true,
    summary: "A task's history, oldest first",
    input: z.strictObject({ ...task, ...pageAfter }),
    output: listOf(TaskEventSchema),
  }),
  'tasks/claim': route({
    method: 'POST',
    path: '/tasks/:id/claim',
    scope: 'tasks:write',
    anonymous: true,
    summary: 'Take a task; exactly one claimant wins. The claim is written under /claims',
    input: z.strictObject({ ...task, ...actor, leaseMs: LeaseMsSchema.optional() }),
    output: ClaimSchema,
  }),
  'tasks/status': route({
    method: 'PATCH',
    path: '/tasks/:id/status',
    scope: 'tasks:write',
    anonymous: true,
    summary: 'Say how a task stands: its holder under its claim, its source and the owner to end it',
    input: z.strictObject({
      ...task,
      ...actor,
      fence: z.int().min(1).optional().describe('From the claim; an older one gets stale_fence'),
      status: NewTaskStatusSchema.optional().describe('`open` gives the task back'),
      progress: z.json().optional(),
      result: z.json().optional(),
    }),
    output: TaskSchema,
  }),
  'callbacks/list': route({
    method: 'GET',
    path: '/callbacks',
    scope: 'tasks:read',
    alsoScopes: ownTaskScopes,
    anonymous: false,
    summary: 'Callbacks, newest first; an integration sees its own',
    input: z.strictObject({
      status: CallbackStatusSchema.optional(),
      integration: AgentIdSchema.optional(),
      task: MessageIdSchema.optional(),
      ...pageBefore,
    }),
    output: listOf(CallbackSchema),
    formerly: { taskId: 'task' },
  }),
  'callbacks/count': route({
    method: 'GET',
    path: '/callbacks/count',
    scope: 'tasks:read',
    alsoScopes: ownTaskScopes,
    anonymous: false,
    summary: 'How many callbacks there are of each status, of those that the caller may list',
    input: z.strictObject({ status: CallbackStatusSchema.optional(), integration: AgentIdSchema.optional() }),
    output: counted,
  }),
  'callbacks/redeliver': route({
    method: 'POST',
    path: '/callbacks/:id/redeliver',
    scope: 'tasks:write',
    anonymous: false,
    summary: 'Send a callback again, now, under the same idempotency key',
    input: z.strictObject({ id: z.int().min(1) }),
    output: CallbackSchema,
  }),
} as const;
