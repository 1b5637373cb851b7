/** Cuts text that comes in arbitrary pieces into lines; an unfinished line waits for its rest. */
export class LineJoiner {
  #rest = '';

  add(text: string): string[] {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines;
  }
}
