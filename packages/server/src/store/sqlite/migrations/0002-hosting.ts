/**
 * Machines, the sessions they run, and what those do. `sessions.acked_seq` is the last activity sequence a session has sent: it outlives the
 * entries, which have a retention of their own. After a restore it is `-1 - that` until the session is heard again. AUTOINCREMENT: an activity
 * id is a cursor, so it is never handed out twice, even after pruning.
 */
export const hosting = `
CREATE TABLE nodes (
  workspace TEXT NOT NULL,
  node_id TEXT NOT NULL,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (workspace, node_id)
) WITHOUT ROWID;
CREATE INDEX nodes_by_name ON nodes (workspace, name);

CREATE TABLE sessions (
  number INTEGER PRIMARY KEY,
  workspace TEXT NOT NULL,
  session_id TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  status TEXT NOT NULL,
  acked_seq INTEGER NOT NULL DEFAULT 0,
  record TEXT NOT NULL,
  UNIQUE (workspace, session_id)
);
CREATE INDEX sessions_of_agent ON sessions (workspace, agent_id, number);
CREATE INDEX sessions_unfinished ON sessions (workspace, agent_id) WHERE status IN ('starting', 'running');

CREATE TABLE activity (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  workspace TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  late INTEGER NOT NULL,
  event TEXT NOT NULL,
  UNIQUE (workspace, session_id, seq)
);
CREATE INDEX activity_of_agent ON activity (workspace, agent_id, id);
CREATE INDEX activity_by_time ON activity (at);
`;
