import type { Session } from 'agent-relay-protocol';
import type { Statement } from 'better-sqlite3';
import type { Page } from '../../domain/change.ts';
import type { BeginningFacts, Decision, SessionFacts } from '../../domain/facts.ts';
import { recordCharacters } from '../../domain/page.ts';
import type { SessionQuery, SessionStore } from '../session-store.ts';
import type { SqliteContext } from './context.ts';
import { NewestFirst } from './newest-first.ts';
import { openSessionOf, type SessionRow, toSession, unfinished } from './session-table.ts';

export class SqliteSessions implements SessionStore {
  readonly #context: SqliteContext;
  readonly #get: Statement<[string, string], SessionRow>;
  readonly #unfinishedOf: Statement<[string, string], SessionRow>;
  readonly #unfinished: Statement<[], SessionRow>;
  readonly #numbered: Statement<[number], SessionRow>;
  readonly #list: NewestFirst;

  constructor(context: SqliteContext) {
    this.#context = context;
    const { reader } = context;
    this.#get = reader.prepare('SELECT workspace, record FROM sessions WHERE workspace = ? AND session_id = ?');
    this.#unfinishedOf = reader.prepare(openSessionOf);
    this.#unfinished = reader.prepare(`SELECT workspace, record FROM sessions WHERE ${unfinished} ORDER BY number`);
    this.#numbered = reader.prepare('SELECT workspace, record FROM sessions WHERE number = ?');
    this.#list = new NewestFirst(reader, context.scanTurns, {
      table: 'sessions',
      id: 'number',
      matches: '(@agentId IS NULL OR agent_id = @agentId) AND (@status IS NULL OR status = @status)',
      indexed: { agentId: 'agent_id = @agentId' },
    });
  }

  begin<Answer>(workspace: string, agentId: string, decide: (facts: BeginningFacts) => Decision<Answer>): Promise<Answer> {
    const { writer, changes, facts } = this.#context;
    return writer.write(() => {
      const { sessions, tokens } = changes.tables;
      const found: BeginningFacts = {
        ...facts.ofAgent(workspace, agentId),
        unfinished: sessions.unfinishedOf(workspace, agentId),
        newest: () => sessions.newestOf(workspace, agentId),
        session: (sessionId) => sessions.find(workspace, sessionId),
        unfinishedOf: (id) => sessions.unfinishedOf(workspace, id),
        token: (hash) => tokens.get(hash),
      };
      return changes.carryOut(workspace, decide(found)).answer;
    });
  }

  change<Answer>(
    workspace: string,
    sessionId: string,
    decide: (session: Session, facts: SessionFacts) => Decision<Answer>,
  ): Promise<Answer | null> {
    const { writer, changes, facts } = this.#context;
    return writer.write(() => {
      const session = changes.tables.sessions.find(workspace, sessionId);
      if (session === null) return null;
      const found = facts.ofAgent(workspace, session.agentId);
      const pending = changes.tables.approvals.pendingOf(workspace, sessionId);
      return changes.carryOut(workspace, decide(session, { ...facts.of(workspace), found, pending })).answer;
    });
  }

  async get(workspace: string, sessionId: string): Promise<Session | null> {
    return toSession(this.#get.get(workspace, sessionId));
  }

  async list({ workspace, agentId, status, before, limit, caller }: SessionQuery): Promise<Page<Session>> {
    const page = await this.#list.page(
      { workspace, agentId: agentId ?? null, status: status ?? null },
      { before, limit, caller, get: (number) => this.#numbered.get(number), charactersOf: recordCharacters, toItem: toSession },
    );
    return { ...page, cursor: this.#context.log.head };
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
}
