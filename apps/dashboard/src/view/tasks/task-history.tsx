import type { TaskEvent } from 'agent-relay-protocol';
import { useList } from '../../live/use-list.ts';
import { taskHistoryView } from '../../relay/tasks.ts';
import { Ago } from '../ago.tsx';
import { Section } from '../detail-pane.tsx';
import { progressLine } from '../json-view.tsx';
import { Problem } from '../problem.tsx';
import { taskEventWord } from './task-looks.tsx';

/** Repeated reports in a row are one line. */
interface Step {
  readonly event: TaskEvent;
  readonly repeats: number;
}

export function TaskHistory({ id }: { readonly id: number }) {
  const history = useList(taskHistoryView(id));
  return (
    <Section title="History">
      <Problem error={history.error} onRetry={history.readAgain} />
      <ol className="grid gap-1.5">
        {foldRepeats(history.all).map((step) => (
          <StepLine key={step.event.seq} {...step} />
        ))}
      </ol>
    </Section>
  );
}

function StepLine({ event, repeats }: Step) {
  const isRepeat = event.type === 'task.repeated';
  return (
    <li className="grid grid-cols-[4.5rem_minmax(0,1fr)] gap-x-3">
      <span className="text-soft text-xs leading-6">
        <Ago at={event.lastAt} />
      </span>
      <div className="min-w-0 [overflow-wrap:anywhere]">
        <span className="font-medium">{taskEventWord(event.type)}</span>
        {repeats > 1 ? ` ${repeats} times` : ''} <span className="text-soft">by {event.by}</span>
        {event.detail === null || isRepeat ? null : <span className="text-soft">: {progressLine(event.detail)}</span>}
      </div>
    </li>
  );
}

/** Reports that follow each other tell nothing one by one: the last of them, and how many there were. */
export function foldRepeats(events: readonly TaskEvent[]): readonly Step[] {
  const steps: Step[] = [];
  for (const event of events) {
    const last = steps.at(-1);
    const continues = last?.event.type === 'task.repeated' && event.type === 'task.repeated' && last.event.by === event.by;
    if (last && continues) steps[steps.length - 1] = { event, repeats: last.repeats + event.count };
    else steps.push({ event, repeats: event.count });
  }
  return steps;
}
