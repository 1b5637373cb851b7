import { z } from 'zod';
import { AgentSchema, ChannelDirectionSchema, ChannelTransportSchema } from './agent.ts';
import { AddressSchema, AgentIdSchema, LabelSchema, OpaqueIdSchema, TimestampSchema } from './primitives.ts';
import { PrincipalNameSchema } from './principal-name.ts';

/** A name that the world outside gives something: opaque to the relay, one line of 1–256 characters. */
export const OutsideIdSchema = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[^\p{Cc}]+$/u, 'A name given outside has no control characters');

/**
 * `exclusive`: the conversation has this one target, and to a group its messages are offered as work that one agent takes.
 * `fanout`: each of the conversation's targets gets a message of its own.
 */
export const ChannelBindingModeSchema = z.enum(['exclusive', 'fanout']);
export type ChannelBindingMode = z.infer<typeof ChannelBindingModeSchema>;

/** Who is meant by what people write in one conversation of a channel. */
export const ChannelBindingSchema = z.object({
  bindingId: OpaqueIdSchema,
  channelId: AgentIdSchema,
  conversationId: OutsideIdSchema.describe('The name the outside gives the conversation; `*` is every one without a binding of its own'),
  target: AddressSchema.describe('The resolved address in its one spelling'),
  mode: ChannelBindingModeSchema,
  createdAt: TimestampSchema,
  createdBy: PrincipalNameSchema.describe('Who the token spoke for that made it'),
});
export type ChannelBinding = z.infer<typeof ChannelBindingSchema>;

/** An agent of kind `channel`, as the one that carries conversations with people outside. */
export const ChannelSchema = z.object({
  id: AgentIdSchema,
  name: LabelSchema,
  label: LabelSchema.nullable(),
  transport: ChannelTransportSchema,
  direction: ChannelDirectionSchema,
  status: AgentSchema.shape.status,
  ready: z.boolean(),
  lastSeenAt: TimestampSchema,
  bindings: z.array(ChannelBindingSchema),
});
export type Channel = z.infer<typeof ChannelSchema>;

/** Who wrote in a conversation outside, as the channel knows it. Nothing the relay could check. */
export const OutsideSenderSchema = z.strictObject({ id: OutsideIdSchema, name: OutsideIdSchema });
export type OutsideSender = z.infer<typeof OutsideSenderSchema>;

/** What a message that came through a channel carries as `meta.channel`. An answer with a `conversationId` there goes to that conversation. */
export const ChannelMetaSchema = z.object({
  conversationId: OutsideIdSchema,
  senderId: OutsideIdSchema,
  senderName: OutsideIdSchema,
  externalId: OutsideIdSchema,
});
export type ChannelMeta = z.infer<typeof ChannelMetaSchema>;
