import { z } from 'zod';
import { HoldSchema } from '../hold.ts';
import { MessageSchema } from '../message.ts';
import { AgentIdSchema, MessageIdSchema, told } from '../primitives.ts';
import { PrincipalNameSchema } from '../principal-name.ts';
import { claimTold } from './claim-events.ts';

export const messageEvents = [
  z.object({ type: z.literal('message.new'), ...told, message: MessageSchema, matched: z.int().min(0) }),
  z.object({ type: z.literal('message.read'), ...told, messageId: MessageIdSchema, agentId: AgentIdSchema }),
  z.object({ type: z.literal('message.claimed'), ...claimTold }),
  z.object({ type: z.literal('message.deleted'), ...told, messageId: MessageIdSchema }),
  z
    .object({ type: z.literal('message.dismissed'), ...told, messageId: MessageIdSchema, by: PrincipalNameSchema })
    .describe('That it did not arrive waits for nobody any more'),
  z.object({ type: z.literal('message.held'), ...told, hold: HoldSchema }),
  z.object({ type: z.literal('message.released'), ...told, hold: HoldSchema }),
  z.object({ type: z.literal('message.refused'), ...told, hold: HoldSchema }),
] as const;
