/**
 * Browsers that are told while their page is closed, what is on its way to them or was taken (to be replaced when it is over), and up to where the
 * log was read for that. A subscription is good for as long as its `holder`: the id of a token, or one of the owner's credentials.
 */
export const pushes = `
CREATE TABLE push_subscriptions (
  ref INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  workspace TEXT NOT NULL,
  holder TEXT NOT NULL,
  created_by TEXT NOT NULL,
  origin TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  p256dh TEXT NOT NULL,
  auth TEXT NOT NULL,
  server_key TEXT NOT NULL,
  topics TEXT NOT NULL,
  label TEXT,
  created_at INTEGER NOT NULL,
  UNIQUE (workspace, endpoint)
);
CREATE INDEX push_subscriptions_of_holder ON push_subscriptions (workspace, holder);
CREATE TABLE pushes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  subscription INTEGER NOT NULL,
  tag TEXT NOT NULL,
  type TEXT NOT NULL,
  status TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER NOT NULL,
  deadline_at INTEGER NOT NULL,
  urgency TEXT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX pushes_by_tag ON pushes (subscription, tag);
CREATE INDEX pushes_waiting ON pushes (subscription, next_at, id) WHERE status = 'pending';
CREATE TABLE push_cursors (workspace TEXT PRIMARY KEY, through INTEGER NOT NULL) WITHOUT ROWID;
`;
