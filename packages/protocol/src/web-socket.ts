import { z } from 'zod';
import { SandboxRequestSchema, SandboxStateSchema, SpawnModeSchema } from './abilities.ts';
import { ApprovalModeSchema, SessionGuardSchema } from './agent.ts';
import { ActivityEntrySchema, AgentEventSchema } from './agent-event.ts';
import { ApprovalAnswerSchema, ApprovalIdSchema } from './approval.ts';
import { DialledSchema } from './dial-in.ts';
import { EventResetSchema } from './event-reset.ts';
import { HookFieldsSchema, HookResultSchema, HookSchema, NodeHooksSchema } from './hook.ts';
import { InboxItemSchema } from './message.ts';
import {
  AgentIdSchema,
  ConversationIdSchema,
  CursorSchema,
  LabelSchema,
  ModelNameSchema,
  OpaqueIdSchema,
  TimestampSchema,
} from './primitives.ts';
import { PrincipalSchema } from './principal.ts';
import { PrincipalNameSchema } from './principal-name.ts';
import { EventFilterSchema, RelayEventSchema } from './relay-event.ts';
import { HOOK_TEST_MS, HOOKS_LIST_MS } from './routes/hook-routes.ts';
import { NodeLoadSchema, NodeProviderSchema, NodeTermsSchema, SessionSchema, SessionStatusSchema, sessionLimits } from './session.ts';
import { ActivityWatchersSchema } from './watching.ts';

/** A JSON-RPC method or notification: what its params are and, for a method, its result. */
interface Method<Params extends z.ZodType = z.ZodType, Result extends z.ZodType = z.ZodType> {
  readonly summary: string;
  readonly params: Params;
  readonly result: Result;
}
interface Notification<Params extends z.ZodType = z.ZodType> {
  readonly summary: string;
  readonly params: Params;
}
const method = <Params extends z.ZodType, Result extends z.ZodType>(definition: Method<Params, Result>): Method<Params, Result> =>
  definition;
const notification = <Params extends z.ZodType>(definition: Notification<Params>): Notification<Params> => definition;

const subscription = z.strictObject({ subscriptionId: OpaqueIdSchema });
const acknowledged = z.object({});

/**
 * What the WebSocket at `/ws` offers beside every route of the route table (whose keys are methods there too).
 * A subscription's id is chosen by the relay and named in each of its notifications.
 */
export const socketMethods = {
  'auth/authenticate': method({
    summary: 'Names the caller on a socket whose upgrade carried no credential; browsers do so within five seconds or are closed',
    params: z
      .strictObject({
        token: z.string().min(1).max(512).optional(),
        session: z.string().min(1).max(64).optional().describe("A browser's: the word that belongs to the cookie of its upgrade"),
      })
      .refine(({ token, session }) => (token === undefined) !== (session === undefined), 'Give a token or a session'),
    result: PrincipalSchema,
  }),
  'events/subscribe': method({
    summary: 'Follow the log; the events after `after` come first, then what is new',
    params: EventFilterSchema,
    result: z.object({ subscriptionId: OpaqueIdSchema, cursor: CursorSchema, generation: OpaqueIdSchema }),
  }),
  'events/unsubscribe': method({ summary: 'Stop a subscription of any kind', params: subscription, result: acknowledged }),
  'inbox/subscribe': method({
    summary:
      "Become the one deliverer of an agent's inbox: waiting mail is pushed, at most `window` pieces unacknowledged; another deliverer of the same epoch gets inbox_taken",
    params: z.strictObject({
      id: AgentIdSchema,
      ...SessionGuardSchema.shape,
      window: z.int().min(1).max(1000).optional().describe('Defaults to 64'),
    }),
    result: z.object({ subscriptionId: OpaqueIdSchema }),
  }),
  'activity/subscribe': method({
    summary: "Follow one agent's activity, deltas included; stored entries after `after` come first",
    params: z.strictObject({ id: AgentIdSchema, after: CursorSchema.optional() }),
    result: z.object({ subscriptionId: OpaqueIdSchema, cursor: CursorSchema }),
  }),
} as const;

/** What the relay tells a socket without being asked. */
export const socketNotifications = {
  'events/next': notification({
    summary: 'The next events, in order',
    params: z.object({ subscriptionId: OpaqueIdSchema, events: z.array(RelayEventSchema) }),
  }),
  'events/reset': notification({
    summary: 'The cursor cannot be continued; the subscription has ended',
    params: z.object({ subscriptionId: OpaqueIdSchema, reset: EventResetSchema }),
  }),
  'inbox/next': notification({
    summary: 'The next mail, in order',
    params: z.object({ subscriptionId: OpaqueIdSchema, items: z.array(InboxItemSchema) }),
  }),
  'activity/next': notification({
    summary: 'The next activity: stored entries, or live deltas that are not stored (`id` 0)',
    params: z.object({ subscriptionId: OpaqueIdSchema, entries: z.array(ActivityEntrySchema.extend({ id: z.int().min(0) })) }),
  }),
  'activity/watchers': notification({
    summary:
      'Who else follows the same activity, told to people and their programs: once where there is somebody, and whenever it is others',
    params: z.object({ subscriptionId: OpaqueIdSchema, ...ActivityWatchersSchema.shape }),
  }),
  'subscription/ended': notification({
    summary: 'A subscription ended from the relay side, e.g. because a newer epoch took the inbox',
    params: z.object({ subscriptionId: OpaqueIdSchema, code: z.string(), message: z.string() }),
  }),
} as const;

const hosted = { sessionId: OpaqueIdSchema };

/**
 * What a node calls on the relay, over the same socket, with its node token. A field that the relay does not know is passed over, so that a
 * newer node works with an older relay.
 */
export const nodeMethods = {
  'nodes/attach': method({
    summary:
      'A machine offers itself and names the sessions it still runs; the relay says which to keep and up to where it has their activity',
    params: z.object({
      name: LabelSchema,
      version: z.string().min(1).max(64),
      protocol: z.int().min(1).describe('The newest version of the protocol that the node speaks'),
      minProtocol: z.int().min(1).optional().describe('The oldest that it speaks; defaults to `protocol`'),
      providers: z.array(NodeProviderSchema).max(64),
      terms: NodeTermsSchema.optional(),
      sessions: z
        .array(z.object({ ...hosted, agentId: AgentIdSchema, instanceId: OpaqueIdSchema, epoch: z.int().min(1), lastSeq: z.int().min(0) }))
        .max(10_000),
    }),
    result: z.object({
      nodeId: OpaqueIdSchema,
      name: LabelSchema.optional().describe('What the relay calls it, which is not what it said where it was given another name'),
      version: z.string().optional().describe('Of the relay'),
      protocol: z.int().min(1).optional().describe('The version that both speak from now on'),
      sessions: z.array(
        z.object({
          ...hosted,
          keep: z.boolean(),
          ackedSeq: z.int().min(0).describe('Entries up to this are stored; send again what follows'),
        }),
      ),
    }),
  }),
  'nodes/heartbeat': method({
    summary: 'The machine and these sessions are alive; renews their presence and claims. Answers which sessions to end',
    params: z.object({
      sessions: z.array(z.object({ ...hosted, status: z.enum(['idle', 'busy']) })).max(10_000),
      offer: z
        .object({ providers: z.array(NodeProviderSchema).max(64), terms: NodeTermsSchema.optional() })
        .optional()
        .describe('What the machine offers from now on, where its owner has changed that'),
      load: NodeLoadSchema.optional(),
    }),
    result: z.object({ release: z.array(OpaqueIdSchema) }),
  }),
  'sessions/report': method({
    summary: "A hosted session's state changed on the machine",
    params: z.object({
      ...hosted,
      status: SessionStatusSchema,
      activity: z.enum(['idle', 'busy']).optional(),
      reason: z.string().max(1000).optional(),
    }),
    result: acknowledged,
  }),
  'activity/append': method({
    summary: 'The next entries of a hosted session; entries already stored are skipped by `seq`, a gap is refused',
    params: z.object({
      ...hosted,
      entries: z
        .array(z.object({ seq: z.int().min(1), at: TimestampSchema, event: AgentEventSchema }))
        .min(1)
        .max(1000),
    }),
    result: z.object({ ackedSeq: z.int().min(0) }),
  }),
} as const;

/** Deltas for those who watch live; never stored, may be lost. */
export const nodeNotifications = {
  'activity/live': notification({
    summary: 'Deltas that nobody stores',
    params: z.object({ ...hosted, at: TimestampSchema, events: z.array(AgentEventSchema).min(1).max(1000) }),
  }),
} as const;

/** With how long the machine may take for it, in milliseconds. */
interface NodeCommand<Params extends z.ZodType = z.ZodType, Result extends z.ZodType = z.ZodType> extends Method<Params, Result> {
  readonly limitMs: number;
}
const command = <Params extends z.ZodType, Result extends z.ZodType>(
  definition: NodeCommand<Params, Result>,
): NodeCommand<Params, Result> => definition;

/** What the relay calls on a node. One of an earlier version answers what it does not know with `unknown_method`. */
export const nodeCommands = {
  'provider/detect': command({
    limitMs: sessionLimits.lookMs,
    summary: 'Look again whether agents of this kind can run on the machine: its program may have been installed or removed meanwhile',
    params: z.object({ id: NodeProviderSchema.shape.id }),
    result: NodeProviderSchema,
  }),
  'session/start': command({
    limitMs: sessionLimits.startMs,
    summary: 'Start an agent; answers when it is ready for its first turn',
    params: z.object({
      session: SessionSchema,
      token: z.string().describe("The agent's own token, for its relay tools"),
      task: z.string().nullable(),
      cwd: z.string().nullable().describe('The folder asked for; null lets the node make a fresh one'),
      within: z.string().nullable().describe('When set, the folder must be this one or lie below it'),
      mode: SpawnModeSchema,
      approval: ApprovalModeSchema,
      model: ModelNameSchema.nullable(),
      resume: ConversationIdSchema.optional().describe("The vendor's own id of a stored conversation that the session goes on with"),
      fork: z.boolean().optional().describe('With `resume`: the session goes on with a copy'),
      dialled: DialledSchema.optional().describe(
        'The program runs already, and has dialled the relay: fetch its link instead of starting one',
      ),
      sandbox: SandboxRequestSchema.optional().describe('Left out: whatever the machine asks for'),
    }),
    result: z.object({
      cwd: z.string(),
      vendorSessionId: z.string().nullable(),
      model: z.string().nullable(),
      resumed: z.boolean().optional().describe('It goes on with `resume`; a node of an earlier version says nothing'),
      forked: z.boolean().optional().describe('It goes on with a copy; a node of an earlier version says nothing'),
      attach: SessionSchema.shape.attach.describe('It runs in the background; a node of an earlier version says nothing'),
      sandbox: SandboxStateSchema.optional().describe('What it runs in; a node of an earlier version says nothing'),
      sandboxReason: z.string().max(1000).optional(),
    }),
  }),
  'session/dialled': command({
    limitMs: sessionLimits.dialledMs,
    summary: 'The program of a session that dialled in has dialled again: fetch its new link',
    params: z.object({ ...hosted, dialled: DialledSchema }),
    result: acknowledged,
  }),
  'session/interrupt': command({
    limitMs: sessionLimits.interruptMs,
    summary: 'Stop the running turn',
    params: z.object(hosted),
    result: z.object({ interrupted: z.boolean() }),
  }),
  'session/resolve-approval': command({
    limitMs: sessionLimits.answerMs,
    summary: "Hand a person's answer to the agent that waits for it; false when nothing of that id waits (any more)",
    params: z.object({
      ...hosted,
      approvalId: ApprovalIdSchema,
      ...ApprovalAnswerSchema.shape,
      outcome: ApprovalAnswerSchema.shape.outcome.unwrap(),
      by: PrincipalNameSchema.describe('Who answered, as in `sender.principal`'),
    }),
    result: z.object({ resolved: z.boolean() }),
  }),
  'session/close': command({
    limitMs: sessionLimits.endMs,
    summary: 'End the session and its whole process tree; answers when it is gone',
    params: z.object({ ...hosted, reason: z.string() }),
    result: acknowledged,
  }),
  'hooks/describe': command({
    limitMs: HOOKS_LIST_MS,
    summary: "What the machine's own configuration has it do when something happens to its agents",
    params: z.object({}),
    result: NodeHooksSchema,
  }),
  'hooks/test': command({
    limitMs: HOOK_TEST_MS,
    summary: 'Try one of its hooks, by name: it runs what its own configuration says and nothing else',
    params: z.object({ name: HookSchema.shape.name, fields: HookFieldsSchema }),
    result: HookResultSchema,
  }),
} as const;

export type SocketMethods = typeof socketMethods;
export type SocketMethodName = keyof SocketMethods;
export type SocketNotifications = typeof socketNotifications;
export type NodeMethods = typeof nodeMethods;
export type NodeMethodName = keyof NodeMethods;
export type NodeCommands = typeof nodeCommands;
export type NodeCommandName = keyof NodeCommands;

type AnyMethods = SocketMethods & NodeMethods & NodeCommands;
export type MethodParams<Name extends keyof AnyMethods> = z.output<AnyMethods[Name]['params']>;
export type MethodRequest<Name extends keyof AnyMethods> = z.input<AnyMethods[Name]['params']>;
export type MethodResult<Name extends keyof AnyMethods> = z.output<AnyMethods[Name]['result']>;
export type NotificationParams<Name extends keyof SocketNotifications> = z.output<SocketNotifications[Name]['params']>;

/** How long a browser's socket without a credential may stay silent before it is closed with `unauthorized`. */
export const AUTHENTICATE_WITHIN_MS = 5_000;
