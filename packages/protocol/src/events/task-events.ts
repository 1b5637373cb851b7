import { z } from 'zod';
import { CallbackStatusSchema } from '../callback.ts';
import { AgentIdSchema, MessageIdSchema, told } from '../primitives.ts';
import { TaskSchema } from '../task.ts';

const task = { ...told, task: TaskSchema };

export const taskEvents = [
  z.object({ type: z.literal('task.created'), ...task }),
  z.object({ type: z.literal('task.repeated'), ...task }),
  z.object({ type: z.literal('task.claimed'), ...task }),
  z.object({ type: z.literal('task.updated'), ...task }),
  z.object({ type: z.literal('task.released'), ...task }),
  z.object({ type: z.literal('task.completed'), ...task }),
  z.object({ type: z.literal('task.failed'), ...task }),
  z.object({ type: z.literal('task.canceled'), ...task }),
  z.object({
    type: z.literal('callback.updated'),
    ...told,
    callbackId: z.int().min(1),
    taskId: MessageIdSchema,
    integration: AgentIdSchema,
    status: CallbackStatusSchema.describe('`pending`: an attempt failed and another follows, or it is sent again'),
  }),
] as const;
