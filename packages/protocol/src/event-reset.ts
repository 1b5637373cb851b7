import { z } from 'zod';
import { CursorSchema, OpaqueIdSchema } from './primitives.ts';

/**
 * Said instead of events when a cursor cannot be continued exactly: it lies below the pruned floor, beyond the head, or belongs to another
 * log generation. Take a new snapshot, then read after its cursor. `oldest` is the first sequence that can still be read.
 */
export const EventResetSchema = z.object({
  reason: z.enum(['pruned', 'ahead', 'generation']),
  oldest: CursorSchema,
  head: CursorSchema,
  generation: OpaqueIdSchema,
});
export type EventReset = z.infer<typeof EventResetSchema>;
