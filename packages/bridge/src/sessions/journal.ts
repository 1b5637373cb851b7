import { Bell } from 'agent-relay-wire';
import { type Keeper, SharedRoom } from './shared-room.ts';

export interface JournalEntry<Frame> {
  /** From 1, without holes. */
  readonly seq: number;
  readonly frame: Frame;
}

export interface JournalOptions {
  /** Characters that are kept for who attaches again. Default 4 Mi. */
  readonly keep?: number;
  /** Characters that one reader who sets the pace may be behind. Default 256 Ki. */
  readonly lag?: number;
  /** What it has to share with others; left out, it has one of its own. */
  readonly room?: SharedRoom;
}

/** What a frame costs beside its text. */
const baseWeight = 100;

/** A place in a journal; `position` is the last entry that was taken. */
export interface JournalReader {
  position: number;
  /** The session waits for it; others who fall too far behind miss what is gone. */
  setsPace: boolean;
}

/**
 * The frames of one session in order, read by several connections, each at its own pace. Whoever sets the pace is waited for (`room`); of the rest as
 * much is kept as `keep` says.
 */
export class Journal<Frame> implements Keeper {
  readonly #options: Required<JournalOptions>;
  readonly #readers = new Set<JournalReader>();
  readonly #news = new Bell();
  readonly #moved = new Bell();
  #entries: (JournalEntry<Frame> & { readonly start: number; readonly end: number })[] = [];
  #written = 0;
  #head = 0;

  constructor({ keep = 4 << 20, lag = 256 << 10, room = new SharedRoom() }: JournalOptions = {}) {
    this.#options = { keep, lag, room };
  }

  /** The last entry's; 0 when there is none. */
  get head(): number {
    return this.#head;
  }

  push(frame: Frame, textLength: number): void {
    const start = this.#written;
    this.#head += 1;
    this.#written += baseWeight + textLength;
    this.#entries.push({ seq: this.#head, frame, start, end: this.#written });
    this.#forget();
    this.#options.room.weigh(this, this.#written - this.#startOf());
    this.#news.ring();
  }

  /** Nobody reads it any more. */
  leave(): void {
    this.#options.room.leave(this);
  }

  /** What nobody waits for goes, and whoever reads it later misses it. */
  give(characters: number): number {
    const start = this.#startOf();
    const needed = this.#needed();
    const kept = this.#entries.findIndex((entry) => entry.seq > needed || entry.start - start >= characters);
    this.#entries = kept < 0 ? [] : this.#entries.slice(kept);
    return this.#startOf() - start;
  }

  open(after: number, setsPace: boolean): JournalReader {
    const reader = { position: Math.min(after, this.#head), setsPace };
    this.#readers.add(reader);
    return reader;
  }

  close(reader: JournalReader): void {
    this.#readers.delete(reader);
    this.#moved.ring();
    this.#news.ring();
  }

  /** What this reader has not taken yet, at most so many, and no more at once than it may be behind; `missed` is how many before them are gone. */
  take(reader: JournalReader, count: number): { readonly entries: readonly JournalEntry<Frame>[]; readonly missed: number } {
    const first = this.#entries[0]?.seq ?? this.#head + 1;
    const missed = Math.max(0, first - 1 - reader.position);
    const start = Math.max(0, reader.position + 1 - first);
    const most = (this.#entries[start]?.end ?? 0) + this.#options.lag;
    const entries = this.#entries.slice(start, start + count).filter(({ end }) => end <= most);
    reader.position = entries.at(-1)?.seq ?? reader.position + missed;
    return { entries, missed };
  }

  /** The reader has sent what it took. */
  done(): void {
    this.#moved.ring();
  }

  /** Resolves when there is something for this reader, or it was closed. */
  async news(reader: JournalReader): Promise<boolean> {
    while (this.#readers.has(reader) && reader.position >= this.#head) await this.#news.next();
    return this.#readers.has(reader);
  }

  /** Resolves while nobody who sets the pace is too far behind, or when the signal aborts. */
  async room(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.hasRoom) await this.#moved.next({ signal });
  }

  /** Whether nobody who sets the pace is too far behind. */
  get hasRoom(): boolean {
    for (const reader of this.#readers) if (reader.setsPace && this.#lagOf(reader) > this.#options.lag) return false;
    return true;
  }

  #lagOf({ position }: JournalReader): number {
    const index = position - (this.#entries[0]?.seq ?? 1);
    return this.#written - (this.#entries[index]?.end ?? this.#startOf());
  }

  #startOf(): number {
    return this.#entries[0]?.start ?? this.#written;
  }

  /** Up to here everybody who is waited for has read. */
  #needed(): number {
    return Math.min(this.#head, ...[...this.#readers].filter(({ setsPace }) => setsPace).map(({ position }) => position));
  }

  #forget(): void {
    if (this.#written - this.#startOf() <= this.#options.keep * 1.25) return;
    const needed = this.#needed();
    const from = this.#entries.findIndex(({ seq, end }) => seq > needed || this.#written - end <= this.#options.keep);
    if (from > 0) this.#entries = this.#entries.slice(from);
  }
}
