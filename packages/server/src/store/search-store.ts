import type { ActivityEntry, Snippet } from 'agent-relay-protocol';
import type { StoredMessage } from '../domain/change.ts';
import type { SearchTerm } from '../domain/search-text.ts';
import type { Asked } from './asked.ts';
import type { Reading } from './reading.ts';

export interface SearchQuery extends Asked {
  readonly workspace: string;
  readonly terms: readonly SearchTerm[];
  readonly messages: boolean;
  readonly activity: boolean;
  readonly agent: string | undefined;
  readonly session: string | undefined;
  readonly type: string | undefined;
  readonly tool: string | undefined;
  readonly file: string | undefined;
  readonly sinceAt: number | undefined;
  readonly untilAt: number;
  readonly before: SearchPosition;
  readonly limit: number;
  /** Whoever asked is gone. */
  readonly signal: AbortSignal;
  /** What the caller may read of messages; undefined where that is all. */
  readonly reading: Reading | undefined;
  /** Whether the caller may see an entry of activity. */
  readonly isShown: (entry: ActivityEntry) => boolean;
}

/** What has smaller numbers comes next. */
export interface SearchPosition {
  readonly message: number;
  readonly entry: number;
}

export type Found = { readonly snippet: Snippet } & ({ readonly stored: StoredMessage } | { readonly entry: ActivityEntry });

export interface SearchPage {
  /** Newest first. */
  readonly items: readonly Found[];
  readonly next: SearchPosition | null;
}

/** Finds messages and activity by their words. What is written is put into the index afterwards: writing it costs nothing more. */
export interface SearchStore {
  /** Puts a bounded piece of what is new into the index, oldest first. Answers whether that was not all. */
  index(): Promise<boolean>;
  /** Whether something is not in the index yet. */
  isBehind(): boolean;
  /** How many messages and entries are not in it, roughly. */
  behind(): number;
  /** A page may have fewer, or none, and go on: so much is looked at for one. */
  find(query: SearchQuery): Promise<SearchPage>;
}
