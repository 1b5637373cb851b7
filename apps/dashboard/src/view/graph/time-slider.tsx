import { useEffect, useState } from 'react';
import { formatDate, formatTime } from '../format.ts';

const STEPS = 100;
const STEP_MS = 60;

interface TimeSliderProps {
  readonly first: number;
  readonly last: number;
  /** What the end is called: `now`, where more may come. */
  readonly end: string;
  /** Up to when; null for the end, whatever comes. */
  readonly until: number | null;
  readonly onUntil: (until: number | null) => void;
  /** What is marked on it, in the order of time. */
  readonly marks?: readonly { readonly at: number }[];
}

/** Leads through a stretch of time, by hand or by itself. */
export function TimeSlider({ first, last, end, until, onUntil, marks = [] }: TimeSliderProps) {
  const [isPlaying, setPlaying] = useState(false);
  const at = until ?? last;
  const step = Math.max(1, (last - first) / STEPS);
  useEffect(() => {
    if (!isPlaying) return;
    const timer = setTimeout(() => {
      if (at + step < last) return onUntil(at + step);
      setPlaying(false);
      onUntil(null);
    }, STEP_MS);
    return () => clearTimeout(timer);
  }, [isPlaying, at, step, last, onUntil]);
  const play = () => {
    if (!isPlaying && until === null) onUntil(first);
    setPlaying(!isPlaying);
  };
  return (
    <div className="flex items-center gap-3 text-xs">
      <button type="button" className="button px-2.5 py-1 text-xs" onClick={play} disabled={first === last}>
        {isPlaying ? 'Pause' : 'Replay'}
      </button>
      <div className="grid min-w-0 grow">
        <Marks places={placesOf(marks, { first, last })} />
        <input
          type="range"
          aria-label="Up to"
          aria-valuetext={until === null ? end : formatDate(at)}
          className="min-w-0"
          min={first}
          max={last}
          step={step}
          value={at}
          onChange={({ target }) => {
            setPlaying(false);
            const next = Number(target.value);
            onUntil(next >= last - step ? null : next);
          }}
        />
      </div>
      <time className="w-20 text-right tabular-nums" dateTime={new Date(at).toISOString()} title={formatDate(at)}>
        {until === null ? end : formatTime(at)}
      </time>
    </div>
  );
}

/** In hundredths of the way, each once. */
function placesOf(marks: readonly { readonly at: number }[], { first, last }: { readonly first: number; readonly last: number }) {
  return [...new Set(marks.map(({ at }) => (last === first ? 0 : Math.round((100 * (at - first)) / (last - first)))))];
}

/** The table beside the map tells what they are. */
function Marks({ places }: { readonly places: readonly number[] }) {
  if (places.length === 0) return null;
  return (
    <span aria-hidden="true" className="relative mx-2 block h-1.5">
      {places.map((place) => (
        <span key={place} data-mark={place} className="absolute h-1.5 w-0.5 bg-accent" style={{ left: `${place}%` }} />
      ))}
    </span>
  );
}
