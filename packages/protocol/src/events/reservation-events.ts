import { z } from 'zod';
import { told } from '../primitives.ts';
import { ReservationSchema } from '../reservation.ts';

export const reservationEvents = [
  z.object({ type: z.literal('reservation.created'), ...told, reservation: ReservationSchema }),
  z.object({ type: z.literal('reservation.ended'), ...told, reservation: ReservationSchema }),
] as const;
