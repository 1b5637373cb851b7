import { type ReactNode, useEffect, useRef } from 'react';

/** What came of something that is no longer where it was: the row has moved, so the words and the focus are here. */
export function NoticeBox({ children, onClose }: { readonly children: ReactNode; readonly onClose: () => void }) {
  const self = useRef<HTMLParagraphElement>(null);
  useEffect(() => self.current?.focus({ preventScroll: true }), []);
  return (
    <p ref={self} tabIndex={-1} role="status" className="flex items-center gap-2 rounded-lg bg-raised px-2.5 py-1 text-xs">
      <span>{children}</span>
      <button type="button" aria-label="Close the notice" className="text-soft hover:text-ink" onClick={onClose}>
        ✕
      </button>
    </p>
  );
}
