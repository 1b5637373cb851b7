import type { AuditEntry, AuditVerdict } from 'agent-relay-protocol';
import type { Page } from '../domain/change.ts';

/** What somebody does, as it is remembered. */
export type AuditedAct = Omit<AuditEntry, 'id' | 'hash'>;

export interface AuditQuery {
  readonly workspace: string;
  readonly action?: string | undefined;
  readonly by?: string | undefined;
  readonly before?: number | undefined;
  readonly limit: number;
}

/** Who did what, as a chain of hashes. */
export interface AuditStore {
  /**
   * Does the work, and remembers the act in the same commit as the first change that the work makes; where it changes nothing, by itself after it. Work
   * that fails before it has changed anything is not remembered.
   */
  during<Result>(workspace: string, act: AuditedAct, work: () => Result | Promise<Result>): Promise<Result>;
  /** Newest first. */
  list(query: AuditQuery): Promise<Page<AuditEntry>>;
  /** Looks through the whole chain, a stretch at a time. */
  verify(workspace: string): Promise<AuditVerdict>;
  /** Deletes at most `limit` entries from before `before`, oldest first, and keeps the hash of the last. Answers how many went. */
  prune(before: number, limit: number): Promise<number>;
}
