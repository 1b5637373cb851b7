import { type OpenPair, type Pair, PairSchema } from 'agent-relay-protocol';
import type { Database, Statement } from 'better-sqlite3';
import { isPairOpen } from '../../domain/pair.ts';
import { recordReader } from './record-reader.ts';

const readPair = recordReader(PairSchema);

interface PairRow {
  readonly record: string;
}

/** Writes pairs, and who is in an open one. Inside `writer.write` only. */
export class PairTable {
  readonly #put: Statement<[number, string, string, string, string, string]>;
  readonly #find: Statement<[string, number], PairRow>;
  readonly #openOf: Statement<[string, string], PairRow>;
  readonly #enter: Statement<[string, string, number]>;
  readonly #leave: Statement<[string, number, string, string]>;

  constructor(database: Database) {
    this.#put = database.prepare(
      `INSERT INTO pairs (id, workspace, requester, target, status, record) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET status = excluded.status, record = excluded.record`,
    );
    this.#find = database.prepare('SELECT record FROM pairs WHERE workspace = ? AND id = ?');
    this.#openOf = database.prepare(
      'SELECT p.record FROM paired_agents a JOIN pairs p ON p.id = a.pair_id WHERE a.workspace = ? AND a.agent_id = ?',
    );
    this.#enter = database.prepare('INSERT INTO paired_agents (workspace, agent_id, pair_id) VALUES (?, ?, ?)');
    this.#leave = database.prepare('DELETE FROM paired_agents WHERE workspace = ? AND pair_id = ? AND agent_id IN (?, ?)');
  }

  find(workspace: string, id: number): Pair | null {
    return toPair(this.#find.get(workspace, id));
  }

  openOf(workspace: string, agentId: string): OpenPair | null {
    const pair = toPair(this.#openOf.get(workspace, agentId));
    return pair !== null && isPairOpen(pair) ? pair : null;
  }

  put(workspace: string, pair: Pair): void {
    const { id, requester, target, status } = pair;
    this.#put.run(id, workspace, requester, target, status, JSON.stringify(pair));
    this.#leave.run(workspace, id, requester, target);
    if (isPairOpen(pair)) for (const agentId of [requester, target]) this.#enter.run(workspace, agentId, id);
  }
}

export const toPair = (row: PairRow | undefined): Pair | null => (row === undefined ? null : readPair(row.record));
