import { z } from 'zod';
import { ClaimSchema } from '../claim.ts';
import { MessageIdSchema, told } from '../primitives.ts';

/** What each event of a claim has. */
export const claimTold = { ...told, claim: ClaimSchema, messageId: MessageIdSchema.nullable() };

export const claimEvents = [
  z.object({
    type: z.literal('work.available'),
    ...told,
    kind: z.enum(['message', 'task']),
    subjectId: z.int().min(1),
    cause: z.enum(['opened', 'released', 'expired']),
  }),
  z.object({ type: z.literal('claim.renewed'), ...claimTold }),
  z.object({ type: z.literal('claim.progressed'), ...claimTold }),
  z.object({ type: z.literal('claim.completed'), ...claimTold }),
  z.object({ type: z.literal('claim.released'), ...claimTold }),
  z.object({ type: z.literal('claim.expired'), ...claimTold }),
  z.object({ type: z.literal('claim.cancelled'), ...claimTold }),
] as const;
