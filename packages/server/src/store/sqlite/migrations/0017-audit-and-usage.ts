/**
 * Who did what, each entry with the hash of the one before it in its own; `audit_checkpoints` has the last entry that was pruned. What agents used, by
 * day and model: kept when the activity that told of it is gone.
 */
export const auditAndUsage = `
CREATE TABLE audit (
  workspace TEXT NOT NULL,
  id INTEGER NOT NULL,
  at INTEGER NOT NULL,
  by TEXT NOT NULL,
  token_id TEXT,
  action TEXT NOT NULL,
  subject TEXT,
  details TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (workspace, id)
) WITHOUT ROWID;
CREATE TABLE audit_checkpoints (workspace TEXT PRIMARY KEY, id INTEGER NOT NULL, hash TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE usage (
  workspace TEXT NOT NULL,
  day TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  turns INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cached_input_tokens INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  cost_usd REAL NOT NULL,
  PRIMARY KEY (workspace, day, agent_id, provider, model)
) WITHOUT ROWID;
`;
