import type { Database } from 'better-sqlite3';
import type { NewNumbering, Numbering } from '../engine.ts';
import type { SkippedNumbers } from '../store.ts';

/** Reads it from a database of ours, of this or an older version. */
export function numberingOf(database: Database): Numbering {
  const meta = database.prepare<[string], string | number>('SELECT value FROM meta WHERE key = ?').pluck();
  const skipped = skippedOf(database);
  const newest = 'SELECT max((SELECT ifnull(max(id), 0) FROM messages), (SELECT ifnull(max(seq), 0) FROM events), ?, ?)';
  const floor = Number(meta.get('pruned_through') ?? 0);
  const head = database.prepare<[number, number], number>(newest).pluck();
  return {
    generation: String(meta.get('generation')),
    head: head.get(floor, skipped.at(-1)?.through ?? 0) ?? 0,
    floor,
    skipped,
    counters: { activity: counterOf(database, 'activity'), callbacks: counterOf(database, 'callbacks') },
  };
}

/** Sets it, and lets running sessions go on from where they are. Inside a transaction of the caller. */
export function writeNumbering(database: Database, { generation, skipped, counters }: NewNumbering): void {
  const set = database.prepare<[string, string]>(
    'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  );
  set.run('generation', generation);
  set.run('skipped', JSON.stringify(skipped));
  if (hasTable(database, 'sessions')) database.exec('UPDATE sessions SET acked_seq = -1 - acked_seq WHERE acked_seq >= 0');
  for (const [table, value] of Object.entries(counters)) {
    if (!hasCounter(database, table)) continue;
    database.prepare('DELETE FROM sqlite_sequence WHERE name = ?').run(table);
    database.prepare('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)').run(table, value);
  }
}

function skippedOf(database: Database): readonly SkippedNumbers[] {
  const text = database.prepare<[], string>("SELECT value FROM meta WHERE key = 'skipped'").pluck().get();
  // Written by `writeNumbering` alone.
  return text === undefined ? [] : (JSON.parse(text) as readonly SkippedNumbers[]);
}

function counterOf(database: Database, table: string): number {
  if (!hasCounter(database, table)) return 0;
  return database.prepare<[string], number>('SELECT seq FROM sqlite_sequence WHERE name = ?').pluck().get(table) ?? 0;
}

/** An older version may not know a table yet. */
const hasTable = (database: Database, table: string): boolean =>
  database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(table) !== undefined;

const hasCounter = (database: Database, table: string): boolean =>
  database.prepare("SELECT 1 FROM sqlite_schema WHERE name = ? AND sql LIKE '%AUTOINCREMENT%'").get(table) !== undefined;
