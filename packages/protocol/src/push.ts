import { z } from 'zod';
import { LabelSchema, OpaqueIdSchema, TimestampSchema } from './primitives.ts';
import { PrincipalNameSchema } from './principal-name.ts';
import { pushTopics } from './well-known.ts';

export const PushTopicSchema = z.enum(pushTopics);
export type PushTopic = z.infer<typeof PushTopicSchema>;

/** So many devices has a person at most, and a workspace; of a person's the oldest goes for a new one. */
export const pushLimits = { devices: 20, devicesOfAll: 500, endpoint: 1024 } as const;

/** A browser that is told while its page is closed. Where the push goes is a secret of the browser's and not shown. */
export const PushSubscriptionSchema = z.object({
  id: OpaqueIdSchema,
  topics: z.array(PushTopicSchema),
  label: LabelSchema.nullable().describe('What its person calls it'),
  service: z.string().describe('The host of the push service that its browser uses'),
  createdAt: TimestampSchema,
  createdBy: PrincipalNameSchema,
});
export type PushSubscription = z.infer<typeof PushSubscriptionSchema>;

/** A public key of a browser on P-256, uncompressed: 65 bytes as base64url. */
export const PushPublicKeySchema = z
  .string()
  .regex(/^B[A-Za-z0-9_-]{86}=?$/u, 'must be an uncompressed point of P-256: 65 bytes as base64url');

/** What a browser shares with whoever pushes to it: 16 bytes as base64url. */
export const PushSecretSchema = z.string().regex(/^[A-Za-z0-9_-]{22}(?:==)?$/u, 'must be 16 bytes as base64url');

/** What `PushManager.subscribe()` answered, with what the device is to be told of. */
export const CreatePushSubscriptionSchema = z.strictObject({
  endpoint: z.url().max(pushLimits.endpoint).describe('Where its push service takes pushes'),
  keys: z.strictObject({
    p256dh: PushPublicKeySchema,
    auth: PushSecretSchema,
  }),
  topics: z.array(PushTopicSchema).min(1).max(PushTopicSchema.options.length),
  label: LabelSchema.optional(),
});
export type CreatePushSubscription = z.infer<typeof CreatePushSubscriptionSchema>;

/** What arrives at a device, encrypted for it: who, what and where it is answered, and nothing that an agent wrote. `over` takes the place of what has its tag. */
export const PushMessageSchema = z.object({
  type: z.enum(['news', 'over']),
  title: z.string(),
  body: z.string(),
  path: z.string().describe("A page of the dashboard's"),
  tag: z.string().describe('A later one with the same takes its place'),
  count: z.int().min(2).optional().describe('How many of a kind it tells of, where it is more than one'),
});
export type PushMessage = z.infer<typeof PushMessageSchema>;
