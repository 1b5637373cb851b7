/**
 * Idempotency keys of reports; `task_id` is null where nothing came of one. Lines of a task's history may stand for several reports:
 * `in_row` counts the lines of repeated reports that follow each other.
 */
export const repeatedReports = `
CREATE TABLE report_keys (
  workspace TEXT NOT NULL,
  source TEXT NOT NULL,
  key TEXT NOT NULL,
  digest TEXT NOT NULL,
  outcome TEXT NOT NULL,
  task_id INTEGER,
  at INTEGER NOT NULL,
  PRIMARY KEY (workspace, source, key)
) WITHOUT ROWID;
CREATE INDEX report_keys_by_age ON report_keys (at);

ALTER TABLE task_events ADD COLUMN in_row INTEGER NOT NULL DEFAULT 0;
UPDATE task_events SET in_row = json_extract(record, '$.type') = 'task.repeated',
  record = json_set(record, '$.count', 1, '$.lastAt', json_extract(record, '$.at'));
`;
