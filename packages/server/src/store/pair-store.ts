import type { OpenPair, Pair, PairStatus } from 'agent-relay-protocol';
import type { Change, NewMessage, Page } from '../domain/change.ts';

export interface PairQuery {
  readonly workspace: string;
  readonly agentId?: string | undefined;
  readonly status?: PairStatus | undefined;
  readonly before?: number | undefined;
  readonly limit: number;
}

/** A new pair and the message that invites, which gives it its number. */
export interface PairRequest {
  readonly pair: OpenPair;
  readonly invitation: NewMessage;
}

/** Pairs, each written in one commit with the message or notice that tells of it. */
export interface PairStore {
  /** Pairs as of the running decision. */
  readonly index: PairIndex;
  /** Begins a pair under the number of its invitation, `id`, and tells `pair.requested`. */
  request(workspace: string, at: number, decide: (id: number) => PairRequest): Promise<Pair>;
  /** Changes a pair; `decide` throws for null itself, and answers an empty change to leave it. */
  change(workspace: string, id: number, decide: (pair: Pair | null) => { readonly pair: Pair; readonly change: Change }): Promise<Pair>;
  get(workspace: string, id: number): Promise<Pair | null>;
  /** Newest first. */
  list(query: PairQuery): Promise<Page<Pair>>;
}

/** Asked inside a decision only. */
export interface PairIndex {
  find(workspace: string, id: number): Pair | null;
  /** The one open pair an agent is in. */
  openOf(workspace: string, agentId: string): OpenPair | null;
}
