import { shapesOf } from './look-alikes.ts';
import { withoutUnseen } from './plain-text.ts';

/** What only the relay and its host write: the ends of an envelope, and the word of the host itself. */
const marks = ['msg:', 'endmsg:', 'agentrelay]'];
/** Made of the first text that needs it: a table of six thousand letters is. */
let markShapes: readonly string[] | undefined;
/** What begins a mark: whatever looks like a square bracket. Round and curly ones, and quotation marks, begin too much else. */
const openings = /(?![({\u{FF08}\u{FF5B}\u{201A}\u{201E}])[\p{Ps}\u{23A1}-\u{23A3}]/gu;
/** May stand anywhere within a mark without hiding it. */
const between = /[\s\p{Pd}\p{M}_]/u;

/**
 * A text that came from elsewhere, as a model may read it: nothing in it is hidden, and nothing in it looks like a mark of ours, in whatever
 * letters it is written; such a bracket is followed by a backslash. Everything else stays as it was written.
 */
export function escapeLookAlikes(text: string): string {
  const seen = withoutUnseen(text);
  let escaped = '';
  let done = 0;
  for (const { 0: bracket, index } of seen.matchAll(openings)) {
    const end = index + bracket.length;
    if (!beginsMark(seen, end)) continue;
    escaped += `${seen.slice(done, end)}\\`;
    done = end;
  }
  return escaped + seen.slice(done);
}

/** Looks no further than a mark could go on: the next bracket ends it, so that a text of brackets costs no more than its length. */
function beginsMark(text: string, start: number): boolean {
  let shape = '';
  for (let at = start; at < text.length; ) {
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    at += character.length;
    if (between.test(character)) continue;
    shape += shapesOf(character)[1];
    markShapes ??= marks.map((mark) => shapesOf(mark)[0]);
    if (markShapes.some((mark) => shape.startsWith(mark))) return true;
    if (!markShapes.some((mark) => mark.startsWith(shape))) return false;
  }
  return false;
}

/** Words for a model, of which everything that came from elsewhere has been through `escapeLookAlikes`. */
export class ModelText {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  /** For what was made for a model already, such as an envelope. */
  static made(text: string): ModelText {
    return new ModelText(text);
  }

  static join(texts: readonly ModelText[], separator: string): ModelText {
    return new ModelText(texts.map(({ text }) => text).join(separator));
  }
}

/** Our own words with others' between them: modelText`Sent [msg:${id}] to ${to}`. What is put in is escaped, unless it is a ModelText. */
export function modelText(words: TemplateStringsArray, ...values: readonly (string | number | ModelText)[]): ModelText {
  const text = words.map((word, index) => {
    const value = values[index];
    if (value === undefined) return word;
    return word + (value instanceof ModelText ? value.text : escapeLookAlikes(String(value)));
  });
  return ModelText.made(text.join(''));
}

/** Somebody's words within a sentence of ours: on one line, in quotation marks that they cannot end. */
export const quoted = (text: string): string => `“${withoutUnseen(text).replace(/\s+/gu, ' ').trim().replaceAll(/[“”]/gu, '"')}”`;
