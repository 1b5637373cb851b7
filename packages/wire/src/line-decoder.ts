/** A line without its line break. When it was too long, `text` is its beginning and the rest was thrown away. */
export interface DecodedLine {
  readonly text: string;
  readonly isTooLong: boolean;
}

const textKeptOfLongLines = 4096;

/**
 * Cuts bytes or text that come in arbitrary pieces into lines: correct over characters, lines and CRLF split between pieces, and
 * bounded in memory. Lines end with `\n` or `\r\n`. `maxLineBytes` is measured after decoding, in UTF-16 units: never stricter than bytes.
 */
export class LineDecoder {
  readonly #maxLineBytes: number;
  readonly #decoder = new TextDecoder();
  #parts: string[] = [];
  #length = 0;
  #isSkipping = false;

  constructor({ maxLineBytes = 64 << 20 }: { readonly maxLineBytes?: number | undefined } = {}) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** The lines this piece completes. */
  push(piece: Uint8Array | string): DecodedLine[] {
    const text = typeof piece === 'string' ? piece : this.#decoder.decode(piece, { stream: true });
    const lines: DecodedLine[] = [];
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      this.#append(text.slice(start, end), lines);
      this.#finishLine(lines);
      start = end + 1;
    }
    this.#append(text.slice(start), lines);
    return lines;
  }

  /** The last line, when the stream ended without a line break. */
  end(): DecodedLine[] {
    const lines: DecodedLine[] = [];
    this.#append(this.#decoder.decode(), lines);
    if (this.#length > 0) this.#finishLine(lines);
    return lines;
  }

  #append(text: string, lines: DecodedLine[]): void {
    if (this.#isSkipping || text === '') return;
    this.#parts.push(text);
    this.#length += text.length;
    // One more for the \r, which is not known to end the line until the \n has come.
    if (this.#length <= this.#maxLineBytes + 1) return;
    lines.push({ text: this.#parts.join('').slice(0, Math.min(textKeptOfLongLines, this.#maxLineBytes)), isTooLong: true });
    this.#parts = [];
    this.#length = 0;
    this.#isSkipping = true;
  }

  #finishLine(lines: DecodedLine[]): void {
    if (!this.#isSkipping) {
      const joined = this.#parts.length === 1 ? (this.#parts[0] ?? '') : this.#parts.join('');
      lines.push(this.#lineOf(joined.endsWith('\r') ? joined.slice(0, -1) : joined));
    }
    this.#isSkipping = false;
    this.#parts = [];
    this.#length = 0;
  }

  #lineOf(text: string): DecodedLine {
    if (text.length <= this.#maxLineBytes) return { text, isTooLong: false };
    return { text: text.slice(0, Math.min(textKeptOfLongLines, this.#maxLineBytes)), isTooLong: true };
  }
}
