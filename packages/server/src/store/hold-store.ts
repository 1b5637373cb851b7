import type { Hold, HoldStatus } from 'agent-relay-protocol';
import type { Page } from '../domain/change.ts';
import type { Decision, Done, Facts, ReleaseFacts } from '../domain/facts.ts';
import type { Asked } from './asked.ts';
import type { Counted } from './counted.ts';

export interface HoldQuery extends Asked {
  readonly workspace: string;
  readonly status?: HoldStatus | undefined;
  readonly from?: string | undefined;
  readonly before?: number | undefined;
  readonly limit: number;
}

/** Messages that the loop guard keeps; `messages.send` makes them. */
export interface HoldStore {
  get(workspace: string, id: number): Promise<Hold | null>;
  /** Newest first; `next` is what `before` takes. */
  list(query: HoldQuery): Promise<Page<Hold>>;
  count(query: Omit<HoldQuery, 'before' | 'limit' | 'caller'>): Promise<Counted<HoldStatus>>;
  change<Answer>(workspace: string, id: number, decide: (hold: Hold | null, facts: Facts) => Decision<Answer>): Promise<Answer>;
  /** As `change`, with what the held message answers. */
  release<Answer>(workspace: string, id: number, decide: (facts: ReleaseFacts) => Decision<Answer>): Promise<Done<Answer>>;
  /** Those still held that were held before `before`, of all workspaces, oldest first. */
  openBefore(before: number, limit: number): Promise<readonly { readonly workspace: string; readonly id: number }[]>;
  /** Deletes what was decided before `before`; answers how many. */
  prune(before: number, limit: number): Promise<number>;
}
