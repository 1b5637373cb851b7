import { createContext, type ReactNode, use, useState } from 'react';

/** What is unfolded in a list, by name: a row that goes out of sight stops to be, and is as it was when it is back. */
export const UnfoldedContext = createContext<Set<string> | null>(null);

interface FoldProps {
  /** Its own in its list. */
  readonly name: string;
  readonly summary: ReactNode;
  readonly summaryLook?: string;
  readonly className?: string;
  /** It is open until somebody closes it: what is looked for is in it. */
  readonly startsOpen?: boolean;
  readonly children: ReactNode;
}

/** Words that open what is behind them. */
export function Fold({ name, summary, summaryLook = '', className = '', startsOpen = false, children }: FoldProps) {
  const unfolded = use(UnfoldedContext);
  const [isOpen, setOpen] = useState(startsOpen || (unfolded?.has(name) ?? false));
  return (
    <details
      open={isOpen}
      className={className}
      onToggle={({ currentTarget: { open } }) => {
        setOpen(open);
        if (open) unfolded?.add(name);
        else unfolded?.delete(name);
      }}
    >
      <summary className={summaryLook}>{summary}</summary>
      {isOpen ? children : null}
    </details>
  );
}
