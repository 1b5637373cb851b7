import { z } from 'zod';
import { AgentKindSchema } from './agent.ts';
import { ActivityEntrySchema } from './agent-event.ts';
import { ApprovalSchema } from './approval.ts';
import { ClaimSchema } from './claim.ts';
import { DeliverySchema } from './delivery.ts';
import { MessageSchema } from './message.ts';
import { AgentIdSchema, GroupNameSchema, LabelSchema, TimestampSchema } from './primitives.ts';
import { TaskEventSchema, TaskSchema } from './task.ts';

/** What a file of a run is written in today; a reader refuses a later one. 2: tasks, claims and approvals. */
export const RUN_RECORD_VERSION = 2;

const RecordedAgentSchema = z.object({
  id: AgentIdSchema,
  kind: AgentKindSchema,
  label: LabelSchema.nullable(),
  tags: z.array(GroupNameSchema),
  capabilities: z.array(GroupNameSchema),
  channels: z.array(GroupNameSchema).nullable(),
  registeredAt: TimestampSchema,
});
export type RecordedAgent = z.infer<typeof RecordedAgentSchema>;

/**
 * One line of a recorded run: what was said, what became of each copy, and what agents did, in the order of time. The first says who took part and
 * in which version the others are written. A task, the last claim of a message and a question stand where they began, as they were when it was recorded.
 */
export const RunRecordSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('run'),
    version: z.int().min(1),
    recordedAt: TimestampSchema,
    relayVersion: z.string(),
    agents: z.array(RecordedAgentSchema),
  }),
  z.object({ type: z.literal('message'), at: TimestampSchema, message: MessageSchema }),
  z.object({ type: z.literal('task'), at: TimestampSchema, task: TaskSchema, history: z.array(TaskEventSchema).describe('Oldest first') }),
  z.object({ type: z.literal('claim'), at: TimestampSchema, claim: ClaimSchema }),
  z.object({ type: z.literal('approval'), at: TimestampSchema, approval: ApprovalSchema }),
  z.object({ type: z.literal('receipt'), at: TimestampSchema, receipt: DeliverySchema }),
  z.object({ type: z.literal('activity'), at: TimestampSchema, entry: ActivityEntrySchema }),
]);
export type RunRecord = z.infer<typeof RunRecordSchema>;
