import type { UsageDay } from 'agent-relay-protocol';
import type { Page } from '../domain/change.ts';

export interface UsageQuery {
  readonly workspace: string;
  readonly agent?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

export interface UsagePage extends Pick<Page<UsageDay>, 'items' | 'cursor'> {
  readonly next: string | null;
}

/** What agents used; it is written in the commit of the activity that tells of it. */
export interface UsageStore {
  /** By day, agent, provider and model. @throws RelayError `validation_failed` for a cursor that is none. */
  list(query: UsageQuery): Promise<UsagePage>;
  /** Deletes the days before `day`. Answers how many rows went. */
  prune(day: string): Promise<number>;
}
