/**
 * Tasks, their history, and the callbacks that tell their sources. A task's id is that of the message that offers it; its claims and its
 * work are rows of kind `task` in the core's tables. A pending callback has `next_at` only when it is the next of its task: the one before
 * it must be settled first. AUTOINCREMENT: a callback's id is in its idempotency key.
 */
export const tasks = `
CREATE TABLE tasks (
  id INTEGER PRIMARY KEY,
  workspace TEXT NOT NULL,
  source TEXT NOT NULL,
  target TEXT NOT NULL,
  status TEXT NOT NULL,
  is_active INTEGER NOT NULL,
  dedupe_key TEXT,
  last_seen_at INTEGER NOT NULL,
  ended_at INTEGER,
  callback_to TEXT,
  record TEXT NOT NULL
);
CREATE UNIQUE INDEX tasks_active_under_key ON tasks (workspace, source, dedupe_key) WHERE is_active = 1 AND dedupe_key IS NOT NULL;
CREATE INDEX tasks_of_source ON tasks (workspace, source, id);
CREATE INDEX tasks_active ON tasks (workspace, id) WHERE is_active = 1;
CREATE INDEX tasks_ended ON tasks (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE task_events (
  task_id INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (task_id, seq)
) WITHOUT ROWID;

CREATE TABLE callbacks (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  workspace TEXT NOT NULL,
  task_id INTEGER NOT NULL,
  integration TEXT NOT NULL,
  event TEXT NOT NULL,
  status TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER,
  deadline_at INTEGER NOT NULL,
  last_status INTEGER,
  last_error TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX callbacks_due ON callbacks (workspace, integration, next_at) WHERE status = 'pending' AND next_at IS NOT NULL;
CREATE INDEX callbacks_of_task ON callbacks (task_id, status, id);
`;
