import { useMemo } from 'react';
import { Pieces } from './code/code-text.tsx';
import { colouredDiff } from './code/coloured-diff.ts';
import { type DiffLine, diffLinesOf } from './code/diff-lines.ts';
import { useHighlight } from './code/use-highlight.ts';

const tones: Readonly<Record<DiffLine['kind'], string>> = {
  header: 'text-soft',
  hunk: 'text-accent',
  added: 'bg-good/10',
  removed: 'bg-bad/10',
  same: '',
};

interface DiffLinesProps {
  readonly diff: string;
  /** Of the file, where the diff does not say it. */
  readonly path: string | null;
}

/** The lines of a unified diff: what came and what went by their ground, the words as their language has them. */
export function DiffLines({ diff, path }: DiffLinesProps) {
  const lines = useMemo(() => diffLinesOf(diff), [diff]);
  const highlight = useHighlight(true);
  const coloured = useMemo(() => (highlight === null ? [] : colouredDiff(lines, highlight, path)), [lines, highlight, path]);
  return lines.map(({ kind, text }, index) => {
    const pieces = coloured[index] ?? null;
    return (
      <span key={index} className={`block min-h-4 px-2 ${tones[kind]}`}>
        {pieces === null ? (
          text
        ) : (
          <>
            {text.slice(0, 1)}
            <Pieces pieces={pieces} />
          </>
        )}
      </span>
    );
  });
}

/** A unified diff by itself. */
export const DiffView = ({ diff, path = null }: { readonly diff: string; readonly path?: string | null }) => (
  <pre className="max-h-96 overflow-auto rounded bg-raised py-1 font-mono text-xs" data-diff>
    <DiffLines diff={diff} path={path} />
  </pre>
);
