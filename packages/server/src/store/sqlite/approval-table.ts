import { type Approval, ApprovalSchema, type PendingApproval } from 'agent-relay-protocol';
import type { Database, Statement } from 'better-sqlite3';
import { recordReader } from './record-reader.ts';

const readApproval = recordReader(ApprovalSchema);

export interface ApprovalRow {
  readonly record: string;
}

/** Writes approvals. Inside `writer.write` only. */
export class ApprovalTable {
  readonly #put: Statement<[string, string, string, string, string, number, string]>;
  readonly #find: Statement<[string, string, string], ApprovalRow>;
  readonly #pendingOf: Statement<[string, string], ApprovalRow>;

  constructor(database: Database) {
    this.#put = database.prepare(
      `INSERT INTO approvals (workspace, agent_id, session_id, approval_id, status, requested_at, record) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (workspace, session_id, approval_id) DO UPDATE SET status = excluded.status, record = excluded.record`,
    );
    this.#find = database.prepare('SELECT record FROM approvals WHERE workspace = ? AND session_id = ? AND approval_id = ?');
    this.#pendingOf = database.prepare(
      "SELECT record FROM approvals WHERE workspace = ? AND session_id = ? AND status = 'pending' ORDER BY number",
    );
  }

  find(workspace: string, sessionId: string, approvalId: string): Approval | null {
    return toApproval(this.#find.get(workspace, sessionId, approvalId));
  }

  pendingOf(workspace: string, sessionId: string): readonly PendingApproval[] {
    return this.#pendingOf.all(workspace, sessionId).flatMap((row) => {
      const approval = toApproval(row);
      return approval?.status === 'pending' ? [approval] : [];
    });
  }

  put(workspace: string, approval: Approval): void {
    const { agentId, sessionId, approvalId, status, requestedAt } = approval;
    this.#put.run(workspace, agentId, sessionId, approvalId, status, requestedAt, JSON.stringify(approval));
  }
}

export const toApproval = (row: ApprovalRow | undefined): Approval | null => (row === undefined ? null : readApproval(row.record));
