import { Link, useNavigate } from '@tanstack/react-router';
import { relayEventTypes } from 'agent-relay-protocol';
import { useList } from '../../live/use-list.ts';
import { useMayCall } from '../../live/use-live.ts';
import { agentsView } from '../../relay/agents.ts';
import { type LogFilter, readEventFilter } from '../../relay/event-filter.ts';
import { LOG_STEP, type ReadLog, useLog } from '../../relay/use-log.ts';
import { Narrow } from '../form/narrow.tsx';
import { Problem } from '../problem.tsx';
import { VirtualList } from '../virtual-list.tsx';
import { LoggedEvent } from './logged-event.tsx';

/** The log itself: what happened, in order, as it is told to programs. */
export function EventsPage({ filter }: { readonly filter: LogFilter }) {
  const log = useLog(filter);
  const { events, error, from, oldest, isRead } = log;
  const isNarrowed = filter.type !== undefined || filter.agent !== undefined || filter.channel !== undefined;
  return (
    <main className="grid min-h-0 grid-cols-[minmax(0,1fr)] grid-rows-[auto_minmax(0,1fr)]">
      <EventTools filter={filter} log={log} />
      <VirtualList
        key={JSON.stringify(filter)}
        kind="log"
        label="Events"
        items={events}
        keyOf={({ key }) => key}
        rowHeight={32}
        row={({ key, event }) => <LoggedEvent name={key} event={event} />}
        header={from !== null && from > oldest ? <Earlier filter={filter} from={from} oldest={oldest} /> : null}
        empty={
          <div className="p-6 text-center text-soft">
            {error !== null ? <Problem error={error} /> : !isRead ? 'Reading…' : isNarrowed ? 'No event fits.' : 'Nothing happened yet.'}
          </div>
        }
      />
    </main>
  );
}

const Earlier = ({ filter, from, oldest }: { readonly filter: LogFilter; readonly from: number; readonly oldest: number }) => (
  <p className="py-2 text-center text-xs">
    <Link to="/events" search={{ ...filter, after: Math.max(oldest, from - LOG_STEP) }} className="text-accent hover:underline">
      From further back
    </Link>
  </p>
);

const nouns = [...new Set(relayEventTypes.map((type) => type.slice(0, type.indexOf('.'))))];

/** What narrows the log, and its cursor. */
function EventTools({ filter, log }: { readonly filter: LogFilter; readonly log: ReadLog }) {
  const navigate = useNavigate();
  const agents = useList(agentsView).all;
  const set = (name: keyof LogFilter, value: string) =>
    void navigate({
      to: '/events',
      search: (before) => readEventFilter({ ...before, [name]: name === 'after' && value !== '' ? Number(value) : value }),
      replace: true,
    });
  const field = 'field min-w-0 text-xs';
  return (
    <header className="border-line border-b bg-panel">
      <div className="measure flex flex-wrap items-center gap-2 px-4 py-1.5 text-xs">
        <h2 className="font-semibold text-sm">Events</h2>
        <span className="text-soft tabular-nums" title="The cursor: what is read after it is new">
          at {log.cursor}
        </span>
        {useMayCall('audit/list') ? (
          <Link to="/audit" className="text-accent hover:underline">
            Audit
          </Link>
        ) : null}
        <span className="grow max-sm:hidden" />
        <Narrow label="Kind" list={[...nouns, ...relayEventTypes]} value={filter.type} onSet={(value) => set('type', value)} />
        <Narrow label="Agent" list={agents.map(({ id }) => id)} value={filter.agent} onSet={(value) => set('agent', value)} />
        <Narrow label="Channel" list={[]} value={filter.channel} onSet={(value) => set('channel', value)} />
        <input
          type="number"
          min={0}
          aria-label="After"
          className={`${field} w-28 max-sm:w-20 max-sm:grow`}
          placeholder="after…"
          key={filter.after}
          defaultValue={filter.after ?? ''}
          onBlur={({ target }) => set('after', target.value)}
          onKeyDown={({ key, currentTarget }) => key === 'Enter' && set('after', currentTarget.value)}
        />
      </div>
    </header>
  );
}
