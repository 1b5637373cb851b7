import type { Approval } from 'agent-relay-protocol';
import type { Statement } from 'better-sqlite3';
import type { Page } from '../../domain/change.ts';
import type { Decision } from '../../domain/facts.ts';
import { recordCharacters, takePage } from '../../domain/page.ts';
import type { ApprovalQuery, ApprovalStore } from '../approval-store.ts';
import { type ApprovalRow, toApproval } from './approval-table.ts';
import type { SqliteContext } from './context.ts';

export class SqliteApprovals implements ApprovalStore {
  readonly #context: SqliteContext;
  readonly #find: Statement<[string, string, string], ApprovalRow>;
  readonly #list: Statement<
    [{ workspace: string; agentId: string | null; status: string | null; before: number; limit: number }],
    ApprovalRow & { readonly number: number }
  >;
  readonly #prune: Statement<[number, number]>;

  constructor(context: SqliteContext) {
    this.#context = context;
    const { database, reader } = context;
    this.#find = reader.prepare(
      'SELECT record FROM approvals WHERE workspace = ? AND agent_id = ? AND approval_id = ? ORDER BY number DESC LIMIT 1',
    );
    this.#list = reader.prepare(
      `SELECT record, number FROM approvals WHERE workspace = @workspace AND number < @before AND (@agentId IS NULL OR agent_id = @agentId)
       AND (@status IS NULL OR status = @status) ORDER BY number DESC LIMIT @limit`,
    );
    this.#prune = database.prepare(
      `DELETE FROM approvals WHERE number IN (
         SELECT number FROM approvals WHERE requested_at < ? AND status <> 'pending' ORDER BY requested_at LIMIT ?)`,
    );
  }

  async find(workspace: string, agentId: string, approvalId: string): Promise<Approval | null> {
    return toApproval(this.#find.get(workspace, agentId, approvalId));
  }

  async list({ workspace, agentId, status, before = Number.MAX_SAFE_INTEGER, limit }: ApprovalQuery): Promise<Page<Approval>> {
    const filter = { workspace, agentId: agentId ?? null, status: status ?? null, before, limit: limit + 1 };
    const { rows, isCut } = takePage(this.#list.iterate(filter), limit, recordCharacters);
    const next = isCut ? (rows.at(-1)?.number ?? null) : null;
    return { items: rows.flatMap((row) => toApproval(row) ?? []), cursor: this.#context.log.head, next };
  }

  change(
    workspace: string,
    { sessionId, approvalId }: Pick<Approval, 'sessionId' | 'approvalId'>,
    decide: (approval: Approval) => Decision<Approval>,
  ): Promise<Approval | null> {
    const { writer, changes } = this.#context;
    return writer.write(() => {
      const found = changes.tables.approvals.find(workspace, sessionId, approvalId);
      return found && changes.carryOut(workspace, decide(found)).answer;
    });
  }

  prune(before: number, limit: number): Promise<number> {
    return this.#context.writer.write(() => this.#prune.run(before, limit).changes);
  }
}
