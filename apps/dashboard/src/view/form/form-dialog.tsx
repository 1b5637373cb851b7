import { type ReactNode, useRef } from 'react';
import { lazyPart } from '../lazy-page.tsx';

const DialogBox = lazyPart(async () => (await import('./dialog-box.tsx')).DialogBox);

interface FormDialogProps {
  /** What the button that opens it says. */
  readonly open: string;
  /** Which of several such buttons it is, for those who do not see where it stands. */
  readonly label?: string | undefined;
  readonly title: string;
  /** For those who do not see where it stands. */
  readonly description: string;
  readonly place: string;
  /** How the button looks beside others. */
  readonly look?: string;
  readonly isOpen: boolean;
  readonly onOpenChange: (isOpen: boolean) => void;
  readonly children: ReactNode;
}

/** A button, and the dialog that it opens. */
export function FormDialog({ open, label, look = 'button px-2 py-0.5 text-xs', isOpen, onOpenChange, ...box }: FormDialogProps) {
  const opener = useRef<HTMLButtonElement>(null);
  return (
    <>
      <button
        ref={opener}
        type="button"
        aria-label={label}
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        className={look}
        onClick={() => onOpenChange(true)}
      >
        {open}
      </button>
      {isOpen ? <DialogBox {...box} opener={opener} onClose={() => onOpenChange(false)} /> : null}
    </>
  );
}
