import { z } from 'zod';
import { CursorSchema, OpaqueIdSchema, TimestampSchema } from '../primitives.ts';
import { PrincipalSchema } from '../principal.ts';
import { nothing, route } from '../route.ts';

/** `starting`: it takes messages, and a part is still on its way up; `degraded`: it takes messages, but a person should look; `failing`: it cannot do its work. */
const HealthStatusSchema = z.enum(['ok', 'starting', 'degraded', 'failing']);
export const HealthSchema = z.object({
  status: HealthStatusSchema.describe('The worst of the parts'),
  version: z.string(),
  protocol: z.int(),
  parts: z.record(z.string(), z.object({ status: HealthStatusSchema, reason: z.string().optional() })),
});
export const VersionSchema = z.object({
  version: z.string().describe('Of the relay; the packages of one release have the same'),
  protocol: z.int().min(1).describe('Of the wire; another one may be misread'),
});
export type Version = z.infer<typeof VersionSchema>;
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

export const SettingSchema = z.object({
  name: z.string().describe('Its environment variable'),
  value: z
    .union([z.string(), z.number(), z.boolean(), z.array(z.string())])
    .nullable()
    .describe('What is in force; null where there is none, and of a secret'),
  isSecret: z.boolean().describe('Whether its value is told to nobody; it is set where its source is not `default`'),
  source: z
    .enum(['flag', 'environment', 'env file', 'default'])
    .describe('Where the value comes from: each of these wins over those after it'),
});
export type Setting = z.infer<typeof SettingSchema>;

/** Routes of the table. */
export const systemRoutes = {
  'system/health': route({
    method: 'GET',
    path: '/health',
    scope: 'health:read',
    anonymous: true,
    summary: 'Whether each part of the relay works, and why not',
    input: nothing,
    output: HealthSchema,
    status: ({ status }) => (status === 'failing' ? 503 : 200),
    statuses: { 200: 'It takes messages, also when a part is starting or degraded', 503: 'It is failing, in the same shape' },
  }),
  'system/version': route({
    method: 'GET',
    path: '/version',
    scope: null,
    anonymous: true,
    summary: 'Which version answers; over HTTP every answer says so in its headers as well',
    input: nothing,
    output: VersionSchema,
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
  'system/settings': route({
    method: 'GET',
    path: '/settings',
    scope: '*',
    anonymous: false,
    summary: 'What the relay was started with, and where each setting comes from; for the owner',
    input: nothing,
    output: z.object({
      envFile: z.string().nullable().describe('The file of settings that was read; null where there is none'),
      settings: z.array(SettingSchema),
    }),
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
    output: z.object({
      code: z.string(),
      expiresAt: TimestampSchema,
      browserHost: z
        .string()
        .describe('The name under which a browser of the relay’s machine is to open it: its cookies go to no other host'),
    }),
  }),
} as const;
