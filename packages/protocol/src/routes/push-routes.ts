import { z } from 'zod';
import { listByIdOf, OpaqueIdSchema, pageById } from '../primitives.ts';
import { CreatePushSubscriptionSchema, PushSubscriptionSchema } from '../push.ts';
import { nothing, route } from '../route.ts';

/** Routes of the table. */
export const pushRoutes = {
  'push/key': route({
    method: 'GET',
    path: '/push/key',
    scope: 'approvals:read',
    anonymous: false,
    summary: 'The public key that a browser subscribes to pushes with (VAPID); made when it is first asked for',
    input: nothing,
    output: z.object({ publicKey: z.string().describe('65 bytes as base64url: `applicationServerKey` of `PushManager.subscribe()`') }),
  }),
  'push/subscribe': route({
    method: 'POST',
    path: '/push/subscriptions',
    scope: 'approvals:read',
    anonymous: false,
    summary:
      'Have a browser told of what does not go on without its person while its page is closed, for as long as the token that asks is good; the same endpoint again changes what it is told of',
    input: CreatePushSubscriptionSchema,
    output: PushSubscriptionSchema,
    status: 201,
  }),
  'push/list': route({
    method: 'GET',
    path: '/push/subscriptions',
    scope: 'approvals:read',
    anonymous: false,
    summary: "The caller's browsers that are told, by id; for the owner everybody's",
    input: z.strictObject({ ...pageById }),
    output: listByIdOf(PushSubscriptionSchema),
  }),
  'push/unsubscribe': route({
    method: 'DELETE',
    path: '/push/subscriptions/:id',
    scope: 'approvals:read',
    anonymous: false,
    summary: 'Tell a browser no more',
    input: z.strictObject({ id: OpaqueIdSchema }),
    output: z.object({ unsubscribed: z.literal(true) }),
  }),
  'push/look': route({
    method: 'POST',
    path: '/push/look',
    scope: 'approvals:read',
    anonymous: false,
    summary: 'Say whether somebody looks at a page now: nothing new is pushed to a person who does. It counts for 90 seconds',
    input: z.strictObject({ page: OpaqueIdSchema.describe('A name that the page gave itself'), isLookedAt: z.boolean() }),
    output: z.object({ isLookedAt: z.boolean() }),
  }),
} as const;
