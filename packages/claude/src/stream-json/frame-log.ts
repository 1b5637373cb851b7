/** What a dialling CLI sends again after a drop, seen or not. */
const framesRepeated = 1000;
const bytesRepeated = 16 << 20;
/** Unconfirmed beyond this, the CLI waits. */
const bytesUnconfirmed = 16 << 20;

interface Entry {
  /** Null once it need not be sent again. */
  text: string | null;
  readonly hasUuid: boolean;
  readonly size: number;
}

/**
 * What a CLI said, as lines under growing numbers, until it need not be sent again: a frame with a uuid is repeated on the next link as long as it is
 * among the last thousand, every other frame until the other side has confirmed it. Nothing unconfirmed is ever dropped.
 */
export class FrameLog {
  /** Of the newest frame that had one. */
  lastUuid: string | null = null;
  readonly #entries: Entry[] = [];
  #start = 0;
  #confirmed = 0;
  #keptBytes = 0;
  #unconfirmedBytes = 0;

  get start(): number {
    return this.#start;
  }

  /** The number that the next frame gets. */
  get end(): number {
    return this.#start + this.#entries.length;
  }

  get isConfirmed(): boolean {
    return this.#confirmed === this.end;
  }

  get confirmed(): number {
    return this.#confirmed;
  }

  get isFull(): boolean {
    return this.#unconfirmedBytes > bytesUnconfirmed;
  }

  push(frame: unknown): void {
    const text = JSON.stringify(frame);
    const uuid = typeof frame === 'object' && frame !== null && 'uuid' in frame && typeof frame.uuid === 'string' ? frame.uuid : null;
    if (uuid !== null) this.lastUuid = uuid;
    this.#entries.push({ text, hasUuid: uuid !== null, size: text.length });
    this.#unconfirmedBytes += text.length;
  }

  /** Null for a frame that need not be sent again. */
  textAt(number: number): string | null {
    return this.#entries[number - this.#start]?.text ?? null;
  }

  /** The other side has every frame below `number`. */
  confirm(number: number): void {
    for (; this.#confirmed < number; this.#confirmed += 1) {
      const entry = this.#entries[this.#confirmed - this.#start];
      if (!entry) continue;
      this.#unconfirmedBytes -= entry.size;
      if (entry.hasUuid) this.#keptBytes += entry.size;
      else entry.text = null;
    }
    this.#trim();
  }

  #trim(): void {
    let dropped = 0;
    while (this.#confirmed - this.#start > dropped) {
      if (this.#confirmed - this.#start - dropped <= framesRepeated && this.#keptBytes <= bytesRepeated) break;
      const entry = this.#entries[dropped];
      if (entry?.hasUuid) this.#keptBytes -= entry.size;
      dropped += 1;
    }
    this.#entries.splice(0, dropped);
    this.#start += dropped;
  }
}
