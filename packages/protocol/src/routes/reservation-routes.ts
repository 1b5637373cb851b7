import { z } from 'zod';
import { LeaseMsSchema } from '../claim.ts';
import { AgentIdSchema, lineOf, listOf, MessageIdSchema, pageBefore } from '../primitives.ts';
import { CheckReservationsSchema, CreateReservationSchema, NewReservationSchema, ReservationSchema } from '../reservation.ts';
import { actor, route } from '../route.ts';

/** Routes of the table. */
export const reservationRoutes = {
  'reservations/list': route({
    method: 'GET',
    path: '/reservations',
    scope: 'agents:read',
    anonymous: true,
    summary: 'Files that agents have for themselves at the moment, or had, newest first',
    input: z.strictObject({
      agent: AgentIdSchema.optional(),
      file: lineOf(1024).optional().describe('Only those that hold this file: its absolute path'),
      ended: z.boolean().optional().describe('Those that are over, instead of those that are held'),
      ...pageBefore,
    }),
    output: listOf(ReservationSchema),
  }),
  'reservations/check': route({
    method: 'POST',
    path: '/reservations/check',
    scope: 'agents:read',
    anonymous: false,
    summary: 'Who has enforced a reservation of what an agent is about to change; a program that runs agents asks before it lets them',
    input: CheckReservationsSchema,
    output: z.object({
      holder: ReservationSchema.nullable(),
      reason: z.string().nullable().describe('A sentence for the agent; null where nobody keeps it from it'),
    }),
  }),
  'reservations/create': route({
    method: 'POST',
    path: '/reservations',
    scope: 'agents:write',
    anonymous: false,
    summary: 'Have files for oneself until the lease ends; already_claimed names who has some of them, where either side insists',
    input: CreateReservationSchema.extend(actor),
    output: NewReservationSchema,
    status: 201,
  }),
  'reservations/renew': route({
    method: 'POST',
    path: '/reservations/:id/renew',
    scope: 'agents:write',
    anonymous: false,
    summary: 'Have them for longer, from now on; claim_closed when the lease has ended',
    input: z.strictObject({ id: MessageIdSchema, leaseMs: LeaseMsSchema.optional(), ...actor }),
    output: ReservationSchema,
  }),
  'reservations/release': route({
    method: 'POST',
    path: '/reservations/:id/release',
    scope: 'agents:write',
    anonymous: false,
    summary: 'Give the files back: who has them may, and the owner',
    input: z.strictObject({ id: MessageIdSchema, ...actor }),
    output: ReservationSchema,
  }),
} as const;
