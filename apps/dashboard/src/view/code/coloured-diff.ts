import type { DiffLine } from './diff-lines.ts';
import type { CodePiece, Highlight } from './highlight.ts';

/** The words of a line in their colours, without its sign; null where nothing is known of them. */
export type ColouredLine = readonly CodePiece[] | null;

/** Each hunk is read twice, as it was and as it is: what begins in one line may end in another. */
export function colouredDiff(lines: readonly DiffLine[], highlight: Highlight, path: string | null): readonly ColouredLine[] {
  const coloured: ColouredLine[] = lines.map(() => null);
  for (const { from, to } of hunksOf(lines)) {
    const hunk = lines.slice(from, to);
    const file = hunk[0]?.path ?? path;
    for (const side of ['removed', 'added'] as const) {
      const places = hunk.flatMap(({ kind }, index) => (kind === side || kind === 'same' ? [index] : []));
      const text = places.map((place) => hunk[place]?.text.slice(1) ?? '').join('\n');
      const pieces = file === null ? null : highlight(text, file);
      for (const [index, place] of places.entries()) coloured[from + place] = pieces?.[index] ?? null;
    }
  }
  return coloured;
}

function hunksOf(lines: readonly DiffLine[]): readonly { readonly from: number; readonly to: number }[] {
  const edges = lines.flatMap(({ kind }, index) => (kind === 'hunk' || kind === 'header' ? [index] : []));
  const starts = [-1, ...edges];
  return starts.map((start, index) => ({ from: start + 1, to: starts[index + 1] ?? lines.length })).filter(({ from, to }) => to > from);
}
