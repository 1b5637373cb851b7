const toneOf = (line: string): string => {
  if (line.startsWith('@@')) return 'text-accent';
  if (line.startsWith('+')) return 'bg-good/10 text-good';
  if (line.startsWith('-')) return 'bg-bad/10 text-bad';
  return '';
};

/** A unified diff, what came in its colour and what went. */
export const DiffView = ({ diff }: { readonly diff: string }) => (
  <pre className="max-h-96 overflow-auto rounded bg-raised py-1 font-mono text-xs" data-diff>
    {diff
      .replace(/\n$/u, '')
      .split('\n')
      .map((line, index) => (
        <span key={`${index}/${line}`} className={`block min-h-4 px-2 ${toneOf(line)}`}>
          {line}
        </span>
      ))}
  </pre>
);
