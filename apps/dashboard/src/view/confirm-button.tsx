import { useState } from 'react';
import type { Command } from '../live/use-command.ts';
import { ActButton } from './act-button.tsx';
import { Problem } from './problem.tsx';

interface ConfirmButtonProps {
  readonly word: string;
  /** Which of several such buttons this is, for those who do not see where it stands. */
  readonly label: string;
  /** What it says before it does it. */
  readonly confirmWord: string;
  readonly command: Command<void, unknown>;
  /** How it looks where it stands among words. */
  readonly look?: string;
}

/** A button that ends something, and asks once more before it does. */
export function ConfirmButton({ word, label, confirmWord, command, look = 'button px-2 py-0.5 text-xs' }: ConfirmButtonProps) {
  const [isAsking, setAsking] = useState(false);
  if (command.error !== null) return <Problem error={command.error} onRetry={command.reset} />;
  if (!isAsking) {
    return (
      <button type="button" aria-label={label} className={look} onClick={() => setAsking(true)}>
        {word}
      </button>
    );
  }
  return (
    <span className="flex flex-wrap justify-end gap-2">
      <ActButton className="button border-bad/50 px-2 py-0.5 text-bad text-xs" isBusy={command.isPending} onClick={() => command.run()}>
        {confirmWord}
      </ActButton>
      <button type="button" className="button px-2 py-0.5 text-xs" onClick={() => setAsking(false)}>
        Keep
      </button>
    </span>
  );
}
