import type { Snippet } from 'agent-relay-protocol';

/** A stretch of what was found, and of which message it is, where an agent was handed one. */
export interface ReadSnippet {
  readonly pieces: Snippet;
  readonly handed: { readonly messageId: number; readonly from: string } | null;
}

const opening = /\[msg:(\d{1,15})\] from ([^\s():]+)(?: \([^()\n]*\))?(?: on #[^\s:]+)?: /gu;
const ends = /\s*\[end msg:\d{1,15}(?: [^\]]*)?(?:\]|$)/gu;

/** What was found of a call without its tool's name before it, which stands beside it; where that is what was looked for, it stays. */
export function withoutTool(pieces: Snippet, tool: string): Snippet {
  const [first, ...rest] = pieces;
  const name = `${tool}: `;
  if (first === undefined || first.isMatch || !first.text.startsWith(name)) return pieces;
  const text = first.text.slice(name.length);
  return text === '' ? rest : [{ ...first, text }, ...rest];
}

/** What was found without the marks between which an agent is handed a message: who said it is told beside it. */
export function readSnippet(snippet: Snippet): ReadSnippet {
  const text = snippet.map((piece) => piece.text).join('');
  const openings = [...text.matchAll(opening)];
  const [first] = openings;
  if (first === undefined) return { pieces: snippet, handed: null };
  const marks = [...openings, ...text.matchAll(ends)].map(({ index, 0: mark }) => [index, index + mark.length] as const);
  let at = 0;
  const pieces = snippet.flatMap((piece) => {
    const begin = at;
    at += piece.text.length;
    const kept = piece.text
      .split('')
      .filter((_, offset) => !marks.some(([from, to]) => begin + offset >= from && begin + offset < to))
      .join('');
    return kept === '' ? [] : [{ ...piece, text: kept }];
  });
  return { pieces, handed: { messageId: Number(first[1]), from: first[2] ?? '' } };
}
