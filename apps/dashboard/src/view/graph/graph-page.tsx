import { Link } from '@tanstack/react-router';
import { type ReactNode, use, useMemo, useState } from 'react';
import { useList } from '../../live/use-list.ts';
import { messagesView } from '../../relay/messages.ts';
import type { RunStep } from '../../relay/recorded-run.ts';
import { type SaidMessage, type Talker, type TalkLine, talkOf, type WhoTalks } from '../../relay/talk.ts';
import { ActButton } from '../act-button.tsx';
import { AgentLink } from '../agent-link.tsx';
import { Ago } from '../ago.tsx';
import { LeadsNowhere } from '../leads-nowhere.ts';
import { Problem } from '../problem.tsx';
import { Empty } from '../split-page.tsx';
import { type OpenRun, OpenRunButton } from './open-run.tsx';
import { RunSteps } from './run-steps.tsx';
import { TalkMap } from './talk-map.tsx';
import { TimeSlider } from './time-slider.tsx';

const everything = messagesView({});
/** The last part of the time shown counts as fresh. */
const FRESH = 0.1;

/** Who talks to whom, and how it came to be: here, or in a run that was recorded. */
export function GraphPage() {
  const [run, setRun] = useState<OpenRun | null>(null);
  return (
    <main className="grid min-h-0 grid-cols-[minmax(0,1fr)] grid-rows-[auto_minmax(0,1fr)]">
      {run === null ? <Here onOpen={setRun} /> : <Recorded run={run} onClose={() => setRun(null)} onOpen={setRun} />}
    </main>
  );
}

interface ToolsProps {
  readonly onOpen: (run: OpenRun) => void;
}

function Here({ onOpen }: ToolsProps) {
  const { status, all, error, readAgain, older, isWhole } = useList(everything);
  const words = status === 'ready' ? `in the newest ${all.length} messages` : status === 'reading' ? 'Reading…' : '';
  return (
    <Talk
      said={all}
      words={words}
      end="now"
      problem={<Problem error={error ?? older.error} onRetry={readAgain} />}
      tools={
        <>
          {status === 'ready' && !isWhole ? (
            <ActButton className="button px-2 py-0.5 text-xs" isBusy={older.isPending} onClick={() => older.run()}>
              {older.isPending ? 'Reading…' : 'From further back'}
            </ActButton>
          ) : null}
          <OpenRunButton onOpen={onOpen} />
          <Link to="/messages" className="text-accent hover:underline">
            Messages
          </Link>
        </>
      }
    >
      {status === 'refused' ? <Empty title="This token may not read messages." /> : null}
      {status === 'ready' && all.length === 0 ? <Empty title="Nothing was said yet." /> : null}
    </Talk>
  );
}

/** Its agents and messages are not those of this relay: nothing of it leads to a page. */
function Recorded({ run: { name, said, steps }, onOpen, onClose }: ToolsProps & { readonly run: OpenRun; readonly onClose: () => void }) {
  return (
    <LeadsNowhere value={true}>
      <Talk
        key={name}
        said={said}
        steps={steps}
        words={`in ${name}: ${said.length} ${said.length === 1 ? 'message' : 'messages'}`}
        end="the end"
        problem={null}
        tools={
          <>
            <OpenRunButton onOpen={onOpen} />
            <button type="button" className="button px-2 py-0.5 text-xs" onClick={onClose}>
              Back to this relay
            </button>
          </>
        }
      >
        {said.length === 0 && steps.length === 0 ? <Empty title="Nothing was said in this run." /> : null}
      </Talk>
    </LeadsNowhere>
  );
}

interface TalkProps {
  readonly said: readonly SaidMessage[];
  /** What was done beside. */
  readonly steps?: readonly RunStep[];
  readonly words: string;
  /** What the end of the time is called. */
  readonly end: string;
  readonly tools: ReactNode;
  readonly problem: ReactNode;
  /** What stands there instead, where nothing was said. */
  readonly children: ReactNode;
}

const noSteps: readonly RunStep[] = [];

function Talk({ said, steps = noSteps, words, end, tools, problem, children }: TalkProps) {
  const [until, setUntil] = useState<number | null>(null);
  const ends = [said[0]?.createdAt, said.at(-1)?.createdAt, steps[0]?.at, steps.at(-1)?.at].filter((at) => at !== undefined);
  const [first, last] = ends.length === 0 ? [0, 0] : [Math.min(...ends), Math.max(...ends)];
  const talk = useMemo(() => talkOf(said, until ?? Number.POSITIVE_INFINITY), [said, until]);
  const upTo = until ?? last;
  return (
    <>
      <header className="grid gap-2 border-line border-b bg-panel px-4 py-2">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-xs">
          <h2 className="font-semibold text-sm">Who talks to whom</h2>
          <span className="text-soft" role="status">
            {words}
            {talk.omitted > 0 ? `; the ${talk.omitted} quietest are left out` : ''}
          </span>
          <span className="grow" />
          {tools}
        </div>
        {ends.length > 0 ? <TimeSlider first={first} last={last} end={end} until={until} onUntil={setUntil} marks={steps} /> : null}
        {problem}
      </header>
      {children}
      {talk.talkers.length > 0 || steps.length > 0 ? (
        <div className="grid min-h-0 grid-cols-[minmax(0,1fr)] overflow-y-auto lg:grid-cols-[minmax(0,1fr)_22rem] lg:overflow-hidden">
          <div className="min-h-0 p-2">
            <TalkMap talk={talk} freshAfter={upTo - (upTo - first) * FRESH - 1} />
          </div>
          <Lines talk={talk}>
            <RunSteps steps={steps} until={upTo} />
          </Lines>
        </div>
      ) : null}
    </>
  );
}

function Lines({ talk: { talkers, lines }, children }: { readonly talk: WhoTalks; readonly children: ReactNode }) {
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
      {children}
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
      <Count count={count} from={from} to={isToGroup ? to : `id:${to}`} />
    </td>
    <td className="px-3 py-1.5 text-right text-soft">
      <Ago at={lastAt} />
    </td>
  </tr>
);

function Count({ count, from, to }: { readonly count: number; readonly from: string; readonly to: string }) {
  if (use(LeadsNowhere)) return count;
  return (
    <Link to="/messages" search={{ from, to }} className="hover:underline">
      {count}
    </Link>
  );
}
