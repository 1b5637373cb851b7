import { Dialog } from 'radix-ui';
import type { ReactNode } from 'react';

interface FormDialogProps {
  /** What the button that opens it says. */
  readonly open: string;
  readonly title: string;
  /** For those who do not see where it stands. */
  readonly description: string;
  readonly place: string;
  readonly isOpen: boolean;
  readonly onOpenChange: (isOpen: boolean) => void;
  readonly children: ReactNode;
}

/** A button, and the dialog that it opens. */
export const FormDialog = ({ open, title, description, place, isOpen, onOpenChange, children }: FormDialogProps) => (
  <Dialog.Root open={isOpen} onOpenChange={onOpenChange}>
    <Dialog.Trigger className="button px-2 py-0.5 text-xs">{open}</Dialog.Trigger>
    <Dialog.Portal>
      <Dialog.Overlay className="fixed inset-0 bg-black/50" />
      <Dialog.Content
        className={`fixed left-1/2 max-w-[92vw] -translate-x-1/2 rounded-xl border border-line bg-panel p-4 shadow-xl sm:p-5 ${place}`}
      >
        <Dialog.Title className="mb-3 font-semibold">{title}</Dialog.Title>
        <Dialog.Description className="sr-only">{description}</Dialog.Description>
        {children}
      </Dialog.Content>
    </Dialog.Portal>
  </Dialog.Root>
);
