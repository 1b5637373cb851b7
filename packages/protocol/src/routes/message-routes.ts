import { z } from 'zod';
import { ClaimSchema, LeaseMsSchema } from '../claim.ts';
import { DEFAULT_WAIT_MS, DeliverySchema, HandedStateSchema } from '../delivery.ts';
import { MessageDetailSchema, SendMessageSchema, SentMessageSchema } from '../message.ts';
import {
  AddressSchema,
  AgentIdSchema,
  CursorSchema,
  GroupNameSchema,
  listByIdOf,
  listOf,
  MessageIdSchema,
  OpaqueIdSchema,
  pageAfter,
  pageById,
  pageEitherWay,
} from '../primitives.ts';
import { actor, nothing, route } from '../route.ts';
import { VerificationSchema } from '../verification.ts';

const message = { id: MessageIdSchema };

/** Routes of the table. */
export const messageRoutes = {
  'messages/send': route({
    method: 'POST',
    path: '/messages',
    scope: 'messages:write',
    anonymous: true,
    summary: 'Send a message; the answer means it is on disk',
    input: SendMessageSchema,
    output: SentMessageSchema,
    status: (output) => (output.duplicate ? 200 : 201),
    wait: { field: 'waitFor', ms: DEFAULT_WAIT_MS },
  }),
  'messages/list': route({
    method: 'GET',
    path: '/messages',
    scope: 'messages:read',
    anonymous: true,
    summary: 'Messages, oldest first',
    input: z.strictObject({
      for: AgentIdSchema.optional().describe('Messages this agent is in the audience of'),
      from: AgentIdSchema.optional(),
      to: AddressSchema.optional(),
      channel: GroupNameSchema.optional(),
      unread: z.boolean().optional().describe('With `for`: only what it has not read'),
      claimable: z.boolean().optional(),
      state: HandedStateSchema.optional().describe('Only what stands so with a recipient; with `for`, with that one'),
      deadLetter: z
        .boolean()
        .optional()
        .describe('Only mail of people that failed or expired for a recipient, and that nobody has dismissed since'),
      ...pageEitherWay,
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
  'messages/dead': route({
    method: 'GET',
    path: '/messages/dead',
    scope: 'messages:read',
    anonymous: true,
    summary: 'How much mail of people failed or expired and waits for one of them, of what the caller may read',
    input: nothing,
    output: z.object({ count: z.int().min(0), cursor: CursorSchema }),
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
    input: z.strictObject({ ...message, ...pageAfter }),
    output: listOf(MessageDetailSchema),
  }),
  'messages/deliveries': route({
    method: 'GET',
    path: '/messages/:id/deliveries',
    scope: 'messages:read',
    anonymous: true,
    summary: "Every recipient's receipt, by agent id",
    input: z.strictObject({ ...message, ...pageById }),
    output: listByIdOf(DeliverySchema),
  }),
  'messages/verify': route({
    method: 'GET',
    path: '/messages/:id/verify',
    scope: 'messages:read',
    anonymous: true,
    summary: 'Who really sent it, as the relay knows: the sender, what proves it, and whether a person stands behind it',
    input: z.strictObject({ ...message, agentId: AgentIdSchema.optional().describe("Who asks; an agent's token forces its own id") }),
    output: VerificationSchema,
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
  'messages/dismiss': route({
    method: 'POST',
    path: '/messages/:id/dismiss',
    scope: 'messages:write',
    anonymous: true,
    summary: 'Somebody has looked at mail that did not arrive, or has sent it again: it waits no more',
    input: z.strictObject({ ...message, ...actor }),
    output: z.object({ dismissed: z.boolean().describe('False where it did not wait') }),
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
} as const;
