import { type DecodedLine, LineDecoder } from '../line-decoder.ts';

export interface PacedLinesOptions {
  readonly onLine: (line: DecodedLine) => void;
  /** What came is not all read: nothing more should come meanwhile. */
  readonly onBusy: () => void;
  readonly onIdle: () => void;
  /** How long one turn of the event loop may be read in, in ms. */
  readonly budgetMs?: number;
}

/** So much text is cut into lines before the clock is looked at: of line breaks alone it takes a few milliseconds. */
const PIECE_LENGTH = 16 * 1024;

/** Cuts text into lines, in as many turns of the event loop as that takes: a frame of many megabytes may be line breaks from end to end. */
export class PacedLines {
  readonly #options: PacedLinesOptions;
  readonly #decoder = new LineDecoder();
  readonly #waiting: string[] = [];
  /** How much of the first of them is read. */
  #start = 0;
  #isBusy = false;
  #whenDone: (() => void) | undefined;

  constructor(options: PacedLinesOptions) {
    this.#options = options;
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  push(text: string): void {
    this.#waiting.push(text);
    if (!this.#isBusy) this.#read();
  }

  /** Calls back when everything that came is read; at once when it is. */
  end(then: () => void): void {
    if (this.#isBusy) this.#whenDone = then;
    else then();
  }

  readonly #read = (): void => {
    const until = performance.now() + (this.#options.budgetMs ?? 10);
    while (this.#waiting.length > 0) {
      this.#readPiece();
      if (this.#waiting.length > 0 && performance.now() >= until) {
        this.#goOnLater();
        return;
      }
    }
    if (!this.#isBusy) return;
    this.#isBusy = false;
    this.#options.onIdle();
    this.#whenDone?.();
  };

  #readPiece(): void {
    const [text = ''] = this.#waiting;
    const end = this.#start + PIECE_LENGTH;
    const piece = text.slice(this.#start, end);
    this.#start = end < text.length ? end : 0;
    if (this.#start === 0) this.#waiting.shift();
    for (const line of this.#decoder.push(piece)) this.#options.onLine(line);
  }

  #goOnLater(): void {
    setImmediate(this.#read);
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#options.onBusy();
  }
}
