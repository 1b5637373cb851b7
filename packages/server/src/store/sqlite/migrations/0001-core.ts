/**
 * The core: addresses, agents, messages, deliveries, the event log, work, claims, tokens.
 *
 * `messages.id` and `events.seq` are numbers of one sequence that the writer counts; neither table hands out numbers itself.
 * Agents are filed under `addresses.ref`, a small integer that stands for `(workspace, agent_id)` in everything written per message.
 * Delivery states are numbers so that the partial index stays small: 0 queued, 2 dispatched, 3 delivered, 4 seen, 5 answered, 6 failed, 7 expired. A recipient without
 * a row has a queued copy: every one of a fan-out, and of direct messages those after `meta.unwritten_after`.
 */
export const core = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;

CREATE TABLE addresses (
  ref INTEGER PRIMARY KEY,
  workspace TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  epoch INTEGER NOT NULL DEFAULT 0,
  inbox_floor INTEGER NOT NULL DEFAULT 0,
  UNIQUE (workspace, agent_id)
);

CREATE TABLE agents (ref INTEGER PRIMARY KEY REFERENCES addresses, record TEXT NOT NULL);

CREATE TABLE memberships (
  ref INTEGER NOT NULL REFERENCES addresses,
  address TEXT NOT NULL,
  from_seq INTEGER NOT NULL,
  until_seq INTEGER,
  PRIMARY KEY (ref, address, from_seq)
) WITHOUT ROWID;

CREATE TABLE messages (
  id INTEGER PRIMARY KEY,
  workspace TEXT NOT NULL,
  sender TEXT NOT NULL,
  address TEXT NOT NULL,
  fan_out INTEGER NOT NULL,
  channel TEXT,
  thread_id INTEGER,
  relation TEXT NOT NULL,
  principal TEXT NOT NULL,
  matched INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  body TEXT NOT NULL,
  extra TEXT,
  deleted_at INTEGER,
  expired_at INTEGER
);
CREATE INDEX messages_of_thread ON messages (thread_id) WHERE thread_id IS NOT NULL;
CREATE INDEX messages_fanned_out ON messages (workspace, id) WHERE fan_out = 1;
CREATE INDEX messages_to_expire ON messages (expires_at) WHERE expires_at IS NOT NULL AND expired_at IS NULL;

CREATE TABLE idempotency (
  workspace TEXT NOT NULL,
  sender TEXT NOT NULL,
  key TEXT NOT NULL,
  digest TEXT NOT NULL,
  message_id INTEGER NOT NULL,
  PRIMARY KEY (workspace, sender, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_of_message ON idempotency (message_id);

CREATE TABLE deliveries (
  message_id INTEGER NOT NULL,
  ref INTEGER NOT NULL,
  state INTEGER NOT NULL,
  evidence TEXT,
  late INTEGER NOT NULL DEFAULT 0,
  reason TEXT,
  updated_at INTEGER NOT NULL,
  read_at INTEGER,
  PRIMARY KEY (message_id, ref)
) WITHOUT ROWID;
CREATE INDEX deliveries_open ON deliveries (message_id, ref) WHERE state <= 2;

CREATE TABLE events (
  seq INTEGER PRIMARY KEY,
  count INTEGER NOT NULL,
  workspace TEXT NOT NULL,
  at INTEGER NOT NULL,
  type TEXT NOT NULL,
  body TEXT NOT NULL
);

CREATE TABLE work (
  kind TEXT NOT NULL,
  subject_id INTEGER NOT NULL,
  workspace TEXT NOT NULL,
  address TEXT NOT NULL,
  status TEXT NOT NULL,
  fence INTEGER NOT NULL DEFAULT 0,
  claim_id TEXT,
  PRIMARY KEY (kind, subject_id)
) WITHOUT ROWID;
CREATE INDEX work_unfinished ON work (workspace, subject_id) WHERE status <> 'closed';
CREATE INDEX work_offered ON work (workspace, address, subject_id) WHERE status = 'open';

CREATE TABLE claims (
  claim_id TEXT PRIMARY KEY,
  workspace TEXT NOT NULL,
  kind TEXT NOT NULL,
  subject_id INTEGER NOT NULL,
  agent_id TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  fence INTEGER NOT NULL,
  status TEXT NOT NULL,
  lease_expires_at INTEGER,
  record TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX claims_of_subject ON claims (kind, subject_id, fence);
CREATE INDEX claims_held_by ON claims (workspace, agent_id) WHERE status = 'held';
CREATE INDEX claims_to_expire ON claims (lease_expires_at) WHERE status = 'held';

CREATE TABLE tokens (
  hash TEXT PRIMARY KEY,
  token_id TEXT NOT NULL UNIQUE,
  workspace TEXT NOT NULL,
  type TEXT NOT NULL,
  agent_id TEXT,
  epoch INTEGER,
  node_id TEXT,
  name TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER
) WITHOUT ROWID;
CREATE INDEX tokens_of_agent ON tokens (workspace, agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX tokens_to_expire ON tokens (expires_at) WHERE expires_at IS NOT NULL;
`;
