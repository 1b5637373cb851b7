/**
 * So deep may nest what comes in. JSON.parse itself takes any depth, but whatever walks the value after it does so by recursion, and a few
 * thousand levels end the process.
 */
export const MAX_JSON_DEPTH = 256;

/** `JSON.parse` for bytes from outside. Throws `SyntaxError`, also for what nests too deep. */
export function parseJson(text: string): unknown {
  if (hasManyOpeners(text) && isTooDeep(text)) throw new SyntaxError(`JSON that nests deeper than ${MAX_JSON_DEPTH} levels`);
  return JSON.parse(text);
}

/** Most texts have fewer brackets than levels are allowed, and are not looked at character by character. */
function hasManyOpeners(text: string): boolean {
  if (text.length <= MAX_JSON_DEPTH) return false;
  let count = 0;
  for (const opener of ['{', '[']) {
    for (let at = text.indexOf(opener); at !== -1; at = text.indexOf(opener, at + 1)) {
      count += 1;
      if (count > MAX_JSON_DEPTH) return true;
    }
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
// Compared and not looked up: this is asked of every character of a large text.
const isOpener = (code: number): boolean => code === 0x5b || code === 0x7b;
const isCloser = (code: number): boolean => code === 0x5d || code === 0x7d;

function isTooDeep(text: string): boolean {
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) index = endOfString(text, index);
    else if (isOpener(code)) {
      depth += 1;
      if (depth > MAX_JSON_DEPTH) return true;
    } else if (isCloser(code)) depth -= 1;
  }
  return false;
}

/** Where the string that begins at `start` ends; the end of the text when it does not. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return end;
  }
  return text.length;
}
