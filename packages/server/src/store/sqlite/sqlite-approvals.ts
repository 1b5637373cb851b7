import type { Approval, ApprovalStatus } from 'agent-relay-protocol';
import type { Statement } from 'better-sqlite3';
import { ownSession } from '../../domain/approval-changes.ts';
import type { Page } from '../../domain/change.ts';
import type { Decision, Facts, QuestionFacts } from '../../domain/facts.ts';
import { recordCharacters } from '../../domain/page.ts';
import type { ApprovalQuery, ApprovalStore } from '../approval-store.ts';
import { type ApprovalRow, toApproval } from './approval-table.ts';
import type { SqliteContext } from './context.ts';
import { NewestFirst } from './newest-first.ts';
import { RowsByStatus } from './rows-by-status.ts';

export class SqliteApprovals implements ApprovalStore {
  readonly #context: SqliteContext;
  readonly #find: Statement<[string, string, string], ApprovalRow>;
  readonly #numbered: Statement<[number], ApprovalRow>;
  readonly #list: NewestFirst;
  readonly #byStatus: RowsByStatus<ApprovalStatus>;
  readonly #prune: Statement<[number, number]>;

  constructor(context: SqliteContext) {
    this.#context = context;
    const { database, reader } = context;
    this.#find = reader.prepare(
      'SELECT record FROM approvals WHERE workspace = ? AND agent_id = ? AND approval_id = ? ORDER BY number DESC LIMIT 1',
    );
    this.#numbered = reader.prepare('SELECT record FROM approvals WHERE number = ?');
    this.#byStatus = new RowsByStatus(reader, {
      table: 'approvals',
      statuses: ['pending', 'allowed', 'denied', 'cancelled'],
      owner: 'agent_id',
    });
    this.#list = new NewestFirst(reader, context.scanTurns, {
      table: 'approvals',
      id: 'number',
      matches: '(@agentId IS NULL OR agent_id = @agentId) AND (@status IS NULL OR status = @status)',
      indexed: { agentId: 'agent_id = @agentId' },
    });
    this.#prune = database.prepare(
      `DELETE FROM approvals WHERE number IN (
         SELECT number FROM approvals WHERE requested_at < ? AND status <> 'pending' ORDER BY requested_at LIMIT ?)`,
    );
  }

  async find(workspace: string, agentId: string, approvalId: string): Promise<Approval | null> {
    return toApproval(this.#find.get(workspace, agentId, approvalId));
  }

  ask<Answer>(
    workspace: string,
    { agentId, approvalId }: Pick<Approval, 'agentId' | 'approvalId'>,
    decide: (facts: QuestionFacts) => Decision<Answer>,
  ): Promise<Answer> {
    const { writer, changes, facts } = this.#context;
    return writer.write(() => {
      const { approvals } = changes.tables;
      const agent = facts.ofAgent(workspace, agentId).agent;
      const sessionId = agent && ownSession(agent);
      const stored = sessionId === null ? null : approvals.find(workspace, sessionId, approvalId);
      const found = stored?.agentId === agentId ? stored : null;
      const pending = sessionId === null ? [] : approvals.pendingOf(workspace, sessionId).filter((asked) => asked.agentId === agentId);
      return changes.carryOut(workspace, decide({ ...facts.of(workspace), agent, found, pending })).answer;
    });
  }

  async count({ workspace, status, agentId }: Parameters<ApprovalStore['count']>[0]) {
    return { counts: this.#byStatus.counts({ workspace, status, owner: agentId }), cursor: this.#context.log.head };
  }

  async list({ workspace, agentId, status, before, limit, caller }: ApprovalQuery): Promise<Page<Approval>> {
    const page = await this.#list.page(
      { workspace, agentId: agentId ?? null, status: status ?? null },
      { before, limit, caller, get: (number) => this.#numbered.get(number), charactersOf: recordCharacters, toItem: toApproval },
    );
    return { ...page, cursor: this.#context.log.head };
  }

  change(
    workspace: string,
    { sessionId, approvalId }: Pick<Approval, 'sessionId' | 'approvalId'>,
    decide: (approval: Approval, facts: Facts) => Decision<Approval>,
  ): Promise<Approval | null> {
    const { writer, changes, facts } = this.#context;
    return writer.write(() => {
      const found = changes.tables.approvals.find(workspace, sessionId, approvalId);
      return found && changes.carryOut(workspace, decide(found, facts.of(workspace))).answer;
    });
  }

  prune(before: number, limit: number): Promise<number> {
    return this.#context.writer.write(() => this.#prune.run(before, limit).changes);
  }
}
