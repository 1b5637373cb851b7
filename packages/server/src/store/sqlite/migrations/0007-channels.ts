/**
 * Channels are agents. `channel_bindings` says who is meant in a conversation; `channel_links` what the outside calls messages: those that
 * came in (`inbound`), by which a repeated report is known, and the parts of those that went out.
 */
export const channels = `
CREATE TABLE channel_bindings (
  workspace TEXT NOT NULL,
  channel_id TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  binding_id TEXT NOT NULL,
  target TEXT NOT NULL,
  mode TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  PRIMARY KEY (workspace, channel_id, conversation_id, binding_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX channel_bindings_exclusive ON channel_bindings (workspace, channel_id, conversation_id) WHERE mode = 'exclusive';
CREATE UNIQUE INDEX channel_bindings_of_target ON channel_bindings (workspace, channel_id, conversation_id, target);

CREATE TABLE channel_links (
  workspace TEXT NOT NULL,
  channel_id TEXT NOT NULL,
  conversation_id TEXT NOT NULL,
  external_id TEXT NOT NULL,
  message_id INTEGER NOT NULL,
  part INTEGER NOT NULL,
  inbound INTEGER NOT NULL,
  PRIMARY KEY (workspace, channel_id, conversation_id, external_id, message_id)
) WITHOUT ROWID;
CREATE INDEX channel_links_of_message ON channel_links (message_id, part);

UPDATE agents SET record = json_set(record,
  '$.agent.transport', iif(record ->> '$.agent.kind' = 'channel', 'custom', NULL),
  '$.agent.direction', iif(record ->> '$.agent.kind' = 'channel', 'both', NULL));
`;
