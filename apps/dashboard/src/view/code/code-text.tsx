import { useMemo } from 'react';
import type { CodePiece } from './highlight.ts';
import { useHighlight } from './use-highlight.ts';

/** Words of code in their colours. */
export const Pieces = ({ pieces }: { readonly pieces: readonly CodePiece[] }) =>
  pieces.map(({ text, look }, index) =>
    look === '' ? (
      text
    ) : (
      <span key={index} className={look}>
        {text}
      </span>
    ),
  );

interface CodeTextProps {
  readonly text: string;
  /** Of a language, or of a file in it; null where nobody says. */
  readonly name: string | null;
}

/** Code as it was written, in colours once they are there. */
export function CodeText({ text, name }: CodeTextProps) {
  const highlight = useHighlight(name !== null);
  const lines = useMemo(() => (name === null ? null : highlight?.(text, name)) ?? null, [highlight, text, name]);
  if (lines === null) return text;
  return lines.map((pieces, index) => (
    <span key={index}>
      {index === 0 ? '' : '\n'}
      <Pieces pieces={pieces} />
    </span>
  ));
}
