import { z } from 'zod';
import { AgentKindSchema } from './agent.ts';
import { ActivityEntrySchema } from './agent-event.ts';
import { ApprovalSchema } from './approval.ts';
import { ApprovalRuleSchema } from './approval-rule.ts';
import { ClaimSchema } from './claim.ts';
import { DeliverySchema } from './delivery.ts';
import { MessageSchema } from './message.ts';
import { PairSchema } from './pair.ts';
import { AgentIdSchema, GroupNameSchema, LabelSchema, TimestampSchema } from './primitives.ts';
import { ReservationSchema } from './reservation.ts';
import { TaskEventSchema, TaskSchema } from './task.ts';

/** What a file of a run is written in today; a reader refuses a later one. 2: tasks, claims and approvals. 3: pairs, reservations and rules. */
export const RUN_RECORD_VERSION = 3;

const RecordedAgentSchema = z.object({
  id: AgentIdSchema,
  kind: AgentKindSchema,
  label: LabelSchema.nullable(),
  tags: z.array(GroupNameSchema),
  givenTags: z.array(GroupNameSchema).optional().describe('Of its tags those that the owner gave it: by these rules find it'),
  capabilities: z.array(GroupNameSchema),
  channels: z.array(GroupNameSchema).nullable(),
  registeredAt: TimestampSchema,
});
export type RecordedAgent = z.infer<typeof RecordedAgentSchema>;

/**
 * One line of a recorded run: what was said, what became of each copy, and what agents did, in the order of time. The first says who took part and
 * in which version the others are written. A task, the last claim of a message, a question, a pair, a reservation and a rule stand where they began, as they were when it was recorded.
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
  z.object({ type: z.literal('pair'), at: TimestampSchema, pair: PairSchema }),
  z.object({ type: z.literal('reservation'), at: TimestampSchema, reservation: ReservationSchema }),
  z.object({ type: z.literal('rule'), at: TimestampSchema, rule: ApprovalRuleSchema }),
  z.object({ type: z.literal('receipt'), at: TimestampSchema, receipt: DeliverySchema }),
  z.object({ type: z.literal('activity'), at: TimestampSchema, entry: ActivityEntrySchema }),
]);
export type RunRecord = z.infer<typeof RunRecordSchema>;
