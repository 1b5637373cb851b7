import type { ActivityEntry, ActivityWatchers, RelayClient } from 'agent-relay-client';
import type { ActivityBlock } from './activity-blocks.ts';
import { ActivityFold } from './activity-fold.ts';

const PAGE = 1_000;
/** What comes is shown together with what comes soon after it. */
const QUIET_MS = 50;

/** Whose activity is read: all of it, or that of one session. */
export interface WhoseActivity {
  readonly id: string;
  readonly session?: string;
}

export interface ShownActivity {
  readonly blocks: readonly ActivityBlock[];
  readonly isRead: boolean;
  /** There is nothing further back. */
  readonly isWhole: boolean;
  /** What happens now is shown as it does; else there is more after what is shown. */
  readonly isAtEnd: boolean;
  /** Who else looks at it now; nobody where its end is not shown. */
  readonly others: ActivityWatchers;
  readonly error: unknown;
}

const noMore = { data: [], nextCursor: undefined };

const nobody: ActivityWatchers = { watchers: [], more: 0 };

export const nothingRead: ShownActivity = { blocks: [], isRead: false, isWhole: false, isAtEnd: true, others: nobody, error: null };

interface Told {
  readonly relay: RelayClient;
  readonly which: WhoseActivity;
  readonly tell: (shown: ShownActivity) => void;
}

/** Reads what an agent did: from its end or around one entry, then further at either end; from its end on as it happens, until it is closed. */
export class ActivityReader {
  readonly #deps: Told;
  readonly #fold = new ActivityFold();
  readonly #closing = new AbortController();
  #shown = nothingRead;

  constructor(deps: Told) {
    this.#deps = deps;
  }

  /** `around`: an entry; null for the end. Resolves when it is closed, or when what was asked for is shown and is not the end. @throws RelayError */
  async begin(around: number | null): Promise<void> {
    const { signal } = this.#closing;
    try {
      const older = await this.#page({ newest: true, ...(around === null ? {} : { before: around + 1 }) });
      const newer = around === null ? noMore : await this.#page({ after: older.data.at(-1)?.id ?? around });
      if (signal.aborted) return;
      this.#fold.append([...older.data, ...newer.data]);
      const isAtEnd = newer.nextCursor === undefined;
      this.#show({ isRead: true, isWhole: older.nextCursor === undefined, isAtEnd });
      if (isAtEnd) await this.#goOn();
    } catch (error) {
      if (!signal.aborted) this.#show({ error });
    }
  }

  /** Reads further back, and says whether that was the beginning. @throws RelayError */
  async older(): Promise<boolean> {
    const { data, nextCursor } = await this.#page({ newest: true, before: this.#fold.firstId ?? 1 });
    if (!this.#closing.signal.aborted) {
      this.#fold.prepend(data);
      this.#show({ isWhole: nextCursor === undefined });
    }
    return nextCursor === undefined;
  }

  /** Reads further on, and says whether that was the end. @throws RelayError */
  async newer(): Promise<boolean> {
    const { data, nextCursor } = await this.#page({ after: this.#fold.lastId ?? 0 });
    const isAtEnd = nextCursor === undefined;
    if (!this.#closing.signal.aborted) {
      this.#fold.append(data);
      this.#show({ isAtEnd });
      if (isAtEnd) void this.#goOn().catch((error: unknown) => this.#closing.signal.aborted || this.#show({ error }));
    }
    return isAtEnd;
  }

  keyAt(entryId: number): string | undefined {
    return this.#fold.keyAt(entryId);
  }

  close(): void {
    this.#closing.abort();
  }

  #page(where: { readonly newest?: true; readonly before?: number; readonly after?: number }) {
    const { relay, which } = this.#deps;
    return relay.agents.activity({ ...which, ...where, limit: PAGE }, { signal: this.#closing.signal });
  }

  /** What happens from here on, as it does. */
  async #goOn(): Promise<void> {
    const { relay, which } = this.#deps;
    const { signal } = this.#closing;
    let come: ActivityEntry[] = [];
    const show = () => {
      this.#fold.append(come);
      come = [];
      if (!signal.aborted) this.#show({});
    };
    const onWatchers = (others: ActivityWatchers) => signal.aborted || this.#show({ others });
    for await (const entry of relay.activity(which.id, { after: this.#fold.lastId ?? 0, signal, onWatchers })) {
      if (which.session !== undefined && entry.sessionId !== which.session) continue;
      if (come.push(entry) === 1) setTimeout(show, QUIET_MS);
    }
  }

  #show(change: Partial<ShownActivity>): void {
    const { isWhole = this.#shown.isWhole } = change;
    this.#shown = { ...this.#shown, ...change, blocks: this.#fold.list(), isWhole: isWhole && !this.#fold.isCut };
    this.#deps.tell(this.#shown);
  }
}
