/**
 * Pairs, numbered by the message that invited. An agent has a row in `paired_agents` while its pair is open: the key is what makes pairs
 * exclusive, whichever side an agent is on.
 */
export const pairs = `
CREATE TABLE pairs (
  id INTEGER PRIMARY KEY,
  workspace TEXT NOT NULL,
  requester TEXT NOT NULL,
  target TEXT NOT NULL,
  status TEXT NOT NULL,
  record TEXT NOT NULL
);
CREATE INDEX pairs_of_requester ON pairs (workspace, requester, id);
CREATE INDEX pairs_of_target ON pairs (workspace, target, id);

CREATE TABLE paired_agents (
  workspace TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  pair_id INTEGER NOT NULL REFERENCES pairs,
  PRIMARY KEY (workspace, agent_id)
) WITHOUT ROWID;
`;
