import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useList } from '../../live/use-list.ts';
import { messagesView } from '../../relay/messages.ts';
import { type Talker, type TalkLine, talkOf, type WhoTalks } from '../../relay/talk.ts';
import { ActButton } from '../act-button.tsx';
import { AgentLink } from '../agent-link.tsx';
import { Ago } from '../ago.tsx';
import { Problem } from '../problem.tsx';
import { Empty } from '../split-page.tsx';
import { TalkMap } from './talk-map.tsx';
import { TimeSlider } from './time-slider.tsx';

const everything = messagesView({});
/** The last part of the time shown counts as fresh. */
const FRESH = 0.1;

/** Who talks to whom, and how it came to be. */
export function GraphPage() {
  const messages = useList(everything);
  const { status, all, error, readAgain, older, isWhole } = messages;
  const [until, setUntil] = useState<number | null>(null);
  const first = all[0]?.createdAt ?? 0;
  const last = all.at(-1)?.createdAt ?? 0;
  const talk = useMemo(() => talkOf(all, until ?? Number.POSITIVE_INFINITY), [all, until]);
  const upTo = until ?? last;
  return (
    <main className="grid min-h-0 grid-cols-[minmax(0,1fr)] grid-rows-[auto_minmax(0,1fr)]">
      <header className="grid gap-2 border-line border-b bg-panel px-4 py-2">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-xs">
          <h2 className="font-semibold text-sm">Who talks to whom</h2>
          <span className="text-soft" role="status">
            {status === 'ready' ? `in the newest ${all.length} messages` : status === 'reading' ? 'Reading…' : ''}
            {talk.omitted > 0 ? `; the ${talk.omitted} quietest are left out` : ''}
          </span>
          <span className="grow" />
          {status === 'ready' && !isWhole ? (
            <ActButton className="button px-2 py-0.5 text-xs" isBusy={older.isPending} onClick={() => older.run()}>
              {older.isPending ? 'Reading…' : 'From further back'}
            </ActButton>
          ) : null}
          <Link to="/messages" className="text-accent hover:underline">
            Messages
          </Link>
        </div>
        {all.length > 0 ? <TimeSlider first={first} last={last} until={until} onUntil={setUntil} /> : null}
        <Problem error={error ?? older.error} onRetry={readAgain} />
      </header>
      {status === 'refused' ? <Empty title="This token may not read messages." /> : null}
      {status === 'ready' && all.length === 0 ? <Empty title="Nothing was said yet." /> : null}
      {talk.talkers.length > 0 ? (
        <div className="grid min-h-0 grid-cols-[minmax(0,1fr)] overflow-y-auto lg:grid-cols-[minmax(0,1fr)_22rem] lg:overflow-hidden">
          <div className="min-h-0 p-2">
            <TalkMap talk={talk} freshAfter={upTo - (upTo - first) * FRESH - 1} />
          </div>
          <Lines talk={talk} />
        </div>
      ) : null}
    </main>
  );
}

function Lines({ talk: { talkers, lines } }: { readonly talk: WhoTalks }) {
  const groups = new Set(talkers.filter(({ isGroup }) => isGroup).map(({ id }: Talker) => id));
  return (
    <section aria-label="Who talks most" className="min-h-0 border-line border-t bg-panel lg:overflow-y-auto lg:border-t-0 lg:border-l">
      <table className="w-full text-xs">
        <thead className="text-left text-soft">
          <tr>
            <th className="px-3 py-1.5 font-medium">From</th>
            <th className="px-3 py-1.5 font-medium">To</th>
            <th className="px-3 py-1.5 text-right font-medium">Said</th>
            <th className="px-3 py-1.5 text-right font-medium">Last</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <Row key={`${line.from}/${line.to}`} line={line} isToGroup={groups.has(line.to)} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

const Row = ({ line: { from, to, count, lastAt }, isToGroup }: { readonly line: TalkLine; readonly isToGroup: boolean }) => (
  <tr className="border-line border-t" data-talk={`${from}/${to}`}>
    <td className="px-3 py-1.5 [overflow-wrap:anywhere]">
      <AgentLink id={from} />
    </td>
    <td className="px-3 py-1.5 [overflow-wrap:anywhere]">{isToGroup ? to : <AgentLink id={to} />}</td>
    <td className="px-3 py-1.5 text-right tabular-nums">
      <Link to="/messages" search={{ from, to: isToGroup ? to : `id:${to}` }} className="hover:underline">
        {count}
      </Link>
    </td>
    <td className="px-3 py-1.5 text-right text-soft">
      <Ago at={lastAt} />
    </td>
  </tr>
);
