import { type RelayClient, RelayError, type RelayEvent } from 'agent-relay-client';
import type { EventTail } from './event-tail.ts';
import { Rest } from './rest.ts';
import { keyOfView, type ListView, READ_AGAIN, type Snapshot, type View } from './view.ts';

/** A view as it stands: `data` is undefined until it was read once, `error` is what the last reading ended with. */
export interface Shown<Data> {
  readonly data: Data | undefined;
  readonly error: unknown;
  /** Of a list: there is nothing further back. */
  readonly isWhole: boolean;
}

/** What all views of a page share. */
export interface LiveDeps {
  readonly relay: RelayClient;
  readonly tail: EventTail;
  /** Nothing is read before the log is followed: what happened in between would be in neither. */
  isFollowed(): boolean;
  /** Told when a view is watched, or no longer. */
  onWatch(view: LiveView<unknown>): void;
  /** Told when what a view shows has changed; it tells those who watch when `tell` is called. */
  onChange(view: LiveView<unknown>): void;
}

/** How long until a reading that failed for a passing reason is tried again; after the last of these the failure is shown. */
const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 16_000] as const;

/**
 * One view, kept current. It is *stale* until it is read, and again when it has to be; a stale one is read as soon as somebody watches it
 * while the log is followed. A newer reading makes an older one void. What is in sight stays so until a reading has succeeded.
 */
export class LiveView<Data> {
  readonly key: string;
  readonly #view: View<Data>;
  readonly #deps: LiveDeps;
  readonly #listeners = new Set<() => void>();
  readonly #rest = new Rest(() => this.readAgain());
  #shown: Shown<Data> = { data: undefined, error: null, isWhole: false };
  #isStale = true;
  /** The number of the latest reading. */
  #reading = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(view: View<Data>, deps: LiveDeps) {
    this.key = keyOfView(view);
    this.#view = view;
    this.#deps = deps;
  }

  get name(): string {
    return this.#view.name;
  }

  get isWatched(): boolean {
    return this.#listeners.size > 0;
  }

  readonly get = (): Shown<Data> => this.#shown;

  readonly watch = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    this.#deps.onWatch(this);
    if (this.#isStale) this.readAgain();
    return () => {
      this.#listeners.delete(listener);
      this.#deps.onWatch(this);
    };
  };

  readonly tell = (): void => {
    for (const listener of this.#listeners) listener();
  };

  /** Brings it up to one event, which is in the tail already: a reading on its way finds it there. */
  apply(event: RelayEvent): void {
    if (this.#shown.data === undefined) return;
    const next = this.#view.apply(this.#shown.data, event);
    if (next === READ_AGAIN) this.#rest.want();
    else if (next !== this.#shown.data) this.#show({ ...this.#shown, data: next, isWhole: this.#shown.isWhole && !this.#isCut(next) });
  }

  /** Reads it now when somebody watches, else when somebody does. */
  readonly readAgain = (): void => {
    this.#reading += 1;
    clearTimeout(this.#retry);
    this.#isStale = !this.isWatched || !this.#deps.isFollowed();
    if (!this.#isStale) void this.#read(this.#reading, 0);
  };

  /** Reads it again if the last reading failed: the relay is there again. */
  retry(): void {
    if (this.#shown.error !== null || this.#retry !== undefined) this.readAgain();
  }

  /** Reads further back, and says whether that was the end. */
  async readOlder({ read, merge }: NonNullable<ListView<unknown>['older']>): Promise<boolean> {
    const known = this.#shown.data as readonly unknown[] | undefined; // only lists have older pages
    const { data, isEnd } = await read(this.#deps.relay, known ?? []);
    const now = this.#shown.data as readonly unknown[] | undefined;
    if (now !== undefined) this.#show({ ...this.#shown, data: merge(now, data) as Data, isWhole: isEnd }); // the list's own merge, of its own items
    return isEnd;
  }

  /** Nobody shows it any more. */
  close(): void {
    this.#reading += 1;
    this.#isStale = true;
    clearTimeout(this.#retry);
    this.#rest.close();
  }

  async #read(reading: number, failures: number): Promise<void> {
    this.#retry = undefined;
    try {
      const snapshot = await this.#view.read(this.#deps.relay);
      if (reading === this.#reading)
        this.#show({ data: this.#broughtUp(snapshot), error: null, isWhole: snapshot.nextCursor === undefined });
    } catch (error) {
      if (reading !== this.#reading) return;
      const delayMs = isPassing(error) ? RETRY_MS[failures] : undefined;
      if (delayMs === undefined) this.#show({ ...this.#shown, error });
      else this.#retry = setTimeout(() => void this.#read(reading, failures + 1), delayMs);
    }
  }

  /** Whether the oldest of a list is no longer in it: a page keeps only so much of what comes. */
  #isCut(next: Data): boolean {
    const older = 'older' in this.#view ? (this.#view as unknown as ListView<unknown>).older : undefined; // only lists have older pages
    if (older === undefined) return false;
    const oldestOf = (data: unknown) => (data as readonly unknown[]).at(older.oldest === 'first' ? 0 : -1);
    return oldestOf(next) !== oldestOf(this.#shown.data);
  }

  /** A snapshot with what the log has told since it was true. */
  #broughtUp({ data, cursor }: Snapshot<Data>): Data {
    let current = data;
    for (const event of this.#deps.tail.after(cursor)) {
      const next = this.#view.apply(current, event);
      if (next === READ_AGAIN) this.#rest.want();
      else current = next;
    }
    return current;
  }

  #show(shown: Shown<Data>): void {
    this.#shown = shown;
    this.#deps.onChange(this);
  }
}

const isPassing = (error: unknown): boolean => error instanceof RelayError && error.retryable;
