/*
 * What secrets look like that this relay does not know: keys of vendors, tokens of bots, private keys, and what stands where a secret is said to be.
 * Each is found in one pass over the text: it is looked for by a word, and what repeats behind that has a bound, or begins where its run does.
 */

const HIDDEN = '[a secret, hidden]';

/** What ends in a letter or a digit and is no part of the word behind it: an escape of JSON, of a shell or an address, the end of a colour. */
const ends = '(?<=\\\\[abefnrtv0]|\\\\(?:u|x|U)[0-9a-fA-F]{2,8}|%[0-9a-fA-F]{2}|\\[[\\d;:]{0,16}[mK])';
/** A shape that begins behind none of these characters, or behind an escape. */
const shapeOf = (notBehind: string, pattern: string): RegExp => new RegExp(`(?:(?<!${notBehind})|${ends})(?:${pattern})`, 'gu');

/** Of one that was cut off what is left may be enough to guess the rest. */
const cut = '(?=…|$)';

/** Nothing else looks like these. */
const alone: readonly RegExp[] = [
  // A private key, also where its end is not shown.
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|$)/gu,
  // A bot of Telegram, also in the addresses of its API.
  new RegExp(`(?<!\\d)\\d{6,12}(?::|%3[Aa])(?:[\\w-]{35}(?![\\w-])|[\\w-]{20,34}${cut})`, 'gu'),
  // Anthropic, OpenAI and who follows them.
  shapeOf('[\\w-]', 'sk-(?=[\\w-]{0,400}\\d)[\\w-]{20,400}'),
  shapeOf(
    '[\\w-]',
    '(?:xai|gsk|hf|npm|pypi|dop_v1|glpat|sntrys|figd|ntn|lin_api|r8|whsec|SG)[-_.](?=[\\w./+=-]{0,400}\\d)[\\w./+=-]{20,400}',
  ),
  shapeOf('\\w', '[srp]k_(?:live|test)_\\w{16,400}'),
  // GitHub.
  shapeOf('\\w', 'gh[pousr]_[A-Za-z0-9]{20,400}|github_pat_\\w{20,400}'),
  // Google.
  shapeOf('[\\w-]', 'AIza[\\w-]{30,60}|ya29\\.[\\w.-]{20,2000}|GOCSPX-[\\w-]{20,60}'),
  // Amazon.
  shapeOf('[A-Za-z0-9]', '(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])'),
  // Slack.
  shapeOf('[\\w-]', '(?:xox[a-z]|xapp)-[\\w-]{10,400}'),
  // Signed claims.
  shapeOf('[\\w-]', 'eyJ[\\w-]{8,4000}\\.eyJ[\\w-]{8,8000}(?:\\.[\\w-]{0,4000})?'),
];

/** A word that nobody writes by hand: long and with a digit within, or very long. */
const wordOf = (least: number): string => `(?:(?=[\\w.~+/=-]{0,512}\\d)[\\w.~+/=-]{${least},512}|[\\w.~+/=-]{32,512})`;

/** The first group stays: it says what is hidden behind it. */
const behindAWord: readonly RegExp[] = [
  new RegExp(`(\\b(?:[Bb]earer|Basic)(?:\\s|%20){1,4})${wordOf(16)}`, 'gu'),
  new RegExp(
    `((?:secret|token|password|passwd|passphrase|(?:api|access|private|secret|signing)[_-]?key)\\\\{0,8}["']?\\s{0,4}[:=]\\s{0,4}\\\\{0,8}["']?)${wordOf(8)}`,
    'giu',
  ),
  // Looked for by its word: hyphens, which may fill a page, begin nothing.
  new RegExp(`((?:secret|token|password|key)(?=[ =])(?<=--[\\w-]{3,48})[ =]["']?)${wordOf(8)}`, 'gu'),
  // In addresses.
  /(:\/\/[^\s/:@"']{1,64}:)[^\s/@"']{3,256}(?=@)/gu,
];

/** All of them, for whoever looks at what they cost. */
export const secretShapes: readonly RegExp[] = [...alone, ...behindAWord];

/** The text without what looks like a secret. */
export function withoutSecretShapes(text: string): string {
  const shown = alone.reduce((left, shape) => left.replace(shape, HIDDEN), text);
  return behindAWord.reduce((left, shape) => left.replace(shape, `$1${HIDDEN}`), shown);
}
