import { z } from 'zod';
import { CursorSchema, OpaqueIdSchema, TimestampSchema } from '../primitives.ts';
import { PrincipalSchema } from '../principal.ts';
import { nothing, route } from '../route.ts';

export const HealthSchema = z.object({
  status: z.enum(['ok', 'degraded']),
  version: z.string(),
  protocol: z.int(),
  parts: z.record(z.string(), z.object({ status: z.enum(['ok', 'degraded']), reason: z.string().optional() })),
});
export const StatsSchema = z.object({
  version: z.string(),
  protocol: z.int(),
  generation: OpaqueIdSchema.describe('The log generation'),
  cursor: CursorSchema,
  oldest: CursorSchema,
  uptimeMs: z.int(),
  agents: z.object({ total: z.int(), online: z.int(), idle: z.int(), busy: z.int(), offline: z.int() }),
  messages: z.object({ total: z.int(), open: z.int().describe('Claimable and not completed'), undelivered: z.int() }),
  nodes: z.object({ total: z.int(), online: z.int() }),
  sessions: z.object({ running: z.int() }),
});
export type Stats = z.infer<typeof StatsSchema>;
export type Health = z.infer<typeof HealthSchema>;

/** Routes of the table. */
export const systemRoutes = {
  'system/health': route({
    method: 'GET',
    path: '/health',
    scope: 'health:read',
    anonymous: true,
    summary: 'Whether each part of the relay works',
    input: nothing,
    output: HealthSchema,
  }),
  'system/stats': route({
    method: 'GET',
    path: '/stats',
    scope: 'stats:read',
    anonymous: true,
    summary: 'Version, log position and counts',
    input: nothing,
    output: StatsSchema,
  }),
  'system/me': route({
    method: 'GET',
    path: '/me',
    scope: null,
    anonymous: true,
    summary: 'Who this token speaks for',
    input: nothing,
    output: PrincipalSchema,
  }),
  'login/create': route({
    method: 'POST',
    path: '/login-codes',
    scope: '*',
    anonymous: false,
    summary: 'A one-time code that a browser exchanges for a session cookie; valid for ten minutes',
    status: 201,
    input: nothing,
    output: z.object({ code: z.string(), expiresAt: TimestampSchema }),
  }),
} as const;
