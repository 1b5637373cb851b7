import { z } from 'zod';
import { told } from '../primitives.ts';
import { NodeSchema, SessionSchema } from '../session.ts';

export const sessionEvents = [
  z.object({ type: z.literal('session.started'), ...told, session: SessionSchema }),
  z.object({ type: z.literal('session.updated'), ...told, session: SessionSchema }),
  z.object({ type: z.literal('session.ended'), ...told, session: SessionSchema }),
  z.object({ type: z.literal('node.connected'), ...told, node: NodeSchema }),
  z.object({ type: z.literal('node.disconnected'), ...told, node: NodeSchema }),
  z.object({ type: z.literal('node.updated'), ...told, node: NodeSchema }).describe('What it can start is not what it was'),
] as const;
