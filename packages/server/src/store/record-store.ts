import type { Page } from '../domain/change.ts';
import type { Decision, Facts } from '../domain/facts.ts';
import type { Resource } from '../domain/resource.ts';

/** How many records have each key, and the cursor at which that was true. */
export interface CountedRecords {
  readonly counts: ReadonlyMap<string, number>;
  readonly cursor: number;
}

export interface RecordQuery {
  readonly workspace: string;
  /** Only those that have this key, see `recordKey`; empty is no key. */
  readonly under: string;
  /** Those with a smaller number. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** Records of every resource that has no store of its own; each is written in one commit with the event that tells of it. */
export interface RecordStore {
  /** What begins: nothing of it is there before. */
  begin<Answer>(workspace: string, decide: (facts: Facts) => Decision<Answer>): Promise<Answer>;
  change<Kept extends { readonly id: number }, Answer>(
    resource: Resource<Kept>,
    workspace: string,
    id: number,
    decide: (record: Kept | null, facts: Facts) => Decision<Answer>,
  ): Promise<Answer>;
  get<Kept extends { readonly id: number }>(resource: Resource<Kept>, workspace: string, id: number): Promise<Kept | null>;
  /** Newest first. */
  list<Kept extends { readonly id: number }>(resource: Resource<Kept>, query: RecordQuery): Promise<Page<Kept>>;
  /** Of each of these keys, without reading a record. */
  count(resource: { readonly name: string }, workspace: string, keys: readonly string[]): Promise<CountedRecords>;
}
