import type { Pair, PairStatus } from 'agent-relay-protocol';
import type { Page } from '../domain/change.ts';
import type { Decision, Facts } from '../domain/facts.ts';

export interface PairQuery {
  readonly workspace: string;
  readonly agentId?: string | undefined;
  readonly status?: PairStatus | undefined;
  readonly before?: number | undefined;
  readonly limit: number;
}

/** Pairs, each written in one commit with the message or notice that tells of it. A pair has the number of its invitation. */
export interface PairStore {
  request<Answer>(workspace: string, decide: (facts: Facts) => Decision<Answer>): Promise<Answer>;
  change<Answer>(workspace: string, id: number, decide: (pair: Pair | null, facts: Facts) => Decision<Answer>): Promise<Answer>;
  get(workspace: string, id: number): Promise<Pair | null>;
  /** Newest first. */
  list(query: PairQuery): Promise<Page<Pair>>;
}
