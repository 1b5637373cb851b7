import { z } from 'zod';
import { SessionGuardSchema } from '../agent.ts';
import { DeliveryModeSchema, SentMessageSchema } from '../message.ts';
import { PairSchema, PairStatusSchema } from '../pair.ts';
import { AddressSchema, AgentIdSchema, counted, listOf, MAX_BODY_LENGTH, MessageIdSchema, pageBefore } from '../primitives.ts';
import { actor, route } from '../route.ts';

const pair = { id: MessageIdSchema };
const speaker = {
  from: AgentIdSchema.optional().describe("Who speaks; an agent's token forces its own id, the owner defaults to `owner`"),
  ...SessionGuardSchema.shape,
};
const reason = z.string().min(1).max(1000).optional();

/** Routes of the table. */
export const pairRoutes = {
  'pairs/request': route({
    method: 'POST',
    path: '/pairs',
    scope: 'pairs:write',
    anonymous: true,
    summary: 'Invite an agent to an exclusive live chat; either side has at most one open pair',
    input: z.strictObject({
      ...speaker,
      target: AddressSchema.describe(
        'id:x, label:x, tag:x, cap:x, machine:x, or a word: an id, name, label or provider. It must mean one agent',
      ),
      objective: z.string().min(1).max(4000),
    }),
    output: PairSchema,
    status: 201,
  }),
  'pairs/list': route({
    method: 'GET',
    path: '/pairs',
    scope: 'pairs:read',
    anonymous: true,
    summary: 'Pairs, newest first',
    input: z.strictObject({
      agent: AgentIdSchema.optional(),
      status: PairStatusSchema.optional(),
      ...pageBefore,
    }),
    output: listOf(PairSchema),
  }),
  'pairs/count': route({
    method: 'GET',
    path: '/pairs/count',
    scope: 'pairs:read',
    anonymous: true,
    summary: 'How many pairs there are of each status, of those that the caller may list',
    input: z.strictObject({ agent: AgentIdSchema.optional(), status: PairStatusSchema.optional() }),
    output: counted,
  }),
  'pairs/get': route({
    method: 'GET',
    path: '/pairs/:id',
    scope: 'pairs:read',
    anonymous: true,
    summary: 'One pair',
    input: z.strictObject(pair),
    output: PairSchema,
  }),
  'pairs/accept': route({
    method: 'POST',
    path: '/pairs/:id/accept',
    scope: 'pairs:write',
    anonymous: true,
    summary: 'Accept an invitation; only its target may',
    input: z.strictObject({ ...pair, ...actor }),
    output: PairSchema,
  }),
  'pairs/reject': route({
    method: 'POST',
    path: '/pairs/:id/reject',
    scope: 'pairs:write',
    anonymous: true,
    summary: 'Decline an invitation; only its target may',
    input: z.strictObject({ ...pair, ...actor, reason }),
    output: PairSchema,
  }),
  'pairs/send': route({
    method: 'POST',
    path: '/pairs/:id/messages',
    scope: 'pairs:write',
    anonymous: true,
    summary: 'Say something to the other side of an active pair: a message in its thread, with `meta.pairId`',
    input: z.strictObject({
      ...pair,
      ...speaker,
      body: z.string().min(1).max(MAX_BODY_LENGTH),
      mode: DeliveryModeSchema.optional(),
      replyTo: MessageIdSchema.optional().describe("A message of the pair's thread; defaults to the invitation"),
      idempotencyKey: z.string().min(1).max(200).optional(),
    }),
    output: SentMessageSchema,
    status: (output) => (output.duplicate ? 200 : 201),
  }),
  'pairs/hangup': route({
    method: 'POST',
    path: '/pairs/:id/hangup',
    scope: 'pairs:write',
    anonymous: true,
    summary: 'End an open pair; either side may, and the owner',
    input: z.strictObject({ ...pair, ...actor, reason }),
    output: PairSchema,
  }),
} as const;
