import type { TalkLine, WhoTalks } from '../../relay/talk.ts';

const SIZE = 640;
const MIDDLE = SIZE / 2;
const RADIUS = 230;
/** So many letters of a name fit beside its place. */
const NAME = 14;

interface TalkMapProps {
  readonly talk: WhoTalks;
  /** What was said after this is told apart. */
  readonly freshAfter: number;
}

/** Who talks to whom, on a circle: the thicker a line, the more was said; what was said last is in colour. The table beside it says the same. */
export function TalkMap({ talk: { talkers, lines }, freshAfter }: TalkMapProps) {
  const places = new Map(talkers.map(({ id }, index) => [id, placeAt(index, talkers.length)]));
  return (
    <svg viewBox={`0 0 ${SIZE} ${SIZE}`} aria-hidden="true" className="mx-auto aspect-square max-h-full w-full max-w-3xl">
      {lines.map((line) => (
        <Line key={`${line.from}/${line.to}`} line={line} places={places} isFresh={line.lastAt > freshAfter} />
      ))}
      {talkers.map(({ id, isGroup, count }) => {
        const place = places.get(id) ?? origin;
        const isLeft = place.x < MIDDLE - 1;
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
              {id.length > NAME ? `${id.slice(0, NAME - 1)}…` : id}
            </text>
          </g>
        );
      })}
    </svg>
  );
}

interface Place {
  readonly x: number;
  readonly y: number;
}

const origin: Place = { x: MIDDLE, y: MIDDLE };

function placeAt(index: number, count: number): Place {
  const angle = (index / Math.max(1, count)) * 2 * Math.PI - Math.PI / 2;
  return { x: MIDDLE + RADIUS * 0.82 * Math.cos(angle), y: MIDDLE + RADIUS * Math.sin(angle) };
}

interface LineProps {
  readonly line: TalkLine;
  readonly places: ReadonlyMap<string, Place>;
  readonly isFresh: boolean;
}

/** Bent to its right, so that what is answered lies beside it. */
function Line({ line: { from, to, count }, places, isFresh }: LineProps) {
  const [start, end] = [places.get(from) ?? origin, places.get(to) ?? origin];
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
