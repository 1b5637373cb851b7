/*
 * What a text has that nobody sees: controls, format characters, invisible letters, a Braille cell and a note head without anything in them. They hide words from people and not from models, turn the
 * order of a line around, or give a terminal orders. Joiners stay where a script or an emoji is written with them.
 */
const joinersInUse =
  '(?<=\\p{Emoji})[\\u{FE0E}\\u{FE0F}]|(?<=[\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\u{FE0F}])\\u{200D}(?=\\p{Extended_Pictographic})|(?<=[\\p{L}\\p{M}])(?<![\\p{Script=Latin}\\p{Script=Greek}\\p{Script=Cyrillic}])[\\u{200C}\\u{200D}](?=[\\p{L}\\p{M}])(?![\\p{Script=Latin}\\p{Script=Greek}\\p{Script=Cyrillic}])';
const unseen = new RegExp(`(${joinersInUse}|[\\t\\n])|[\\p{Cc}\\p{Cf}\\p{Default_Ignorable_Code_Point}\\u{2800}\\u{1D159}]`, 'gu');
const lineEnds = /\r\n|[\r\u{85}\u{2028}\u{2029}]/gu;

/** A text without what nobody sees, its lines ended by `\n`; `instead` stands where something was. */
function plain(text: string, instead: string): string {
  const lines = text.replace(lineEnds, '\n').replace(/\p{Cs}/gu, '\u{FFFD}');
  return lines.replace(unseen, (_, kept: string | undefined) => kept ?? instead);
}

/** For models: what nobody sees is gone. */
export const withoutUnseen = (text: string): string => plain(text, '');

/** For people at a terminal or in a chat: they see that something is there. */
export const printable = (text: string): string => plain(text, '\u{FFFD}');

/** For the last step before a terminal: what nobody sees is spelled out as JSON does it, so that JSON stays what it was. */
export const spelledOut = (text: string): string =>
  text.replace(unseen, (found, kept: string | undefined) => kept ?? escaped(found)).replace(/[\p{Zl}\p{Zp}]/gu, escaped);

const escaped = (character: string): string =>
  Array.from({ length: character.length }, (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`).join('');
