import { Dialog } from 'radix-ui';
import type { ReactNode, RefObject } from 'react';

export interface DialogBoxProps {
  readonly title: string;
  /** For those who do not see where it stands. */
  readonly description: string;
  readonly place: string;
  /** Has the focus back once it is closed. */
  readonly opener: RefObject<HTMLElement | null>;
  readonly onClose: () => void;
  readonly isTitleHidden?: boolean;
  readonly children: ReactNode;
}

/** A dialog that is open; a script of its own, for the first page needs none. */
export const DialogBox = ({ title, description, place, opener, onClose, isTitleHidden = false, children }: DialogBoxProps) => (
  <Dialog.Root open onOpenChange={onClose}>
    <Dialog.Portal>
      <Dialog.Overlay className="fixed inset-0 bg-black/50" />
      <Dialog.Content
        className={`fixed left-1/2 max-w-[92vw] -translate-x-1/2 rounded-xl border border-line bg-panel p-4 shadow-xl sm:p-5 ${place}`}
        onCloseAutoFocus={(event) => {
          event.preventDefault();
          opener.current?.focus();
        }}
      >
        <Dialog.Title className={isTitleHidden ? 'sr-only' : 'mb-3 font-semibold'}>{title}</Dialog.Title>
        <Dialog.Description className="sr-only">{description}</Dialog.Description>
        {children}
      </Dialog.Content>
    </Dialog.Portal>
  </Dialog.Root>
);
