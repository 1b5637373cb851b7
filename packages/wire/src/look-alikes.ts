import unhomoglyph from 'unhomoglyph';

// Read as these, and neither in the table of confusable characters nor sorted beside them: turned letters, those of other alphabets, and em,
// which the table writes as a turned w.
const readAs = new Map([...'ʍɯɰᴟꟺϻⲙ'].map((letter) => [letter, 'm'] as const));
// Letters on a dark ground (circled, squared), in a dashed square, and in outline: not every normal form knows them.
const framed = [0x1f150, 0x1f170, 0x1f1e6, 0x1ccd6].flatMap((first) =>
  [...'abcdefghijklmnopqrstuvwxyz'].map((letter, index) => [String.fromCodePoint(first + index), letter] as const),
);
const letters = new Map([...readAs, ...framed]);
const notSeen = /[\p{M}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;
const ascii = /^\p{ASCII}+$/u;
const ofOurScripts = /(?=\p{L})[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]/u;

const alphabet = 'abcdefghijklmnopqrstuvwxyzαβγδεζηθικλμνξοπρστυφχψωабвгдежзийклмнопрстуфхцчшщъыьэюя';
let sorted: { readonly compare: Intl.Collator['compare']; readonly letters: readonly string[] } | undefined;

/** Made when it is first asked for: it takes longer than many a program that never asks. */
function sortedAlphabet(): NonNullable<typeof sorted> {
  const { compare } = new Intl.Collator('en');
  return { compare, letters: [...alphabet].sort(compare) };
}

/**
 * The letter of the alphabet that one is made of: letters with a hook, a tail or a stroke, small capitals and turned ones are sorted between the
 * letter that they are made of and the next.
 */
function madeOf(letter: string): string {
  sorted ??= sortedAlphabet();
  let low = 0;
  let high = sorted.letters.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted.compare(sorted.letters[middle] ?? '', letter) <= 0) low = middle + 1;
    else high = middle;
  }
  return sorted.letters[low - 1] ?? letter;
}

function inTable(letter: string): string {
  const shape = unhomoglyph(letters.get(letter) ?? letter)
    .normalize('NFKD')
    .replace(notSeen, '');
  return letters.get(shape) ?? shape;
}

function plainOf(letter: string): string {
  const shape = inTable(letter);
  return ascii.test(shape) || !ofOurScripts.test(letter) ? shape : inTable(madeOf(letter));
}

const folded = (text: string): string => unhomoglyph(text.replace(/[^\p{ASCII}]/gu, plainOf));

/**
 * The shapes that the eye, or a model, takes a text for: texts that share one look alike. Two, for a capital I is the small letter i to one
 * reader and an l to another. To compare, never to show.
 */
export function shapesOf(text: string): readonly [string, string] {
  const bare = text.normalize('NFKD').replace(notSeen, '');
  return [unhomoglyph(folded(bare.toLowerCase())), unhomoglyph(folded(bare).toLowerCase())];
}

export function looksLike(one: string, other: string): boolean {
  const shapes = shapesOf(other);
  return shapesOf(one).some((shape) => shapes.includes(shape));
}
