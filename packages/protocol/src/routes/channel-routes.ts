import { z } from 'zod';
import { SessionGuardSchema } from '../agent.ts';
import { ChannelBindingModeSchema, ChannelBindingSchema, ChannelSchema, OutsideIdSchema, OutsideSenderSchema } from '../channel.ts';
import { SentMessageSchema } from '../message.ts';
import { AddressSchema, AgentIdSchema, listByIdOf, MAX_BODY_LENGTH, MessageIdSchema, OpaqueIdSchema, pageById } from '../primitives.ts';
import { route } from '../route.ts';
import { EVERY_CONVERSATION } from '../well-known.ts';

const channel = { id: AgentIdSchema.describe('The channel') };
const itself = { ...channel, ...SessionGuardSchema.shape };
const conversationId = OutsideIdSchema.refine((id) => id !== EVERY_CONVERSATION, 'A message is of one conversation');

/** Routes of the table. */
export const channelRoutes = {
  'channels/list': route({
    method: 'GET',
    path: '/channels',
    scope: 'channels:read',
    anonymous: true,
    summary: 'Channels to people outside, by id, with who is bound to their conversations',
    input: z.strictObject(pageById),
    output: listByIdOf(ChannelSchema),
  }),
  'channels/get': route({
    method: 'GET',
    path: '/channels/:id',
    scope: 'channels:read',
    anonymous: true,
    summary: 'One channel',
    input: z.strictObject(channel),
    output: ChannelSchema,
  }),
  'channels/bind': route({
    method: 'POST',
    path: '/channels/:id/bindings',
    scope: 'agents:write',
    anonymous: true,
    summary: 'Say who is meant by what is written in a conversation; the same binding again answers the first',
    input: z.strictObject({
      ...channel,
      conversationId: OutsideIdSchema.describe('The name the outside gives it; `*` is every one without a binding of its own'),
      target: AddressSchema,
      mode: ChannelBindingModeSchema.optional().describe('Defaults to exclusive'),
    }),
    output: ChannelBindingSchema.extend({ created: z.boolean().describe('False when it was there already') }),
    status: ({ created }) => (created ? 201 : 200),
  }),
  'channels/unbind': route({
    method: 'DELETE',
    path: '/channels/:id/bindings/:bindingId',
    scope: 'agents:write',
    anonymous: true,
    summary: 'End a binding',
    input: z.strictObject({ ...channel, bindingId: OpaqueIdSchema }),
    output: ChannelBindingSchema,
  }),
  'channels/receive': route({
    method: 'POST',
    path: '/channels/:id/messages',
    scope: 'messages:write',
    anonymous: true,
    summary: 'The channel brings what somebody wrote outside; the same `externalId` of a conversation again answers the first messages',
    input: z.strictObject({
      ...itself,
      conversationId,
      body: z.string().min(1).max(MAX_BODY_LENGTH),
      subject: z.string().min(1).max(256).optional(),
      sender: OutsideSenderSchema,
      externalId: OutsideIdSchema.describe('What the outside calls this message'),
      replyToExternalId: OutsideIdSchema.optional().describe('What the outside calls the message it answers'),
    }),
    output: z.object({
      messages: z.array(SentMessageSchema).describe('One for each target'),
      created: z.boolean().describe('False when this had been brought before'),
    }),
    status: ({ created }) => (created ? 201 : 200),
  }),
  'channels/link': route({
    method: 'POST',
    path: '/channels/:id/links',
    scope: 'messages:write',
    anonymous: true,
    summary: 'The channel tells what the outside calls the parts in which it sent a message, so that answers to them find their thread',
    input: z.strictObject({
      ...itself,
      messageId: MessageIdSchema,
      conversationId,
      externalIds: z.array(OutsideIdSchema).min(1).max(100).describe('In order'),
    }),
    output: z.object({ messageId: MessageIdSchema, conversationId: z.string(), externalIds: z.array(z.string()) }),
  }),
  'channels/conversation': route({
    method: 'GET',
    path: '/channels/:id/conversation',
    scope: 'channels:read',
    anonymous: true,
    summary: 'Which conversation a message to the channel belongs to',
    input: z.strictObject({ ...channel, messageId: MessageIdSchema }),
    output: z.object({
      conversationId: OutsideIdSchema,
      replyToExternalId: OutsideIdSchema.nullable().describe('What the outside calls the message it answers'),
    }),
  }),
} as const;
