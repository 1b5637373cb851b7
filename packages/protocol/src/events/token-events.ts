import { z } from 'zod';
import { told } from '../primitives.ts';
import { PrincipalNameSchema } from '../principal-name.ts';
import { TokenSchema } from '../token.ts';

const token = {
  ...told,
  token: TokenSchema,
  by: PrincipalNameSchema.nullable().describe('Who did it, as in `sender.principal`; null when time did'),
};

export const tokenEvents = [
  z.object({ type: z.literal('token.created'), ...token }),
  z.object({ type: z.literal('token.revoked'), ...token }),
  z.object({ type: z.literal('token.expired'), ...token }),
] as const;
