/**
 * Records of every resource that needs no table of its own, and the keys that they are found under. An exclusive key is that of one record at a
 * time. Pairs are the first: an agent has one exclusive key while its pair is open, whichever side it is on.
 */
export const records = `
CREATE TABLE records (
  resource TEXT NOT NULL,
  workspace TEXT NOT NULL,
  id INTEGER NOT NULL,
  is_open INTEGER NOT NULL,
  record TEXT NOT NULL,
  UNIQUE (resource, workspace, id)
);
CREATE INDEX records_ended ON records (id) WHERE is_open = 0;

CREATE TABLE record_keys (
  resource TEXT NOT NULL,
  workspace TEXT NOT NULL,
  key TEXT NOT NULL,
  id INTEGER NOT NULL,
  is_exclusive INTEGER NOT NULL,
  PRIMARY KEY (resource, workspace, key, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX record_keys_exclusive ON record_keys (resource, workspace, key) WHERE is_exclusive = 1;
CREATE INDEX record_keys_of_record ON record_keys (resource, workspace, id);

INSERT INTO records (resource, workspace, id, is_open, record)
  SELECT 'pairs', workspace, id, status IN ('pending', 'active'), record FROM pairs;
INSERT OR IGNORE INTO record_keys (resource, workspace, key, id, is_exclusive)
  SELECT 'pairs', workspace, 'status=' || status, id, 0 FROM pairs
  UNION ALL SELECT 'pairs', workspace, 'agent=' || requester, id, 0 FROM pairs
  UNION ALL SELECT 'pairs', workspace, 'agent=' || target, id, 0 FROM pairs
  UNION ALL SELECT 'pairs', workspace, 'agent=' || requester || ' status=' || status, id, 0 FROM pairs
  UNION ALL SELECT 'pairs', workspace, 'agent=' || target || ' status=' || status, id, 0 FROM pairs
  UNION ALL SELECT 'pairs', workspace, 'open=' || requester, id, 1 FROM pairs WHERE status IN ('pending', 'active')
  UNION ALL SELECT 'pairs', workspace, 'open=' || target, id, 1 FROM pairs WHERE status IN ('pending', 'active');

DROP TABLE paired_agents;
DROP TABLE pairs;
`;
