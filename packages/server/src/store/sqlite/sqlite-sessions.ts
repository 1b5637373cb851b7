import { type HeldClaim, type PendingApproval, type Session, SessionSchema } from 'agent-relay-protocol';
import type { Statement } from 'better-sqlite3';
import type { AgentFound, Page, SessionChange } from '../../domain/change.ts';
import { recordCharacters, takePage } from '../../domain/page.ts';
import type { SessionQuery, SessionStore } from '../session-store.ts';
import type { SqliteContext } from './context.ts';

interface SessionRow {
  readonly workspace: string;
  readonly record: string;
}

const unfinished = "status IN ('starting', 'running')";

export class SqliteSessions implements SessionStore {
  readonly #context: SqliteContext;
  readonly #insert: Statement<[string, string, string, string, string]>;
  readonly #update: Statement<[string, string, string, string]>;
  readonly #find: Statement<[string, string], SessionRow>;
  readonly #findUnfinished: Statement<[string, string], SessionRow>;
  readonly #get: Statement<[string, string], SessionRow>;
  readonly #unfinishedOf: Statement<[string, string], SessionRow>;
  readonly #unfinished: Statement<[], SessionRow>;
  readonly #list: Statement<
    [{ workspace: string; agentId: string | null; status: string | null; before: number; limit: number }],
    SessionRow & { readonly number: number }
  >;

  constructor(context: SqliteContext) {
    this.#context = context;
    const { database, reader } = context;
    const byId = 'SELECT workspace, record FROM sessions WHERE workspace = ? AND session_id = ?';
    const openOfAgent = `SELECT workspace, record FROM sessions WHERE workspace = ? AND agent_id = ? AND ${unfinished} ORDER BY number DESC LIMIT 1`;
    this.#insert = database.prepare('INSERT INTO sessions (workspace, session_id, agent_id, status, record) VALUES (?, ?, ?, ?, ?)');
    this.#update = database.prepare('UPDATE sessions SET status = ?, record = ? WHERE workspace = ? AND session_id = ?');
    this.#find = database.prepare(byId);
    this.#findUnfinished = database.prepare(openOfAgent);
    this.#get = reader.prepare(byId);
    this.#unfinishedOf = reader.prepare(openOfAgent);
    this.#unfinished = reader.prepare(`SELECT workspace, record FROM sessions WHERE ${unfinished} ORDER BY number`);
    this.#list = reader.prepare(
      `SELECT workspace, record, number FROM sessions WHERE workspace = @workspace AND number < @before AND (@agentId IS NULL OR agent_id = @agentId)
       AND (@status IS NULL OR status = @status) ORDER BY number DESC LIMIT @limit`,
    );
  }

  begin(workspace: string, agentId: string, decide: (found: AgentFound, unfinished: Session | null) => SessionChange): Promise<Session> {
    return this.#context.writer.write(() => {
      const { session, change } = decide(this.#agent(workspace, agentId), toSession(this.#findUnfinished.get(workspace, agentId)));
      this.#context.changes.apply(workspace, change);
      this.#insert.run(workspace, session.sessionId, session.agentId, session.status, JSON.stringify(session));
      return session;
    });
  }

  change(
    workspace: string,
    sessionId: string,
    decide: (session: Session, found: AgentFound, pending: readonly PendingApproval[]) => SessionChange | null,
  ): Promise<Session | null> {
    return this.#context.writer.write(() => {
      const session = toSession(this.#find.get(workspace, sessionId));
      if (session === null) return null;
      const pending = this.#context.changes.tables.approvals.pendingOf(workspace, sessionId);
      const decided = decide(session, this.#agent(workspace, session.agentId), pending);
      if (decided === null) return session;
      if (decided.session !== session) this.#update.run(decided.session.status, JSON.stringify(decided.session), workspace, sessionId);
      this.#context.changes.apply(workspace, decided.change);
      return decided.session;
    });
  }

  async get(workspace: string, sessionId: string): Promise<Session | null> {
    return toSession(this.#get.get(workspace, sessionId));
  }

  async list({ workspace, agentId, status, before = Number.MAX_SAFE_INTEGER, limit }: SessionQuery): Promise<Page<Session>> {
    const filter = { workspace, agentId: agentId ?? null, status: status ?? null, before, limit: limit + 1 };
    const { rows, isCut } = takePage(this.#list.iterate(filter), limit, recordCharacters);
    const next = isCut ? (rows.at(-1)?.number ?? null) : null;
    return { items: rows.flatMap((row) => toSession(row) ?? []), cursor: this.#context.log.head, next };
  }

  async unfinishedOf(workspace: string, agentId: string): Promise<Session | null> {
    return toSession(this.#unfinishedOf.get(workspace, agentId));
  }

  async unfinished(): Promise<readonly { readonly workspace: string; readonly session: Session }[]> {
    return this.#unfinished.all().flatMap((row) => {
      const session = toSession(row);
      return session === null ? [] : [{ workspace: row.workspace, session }];
    });
  }

  #agent(workspace: string, agentId: string): AgentFound {
    const { index, changes } = this.#context;
    const entry = index.find(workspace, agentId);
    const claims = entry?.agent ? changes.tables.claims.heldBy(workspace, agentId) : [];
    const heldClaims = claims.filter((claim): claim is HeldClaim => claim.status === 'held');
    const pair = changes.tables.pairs.openOf(workspace, agentId);
    return {
      agent: entry?.agent ?? null,
      epoch: entry?.epoch ?? 0,
      spawnedBy: entry?.spawnedBy ?? null,
      isBound: index.isBound(workspace, agentId),
      approval: entry?.approval ?? 'open',
      heldClaims,
      pair,
    };
  }
}

const toSession = (row: SessionRow | undefined): Session | null => (row === undefined ? null : SessionSchema.parse(JSON.parse(row.record)));
