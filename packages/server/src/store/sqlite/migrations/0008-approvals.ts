/** What sessions ask of people. A session names its questions; `number` is the order in which they came. */
export const approvals = `
CREATE TABLE approvals (
  number INTEGER PRIMARY KEY,
  workspace TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  approval_id TEXT NOT NULL,
  status TEXT NOT NULL,
  requested_at INTEGER NOT NULL,
  record TEXT NOT NULL,
  UNIQUE (workspace, session_id, approval_id)
);
CREATE INDEX approvals_of_agent ON approvals (workspace, agent_id, number);
CREATE INDEX approvals_pending ON approvals (workspace, session_id, number) WHERE status = 'pending';
CREATE INDEX approvals_by_time ON approvals (requested_at);
`;
