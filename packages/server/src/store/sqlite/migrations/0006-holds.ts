/**
 * Messages that the loop guard keeps. A sender's attempts are told apart by `digest`, which names what is said, and by the idempotency key,
 * which holds also after the decision: a message that was refused is not sent by asking once more.
 */
export const holds = `
CREATE TABLE holds (
  id INTEGER PRIMARY KEY,
  workspace TEXT NOT NULL,
  sender TEXT NOT NULL,
  status TEXT NOT NULL,
  digest TEXT NOT NULL,
  idempotency_key TEXT,
  held_at INTEGER NOT NULL,
  decided_at INTEGER,
  record TEXT NOT NULL
);
CREATE INDEX holds_open ON holds (workspace, sender, digest) WHERE status = 'held';
CREATE INDEX holds_open_since ON holds (held_at) WHERE status = 'held';
CREATE INDEX holds_of_sender ON holds (workspace, sender, id);
CREATE INDEX holds_under_key ON holds (workspace, sender, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX holds_decided ON holds (decided_at) WHERE decided_at IS NOT NULL;
`;
