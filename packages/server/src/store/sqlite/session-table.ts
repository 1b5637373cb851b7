import { type Session, SessionSchema } from 'agent-relay-protocol';
import type { Database, Statement } from 'better-sqlite3';
import { recordReader } from './record-reader.ts';

const readSession = recordReader(SessionSchema);

export interface SessionRow {
  readonly workspace: string;
  readonly record: string;
}

export const unfinished = "status IN ('starting', 'running')";

export const openSessionOf = `SELECT workspace, record FROM sessions WHERE workspace = ? AND agent_id = ? AND ${unfinished} ORDER BY number DESC LIMIT 1`;

/** Writes sessions; inside `writer.write` only. */
export class SessionTable {
  readonly #put: Statement<[string, string, string, string, string]>;
  readonly #find: Statement<[string, string], SessionRow>;
  readonly #unfinishedOf: Statement<[string, string], SessionRow>;
  readonly #newestOf: Statement<[string, string], SessionRow>;

  constructor(database: Database) {
    this.#put = database.prepare(
      `INSERT INTO sessions (workspace, session_id, agent_id, status, record) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (workspace, session_id) DO UPDATE SET status = excluded.status, record = excluded.record`,
    );
    this.#find = database.prepare('SELECT workspace, record FROM sessions WHERE workspace = ? AND session_id = ?');
    this.#unfinishedOf = database.prepare(openSessionOf);
    this.#newestOf = database.prepare(
      'SELECT workspace, record FROM sessions WHERE workspace = ? AND agent_id = ? ORDER BY number DESC LIMIT 1',
    );
  }

  find(workspace: string, sessionId: string): Session | null {
    return toSession(this.#find.get(workspace, sessionId));
  }

  unfinishedOf(workspace: string, agentId: string): Session | null {
    return toSession(this.#unfinishedOf.get(workspace, agentId));
  }

  newestOf(workspace: string, agentId: string): Session | null {
    return toSession(this.#newestOf.get(workspace, agentId));
  }

  put(workspace: string, session: Session): void {
    const { sessionId, agentId, status } = session;
    this.#put.run(workspace, sessionId, agentId, status, JSON.stringify(session));
  }
}

export const toSession = (row: Pick<SessionRow, 'record'> | undefined): Session | null =>
  row === undefined ? null : readSession(row.record);
