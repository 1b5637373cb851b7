import { type RefObject, useLayoutEffect, useRef, useState } from 'react';
import type { TalkLine, WhoTalks } from '../../relay/talk.ts';

/** Drawn for so much room at most; a wide window shows it larger. */
const SIZE = 640;
/** A letter of a name is about so wide. */
const LETTER = 7.5;

interface TalkMapProps {
  readonly talk: WhoTalks;
  /** What was said after this is told apart. */
  readonly freshAfter: number;
}

/** Who talks to whom, on a circle: the thicker a line, the more was said; what was said last is in colour. The table beside it says the same. */
export function TalkMap({ talk: { talkers, lines }, freshAfter }: TalkMapProps) {
  const room = useRef<HTMLDivElement>(null);
  const field = fieldFor(useWidth(room));
  const places = new Map(talkers.map(({ id }, index) => [id, placeAt(field, index / talkers.length)]));
  return (
    <div ref={room} className="mx-auto grid h-full w-full max-w-3xl items-center">
      <svg viewBox={`0 0 ${field.width} ${field.height}`} aria-hidden="true" className="max-h-full w-full">
        {lines.map((line) => (
          <Line key={`${line.from}/${line.to}`} line={line} places={places} isFresh={line.lastAt > freshAfter} />
        ))}
        {talkers.map(({ id, isGroup, count }) => {
          const place = places.get(id) ?? nowhere;
          const isLeft = place.x < field.width / 2 - 1;
          const reach = 8 + Math.min(10, Math.log2(count + 1) * 1.5);
          return (
            <g key={id} data-talker={id}>
              <title>{`${id}: ${count}`}</title>
              {isGroup ? (
                <rect
                  x={place.x - reach / 1.3}
                  y={place.y - reach / 1.3}
                  width={reach * 1.5}
                  height={reach * 1.5}
                  rx={3}
                  className="fill-raised stroke-soft"
                />
              ) : (
                <circle cx={place.x} cy={place.y} r={reach} className="fill-panel stroke-accent stroke-2" />
              )}
              <text
                x={place.x + (isLeft ? -reach - 6 : reach + 6)}
                y={place.y + 4}
                textAnchor={isLeft ? 'end' : 'start'}
                className="fill-ink text-[13px]"
              >
                {id.length > field.letters ? `${id.slice(0, field.letters - 1)}…` : id}
              </text>
            </g>
          );
        })}
      </svg>
    </div>
  );
}

interface Place {
  readonly x: number;
  readonly y: number;
}

const nowhere: Place = { x: 0, y: 0 };

interface Field {
  readonly width: number;
  readonly height: number;
  readonly radius: Place;
  /** So many letters of a name fit beside its place. */
  readonly letters: number;
}

/** In a narrow window the circle gives way, and not the size of the letters: it is higher than wide. */
export function fieldFor(roomWidth: number): Field {
  const width = Math.max(280, Math.min(SIZE, roomWidth));
  const isNarrow = width < SIZE;
  const height = isNarrow ? Math.max(width, 440) : SIZE;
  const beside = isNarrow ? 108 : 132;
  return {
    width,
    height,
    radius: { x: width / 2 - beside, y: height / 2 - (isNarrow ? 32 : 90) },
    letters: Math.floor((beside - 26) / LETTER),
  };
}

function placeAt({ width, height, radius }: Field, turn: number): Place {
  const angle = turn * 2 * Math.PI - Math.PI / 2;
  return { x: width / 2 + radius.x * Math.cos(angle), y: height / 2 + radius.y * Math.sin(angle) };
}

/** How wide an element is, as it is now. */
function useWidth(element: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(SIZE);
  useLayoutEffect(() => {
    if (!element.current) return;
    const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.round(entry.contentRect.width)));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return width;
}

interface LineProps {
  readonly line: TalkLine;
  readonly places: ReadonlyMap<string, Place>;
  readonly isFresh: boolean;
}

/** Bent to its right, so that what is answered lies beside it. */
function Line({ line: { from, to, count }, places, isFresh }: LineProps) {
  const [start, end] = [places.get(from) ?? nowhere, places.get(to) ?? nowhere];
  const bend = { x: (start.x + end.x) / 2 + (end.y - start.y) * 0.12, y: (start.y + end.y) / 2 - (end.x - start.x) * 0.12 };
  const path =
    from === to ? `M${start.x} ${start.y} c 40 -50 -40 -50 0 0` : `M${start.x} ${start.y} Q${bend.x} ${bend.y} ${end.x} ${end.y}`;
  return (
    <path
      d={path}
      fill="none"
      strokeWidth={1 + Math.min(6, Math.log2(count))}
      className={isFresh ? 'stroke-accent' : 'stroke-soft/40'}
      data-line={`${from}/${to}`}
    />
  );
}
