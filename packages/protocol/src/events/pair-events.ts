import { z } from 'zod';
import { PairSchema } from '../pair.ts';
import { told } from '../primitives.ts';

export const pairEvents = [
  z.object({ type: z.literal('pair.requested'), ...told, pair: PairSchema }),
  z.object({ type: z.literal('pair.accepted'), ...told, pair: PairSchema }),
  z.object({ type: z.literal('pair.rejected'), ...told, pair: PairSchema }),
  z.object({ type: z.literal('pair.ended'), ...told, pair: PairSchema }),
] as const;
