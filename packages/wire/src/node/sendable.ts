const LONG_CHARACTERS = 16 * 1024;

/**
 * A text as it is best given to a socket. For each character of a string that the other side does not take at once Node keeps three bytes beside
 * the string; of bytes it keeps none.
 */
export function sendable(text: string): string | Buffer {
  return text.length <= LONG_CHARACTERS ? text : Buffer.from(text);
}
