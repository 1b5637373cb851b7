import { useState } from 'react';
import { ActButton } from './act-button.tsx';
import { Form } from './form/form.tsx';

interface ReasonButtonProps {
  readonly word: string;
  /** Which of several such buttons this is, for those who do not see where it stands. */
  readonly label?: string;
  /** Who reads the reason. */
  readonly hint: string;
  readonly keepWord: string;
  readonly isPending: boolean;
  /** `null` when none was given. */
  readonly onReason: (reason: string | null) => void;
}

/** A button that asks why before it acts; the reason may stay empty. Escape takes it back. */
export function ReasonButton({ word, label = word, hint, keepWord, isPending, onReason }: ReasonButtonProps) {
  const [isAsking, setAsking] = useState(false);
  if (!isAsking) {
    return (
      <ActButton aria-label={label} className="button px-2.5 py-1 text-xs" isBusy={isPending} onClick={() => setAsking(true)}>
        {word}
      </ActButton>
    );
  }
  return (
    <Form
      onSubmit={(fields) => onReason(fields.text('reason') || null)}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.preventDefault();
        setAsking(false);
      }}
      className="flex min-w-64 max-w-xl grow flex-wrap items-center gap-2"
    >
      <input
        name="reason"
        // biome-ignore lint/a11y/noAutofocus: whoever pressed the button is about to write here
        autoFocus
        aria-label="Reason"
        maxLength={1000}
        className="field min-w-40 grow text-sm"
        placeholder={hint}
      />
      <ActButton type="submit" className="button border-accent px-2.5 py-1 text-xs" isBusy={isPending}>
        {word}
      </ActButton>
      <button type="button" className="button px-2.5 py-1 text-xs" onClick={() => setAsking(false)}>
        {keepWord}
      </button>
    </Form>
  );
}
