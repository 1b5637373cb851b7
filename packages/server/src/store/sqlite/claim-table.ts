import type { Claim } from 'agent-relay-protocol';
import type { Database, Statement } from 'better-sqlite3';
import type { WorkWrite } from '../../domain/change.ts';

export interface WorkRow {
  readonly status: 'open' | 'held' | 'closed';
  readonly fence: number;
  readonly claim_id: string | null;
}

/** Claims and the work they are on; inside `writer.write` only. */
export class ClaimTable {
  readonly #put: Statement<[string, string, string, number, string, number, number, string, number | null, string]>;
  readonly #setWork: Statement<[string, number, string | null, string, number]>;
  readonly #close: Statement<[string, number]>;
  readonly #work: Statement<[string, number], WorkRow>;
  readonly #get: Statement<[string, string], { readonly record: string }>;
  readonly #heldBy: Statement<[string, string], { readonly record: string }>;

  constructor(database: Database) {
    this.#put = database.prepare(
      `INSERT INTO claims (claim_id, workspace, kind, subject_id, agent_id, epoch, fence, status, lease_expires_at, record)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (claim_id) DO UPDATE SET status = excluded.status, lease_expires_at = excluded.lease_expires_at, record = excluded.record`,
    );
    this.#setWork = database.prepare('UPDATE work SET status = ?, fence = ?, claim_id = ? WHERE kind = ? AND subject_id = ?');
    this.#close = database.prepare("UPDATE work SET status = 'closed' WHERE kind = ? AND subject_id = ?");
    this.#work = database.prepare('SELECT status, fence, claim_id FROM work WHERE kind = ? AND subject_id = ?');
    this.#get = database.prepare('SELECT record FROM claims WHERE claim_id = ? AND workspace = ?');
    this.#heldBy = database.prepare("SELECT record FROM claims WHERE workspace = ? AND agent_id = ? AND status = 'held'");
  }

  get(workspace: string, claimId: string): Claim | null {
    const row = this.#get.get(claimId, workspace);
    return row ? toClaim(row) : null;
  }

  heldBy(workspace: string, agentId: string): Claim[] {
    return this.#heldBy.all(workspace, agentId).map(toClaim);
  }

  work(kind: string, subjectId: number): WorkRow | null {
    return this.#work.get(kind, subjectId) ?? null;
  }

  /** No one may claim this work any more. */
  close(kind: string, subjectId: number): void {
    this.#close.run(kind, subjectId);
  }

  put(workspace: string, claim: Claim): void {
    const { claimId, kind, subjectId, agentId, epoch, fence, status } = claim;
    const leaseExpiresAt = claim.status === 'held' ? claim.leaseExpiresAt : null;
    this.#put.run(claimId, workspace, kind, subjectId, agentId, epoch, fence, status, leaseExpiresAt, JSON.stringify(claim));
  }

  setWork({ status, fence, claimId, kind, subjectId }: WorkWrite): void {
    this.#setWork.run(status, fence, claimId, kind, subjectId);
  }
}

export const toClaim = ({ record }: { readonly record: string }): Claim => JSON.parse(record);
