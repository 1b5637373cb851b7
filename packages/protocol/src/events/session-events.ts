import { z } from 'zod';
import { AgentIdSchema, OpaqueIdSchema, told } from '../primitives.ts';
import { PrincipalNameSchema } from '../principal-name.ts';
import { NodeSchema, SessionSchema } from '../session.ts';
import { SessionControllersSchema } from '../watching.ts';

const by = PrincipalNameSchema.describe('Who did it, as in `sender.principal`');

export const sessionEvents = [
  z.object({ type: z.literal('session.started'), ...told, session: SessionSchema }),
  z.object({ type: z.literal('session.updated'), ...told, session: SessionSchema }),
  z.object({ type: z.literal('session.ended'), ...told, session: SessionSchema }),
  z
    .object({
      type: z.literal('controllers.updated'),
      ...told,
      agentId: AgentIdSchema,
      sessionId: OpaqueIdSchema,
      joined: z.array(PrincipalNameSchema),
      left: z.array(PrincipalNameSchema),
      controllers: SessionControllersSchema,
    })
    .describe('Somebody began to steer a session, or has not for a while; read by who may see what its agent does'),
  z.object({ type: z.literal('node.connected'), ...told, node: NodeSchema }),
  z.object({ type: z.literal('node.disconnected'), ...told, node: NodeSchema }),
  z.object({ type: z.literal('node.updated'), ...told, node: NodeSchema }).describe('What it can start is not what it was'),
  z.object({ type: z.literal('node.paired'), ...told, node: NodeSchema, by }),
  z.object({ type: z.literal('node.renamed'), ...told, node: NodeSchema, by }),
  z.object({ type: z.literal('node.removed'), ...told, node: NodeSchema, by }).describe('As it was last'),
] as const;
