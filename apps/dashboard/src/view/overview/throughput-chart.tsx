import { useNow } from '../../live/use-connection.ts';
import { useLive } from '../../live/use-live.ts';
import { lastSeconds, SHOWN_SECONDS, throughputView } from '../../relay/throughput.ts';

const HEIGHT = 48;
/** An average over so many seconds is what is told in words. */
const AVERAGED = 10;

/** How much is said now, and was in the last minute. */
export function ThroughputChart() {
  const { data } = useLive(throughputView);
  const now = useNow(1_000);
  if (data === undefined) return <p className="text-soft">Reading…</p>;
  const seconds = lastSeconds(data, now);
  const most = Math.max(1, ...seconds);
  const rate = seconds.slice(-AVERAGED).reduce((sum, count) => sum + count, 0) / AVERAGED;
  const words = rate === 0 ? 'Nothing is said just now' : `${rate < 10 ? rate.toFixed(1) : Math.round(rate)} messages a second`;
  return (
    <figure className="grid gap-1">
      <figcaption className="flex items-baseline gap-2">
        <span className="font-semibold tabular-nums">{words}</span>
        <span className="grow" />
        <span className="text-soft text-xs">the last minute</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${SHOWN_SECONDS} ${HEIGHT}`}
        preserveAspectRatio="none"
        className="h-12 w-full rounded bg-raised"
        aria-hidden="true"
      >
        {seconds.map((count, index) => {
          const height = (count / most) * HEIGHT;
          return <rect key={index} x={index + 0.1} y={HEIGHT - height} width={0.8} height={height} className="fill-accent" />;
        })}
      </svg>
    </figure>
  );
}
