import { type ActivityEntry, AgentEventSchema } from 'agent-relay-protocol';
import { recordReader } from './record-reader.ts';

const readEvent = recordReader(AgentEventSchema);

export const activityColumns = 'id, workspace, agent_id, session_id, seq, at, late, event';

export interface ActivityRow {
  readonly id: number;
  readonly workspace: string;
  readonly agent_id: string;
  readonly session_id: string;
  readonly seq: number;
  readonly at: number;
  readonly late: number;
  readonly event: string;
}

export const toActivityEntry = (row: ActivityRow): ActivityEntry => ({
  id: row.id,
  agentId: row.agent_id,
  sessionId: row.session_id,
  seq: row.seq,
  at: row.at,
  late: row.late === 1,
  event: readEvent(row.event),
});
