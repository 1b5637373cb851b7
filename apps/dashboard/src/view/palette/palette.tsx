import { useRouter } from '@tanstack/react-router';
import { Dialog } from 'radix-ui';
import { type KeyboardEvent, useEffect, useState } from 'react';
import { useList } from '../../live/use-list.ts';
import { agentsView } from '../../relay/agents.ts';
import { isShownAgent } from '../agent-list.tsx';
import { type PaletteEntry, placesFor } from './places.ts';

/** Leads anywhere by its name: ⌘K or Ctrl+K opens it. */
export function Palette() {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.metaKey || event.ctrlKey) || event.altKey || event.shiftKey) return;
      event.preventDefault();
      setOpen((is) => !is);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
  return (
    <Dialog.Root open={isOpen} onOpenChange={setOpen}>
      <Dialog.Trigger className="rounded px-1 text-soft hover:text-ink" aria-label="Go to…" title="Go anywhere (Ctrl+K or ⌘K)">
        <span className="hidden sm:inline">Go to…</span>
        <span className="text-base leading-none sm:hidden">⌕</span>
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 bg-black/50" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed top-24 left-1/2 w-[32rem] max-w-[92vw] -translate-x-1/2 rounded-xl border border-line bg-panel p-3 shadow-xl"
        >
          <Dialog.Title className="sr-only">Go to</Dialog.Title>
          <Places onDone={() => setOpen(false)} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Places({ onDone }: { readonly onDone: () => void }) {
  const router = useRouter();
  const agents = useList(agentsView).all.filter(isShownAgent);
  const [words, setWords] = useState('');
  const [index, setIndex] = useState(0);
  const places = placesFor(words, agents);
  const chosen = places[Math.min(index, places.length - 1)];
  const go = (place: PaletteEntry) => {
    onDone();
    router.history.push(place.path);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setIndex((now) => Math.min(places.length - 1, Math.max(0, now + step)));
    } else if (event.key === 'Enter' && chosen !== undefined && !event.nativeEvent.isComposing) {
      event.preventDefault();
      go(chosen);
    }
  };
  return (
    <>
      <input
        aria-label="Go to"
        role="combobox"
        aria-expanded="true"
        aria-controls="places"
        aria-activedescendant={chosen === undefined ? undefined : `place-${chosen.key}`}
        className="field w-full"
        placeholder="A page, an agent, a number, words of a task"
        value={words}
        onChange={({ target }) => {
          setWords(target.value);
          setIndex(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div id="places" role="listbox" tabIndex={-1} aria-label="Places" className="mt-2 grid max-h-80 overflow-y-auto">
        {places.map((place) => (
          <button
            type="button"
            tabIndex={-1}
            key={place.key}
            id={`place-${place.key}`}
            role="option"
            aria-selected={place === chosen}
            className={`flex justify-between gap-3 rounded-lg px-3 py-1.5 text-left ${place === chosen ? 'bg-raised' : ''}`}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => go(place)}
          >
            <span className="min-w-0 truncate">{place.word}</span>
            <span className="shrink-0 text-soft text-xs">{place.hint}</span>
          </button>
        ))}
      </div>
    </>
  );
}
