import unhomoglyph from 'unhomoglyph';

// The table of confusable characters leaves small capitals as they are, and writes the small Cyrillic em as a turned w.
const smallCapitals = new Map([...'ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢʍ'].map((letter, index) => [letter, 'abcdefghijklmnoprstuvwyzm'.charAt(index)]));
// Letters on a dark ground: circled, then squared. The normal form leaves them as they are.
const onDark = [0x1f150, 0x1f170].flatMap((first) =>
  [...'abcdefghijklmnopqrstuvwxyz'].map((letter, index) => [String.fromCodePoint(first + index), letter] as const),
);
const letters = new Map([...smallCapitals, ...onDark]);
const notSeen = /[\p{M}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

const folded = (text: string): string => unhomoglyph(text).replace(/[^\p{ASCII}]/gu, (letter) => letters.get(letter) ?? letter);

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
