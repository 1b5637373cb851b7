import { useEffect, useRef, useState } from 'react';
import { lazyPart } from '../lazy-page.tsx';

const PaletteBox = lazyPart(async () => (await import('./palette-places.tsx')).PaletteBox);

/** Leads anywhere by its name: ⌘K or Ctrl+K opens it. */
export function Palette() {
  const [isOpen, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.metaKey || event.ctrlKey) || event.altKey || event.shiftKey) return;
      event.preventDefault();
      setOpen((is) => !is);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
  return (
    <>
      <button
        ref={opener}
        type="button"
        className="rounded px-1 text-soft hover:text-ink"
        aria-label="Go to…"
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        title="Go anywhere (Ctrl+K or ⌘K)"
        onClick={() => setOpen(true)}
      >
        <span className="hidden sm:inline">Go to…</span>
        <span className="text-base leading-none sm:hidden">⌕</span>
      </button>
      {isOpen ? <PaletteBox opener={opener} onClose={() => setOpen(false)} /> : null}
    </>
  );
}
