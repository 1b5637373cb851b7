import { useRouter } from '@tanstack/react-router';
import { type KeyboardEvent, type RefObject, useState } from 'react';
import { useList } from '../../live/use-list.ts';
import { agentsView, isShownAgent } from '../../relay/agents.ts';
import { DialogBox } from '../form/dialog-box.tsx';
import { keptViews } from '../saved-views/saved-views.ts';
import { type PaletteEntry, placesFor } from './places.ts';

interface PaletteBoxProps {
  readonly opener: RefObject<HTMLElement | null>;
  readonly onClose: () => void;
}

/** The open palette. */
export const PaletteBox = ({ opener, onClose }: PaletteBoxProps) => (
  <DialogBox
    title="Go to"
    isTitleHidden
    description="Leads to a page, an agent, a message or a task by its name."
    place="top-24 w-[32rem]"
    opener={opener}
    onClose={onClose}
  >
    <Places onDone={onClose} />
  </DialogBox>
);

function Places({ onDone }: { readonly onDone: () => void }) {
  const router = useRouter();
  const agents = useList(agentsView).all.filter(isShownAgent);
  const [words, setWords] = useState('');
  const [index, setIndex] = useState(0);
  const [views] = useState(keptViews);
  const places = placesFor(words, agents, views);
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
