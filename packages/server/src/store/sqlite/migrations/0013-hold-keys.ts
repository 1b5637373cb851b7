/** Further idempotency keys under which an attempt came that is held already: each is answered with what became of the hold, and goes with it. */
export const holdKeys = `
CREATE TABLE hold_keys (
  workspace TEXT NOT NULL,
  sender TEXT NOT NULL,
  key TEXT NOT NULL,
  hold_id INTEGER NOT NULL,
  PRIMARY KEY (workspace, sender, key)
) WITHOUT ROWID;
CREATE INDEX hold_keys_of_hold ON hold_keys (hold_id);
CREATE TRIGGER hold_keys_end AFTER DELETE ON holds BEGIN
  DELETE FROM hold_keys WHERE hold_id = old.id;
END;
`;
