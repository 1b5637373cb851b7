import { z } from 'zod';
import { LabelSchema, lineOf, OpaqueIdSchema, TimestampSchema } from './primitives.ts';

/*
 * How a machine gets a token of its own: it asks without one, shows a code, and fetches the token when somebody has accepted that code.
 */

/** Where a machine asks, below the prefix of the API; not in the route table, for whoever asks has no token, wherever it runs. */
export const NODE_PAIRING_PATH = '/node-pairings';
/** Where it fetches what became of it. */
export const NODE_PAIRING_OUTCOME_PATH = '/node-pairings/outcome';

/** Eight letters and digits; how they are grouped, and in which case, makes no difference. */
export const PairingCodeSchema = z
  .string()
  .min(8)
  .max(32)
  .regex(/^[A-Za-z0-9 -]+$/u, 'A code is made of letters and digits, e.g. K7QM-4XTP');

/** What a machine says of itself. Fields of a later version are passed over. */
export const RequestPairingSchema = z.object({
  name: LabelSchema.describe('What it would like to be called'),
  version: lineOf(64),
});
export type RequestPairing = z.infer<typeof RequestPairingSchema>;

const pollMs = z.int().min(0).describe('Milliseconds to leave between two questions');

export const PairingOfferSchema = z.object({
  code: z.string().describe('For a person to read out, as K7QM-4XTP'),
  secret: z.string().describe('For the machine alone: whoever has it gets the token'),
  expiresAt: TimestampSchema,
  pollMs,
});
export type PairingOffer = z.infer<typeof PairingOfferSchema>;

export const PairingSecretSchema = z.object({ secret: z.string().min(1).max(128) });

/** `accepted` is answered until the token has been used once. */
export const PairingOutcomeSchema = z.discriminatedUnion('status', [
  z.object({ status: z.literal('pending'), pollMs }),
  z.object({ status: z.literal('accepted'), token: z.string(), nodeId: OpaqueIdSchema, name: LabelSchema }),
]);
export type PairingOutcome = z.infer<typeof PairingOutcomeSchema>;

/** A machine that asks, as those see it who may accept it. */
export const NodePairingSchema = z.object({
  code: z.string(),
  name: LabelSchema,
  version: z.string(),
  address: z.string().describe('Where it asks from; that of a proxy where one is in front of the relay'),
  askedAt: TimestampSchema,
  expiresAt: TimestampSchema,
});
export type NodePairing = z.infer<typeof NodePairingSchema>;
