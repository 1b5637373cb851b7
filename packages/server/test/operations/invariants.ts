import Sqlite from 'better-sqlite3';

/** What must be true of a database at every commit, each as a query for what breaks it. */
const broken: Readonly<Record<string, string>> = {
  'a copy without its message': 'SELECT * FROM deliveries WHERE message_id NOT IN (SELECT id FROM messages)',
  'a key of no message': 'SELECT * FROM idempotency WHERE message_id NOT IN (SELECT id FROM messages)',
  'a link to no message': 'SELECT * FROM channel_links WHERE message_id NOT IN (SELECT id FROM messages)',
  'a binding of no channel': 'SELECT * FROM channel_bindings WHERE channel_id NOT IN (SELECT agent_id FROM addresses)',
  'a task without the message that offers it': 'SELECT * FROM tasks WHERE id NOT IN (SELECT id FROM messages)',
  'a task without work': "SELECT * FROM tasks WHERE id NOT IN (SELECT subject_id FROM work WHERE kind = 'task')",
  'a task that is active and whose work is over, or the other way round':
    "SELECT t.* FROM tasks t JOIN work w ON w.kind = 'task' AND w.subject_id = t.id WHERE t.is_active <> (w.status <> 'closed')",
  'a step of a task that the log does not tell': `SELECT * FROM task_events t WHERE seq NOT IN (SELECT seq FROM events)
    AND seq NOT IN (SELECT id FROM messages)`,
  'a task without a history': 'SELECT * FROM tasks WHERE id NOT IN (SELECT task_id FROM task_events)',
  'a callback of no task': 'SELECT * FROM callbacks WHERE task_id NOT IN (SELECT id FROM tasks)',
  'a task none of whose waiting callbacks is the next':
    "SELECT task_id FROM callbacks WHERE status = 'pending' GROUP BY task_id HAVING count(next_at) <> 1",
  'held work without its held claim': `SELECT * FROM work w WHERE status = 'held' AND NOT EXISTS (SELECT 1 FROM claims c
    WHERE c.claim_id = w.claim_id AND c.kind = w.kind AND c.subject_id = w.subject_id AND c.fence = w.fence AND c.status = 'held')`,
  'a held claim on work that is not held by it': `SELECT * FROM claims c WHERE status = 'held' AND NOT EXISTS (SELECT 1 FROM work w
    WHERE w.claim_id = c.claim_id AND w.status = 'held')`,
  'an open record without the exclusive keys of a pair': `SELECT * FROM records r WHERE resource = 'pairs' AND is_open = 1
    AND (SELECT count(*) FROM record_keys k WHERE k.resource = r.resource AND k.workspace = r.workspace AND k.id = r.id AND is_exclusive = 1) <> 2`,
  'an exclusive key of a pair that is over': `SELECT * FROM record_keys k WHERE is_exclusive = 1 AND NOT EXISTS (SELECT 1 FROM records r
    WHERE r.resource = k.resource AND r.workspace = k.workspace AND r.id = k.id AND r.is_open = 1)`,
  'a key of no record': `SELECT * FROM record_keys k WHERE NOT EXISTS (SELECT 1 FROM records r
    WHERE r.resource = k.resource AND r.workspace = k.workspace AND r.id = k.id)`,
  'a pair without its invitation': "SELECT * FROM records WHERE resource = 'pairs' AND id NOT IN (SELECT id FROM messages)",
  'a hold without its event': "SELECT * FROM holds WHERE id NOT IN (SELECT seq FROM events WHERE type = 'message.held')",
  'a key of no hold': 'SELECT * FROM hold_keys WHERE hold_id NOT IN (SELECT id FROM holds)',
  'an approval of no session': 'SELECT * FROM approvals WHERE session_id NOT IN (SELECT session_id FROM sessions)',
  'activity of no session': 'SELECT * FROM activity WHERE session_id NOT IN (SELECT session_id FROM sessions)',
  'a push to no browser': 'SELECT * FROM pushes WHERE subscription NOT IN (SELECT ref FROM push_subscriptions)',
  'a browser that is told for a token that is gone': `SELECT * FROM push_subscriptions WHERE holder NOT LIKE 'owner-%'
    AND holder NOT IN (SELECT token_id FROM tokens)`,
  'a number given twice': 'SELECT * FROM messages m JOIN events e ON m.id > e.seq - e.count AND m.id <= e.seq',
};

/** What of it is broken; `[]` in a sound database. */
export function faultsOf(path: string): string[] {
  const database = new Sqlite(path, { readonly: true });
  try {
    const pages = database.prepare<[], string>('PRAGMA integrity_check').pluck().all();
    const faults = Object.entries(broken).flatMap(([fault, sql]) => (database.prepare(sql).all().length > 0 ? [fault] : []));
    const given = 'SELECT (SELECT count(*) FROM messages) + (SELECT ifnull(sum(count), 0) FROM events)';
    const head = 'SELECT max((SELECT max(id) FROM messages), (SELECT max(seq) FROM events))';
    const [count, last] = [given, head].map((sql) => database.prepare<[], number>(sql).pluck().get());
    return [...pages.filter((text) => text !== 'ok'), ...faults, ...(count === last ? [] : [`${last} numbers, ${count} entries`])];
  } finally {
    database.close();
  }
}

/** Every table as text, but for what a restore is meant to change. */
export function contentOf(path: string): Readonly<Record<string, string>> {
  const database = new Sqlite(path, { readonly: true });
  const tables = database.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
  const content = tables
    .filter((name) => name !== 'sqlite_sequence')
    .map((name) => {
      const rows = database.prepare(`SELECT * FROM "${name}"${name === 'meta' ? " WHERE key NOT IN ('generation', 'skipped')" : ''}`).all();
      return [name, rows.map((row) => JSON.stringify(row, (key, value) => (key === 'acked_seq' ? undefined : value))).join('\n')] as const;
    });
  database.close();
  return Object.fromEntries(content);
}
