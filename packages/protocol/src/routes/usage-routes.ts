import { listByIdOf } from '../primitives.ts';
import { route } from '../route.ts';
import { UsageDaySchema, UsageQuerySchema } from '../usage.ts';

/** Routes of the table. */
export const usageRoutes = {
  'usage/list': route({
    method: 'GET',
    path: '/usage',
    scope: 'workspace:read',
    anonymous: false,
    summary: 'What agents used, by day, agent and model, oldest first; kept longer than what they did',
    input: UsageQuerySchema,
    output: listByIdOf(UsageDaySchema),
  }),
} as const;
