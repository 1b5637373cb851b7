import type { Task } from 'agent-relay-protocol';
import { useState } from 'react';
import { mayEndTask } from '../../live/permissions.ts';
import { useMe } from '../../live/use-live.ts';
import { isEndedTask } from '../../relay/tasks.ts';
import { ActButton } from '../act-button.tsx';
import { Form } from '../form/form.tsx';
import { Labelled } from '../form/labelled.tsx';
import { Problem } from '../problem.tsx';
import type { TaskEnd } from './use-end-task.ts';

const endings = [
  { status: 'done', word: 'Done', question: 'What came of it?' },
  { status: 'failed', word: 'Failed', question: 'What went wrong?' },
  { status: 'canceled', word: 'Cancel', question: 'Why is it not needed?' },
] as const;
type Ending = (typeof endings)[number];

interface EndTaskProps {
  readonly task: Task;
  readonly end: TaskEnd;
}

/** Ends a task whoever holds it: the owner's, and its source's. */
export function EndTask({ task, end }: EndTaskProps) {
  const me = useMe();
  const [chosen, setChosen] = useState<Ending | null>(null);
  if (isEndedTask(task) || me === undefined) return null;
  if (!mayEndTask(me, task.source)) return <p className="text-soft text-xs">Its holder, its source and the owner may end it.</p>;
  return (
    <Form
      // What was written is there again should the relay not take it.
      className={end.expected === null ? 'grid gap-2' : 'hidden'}
      onSubmit={(fields) => chosen && end.run({ id: task.id, status: chosen.status, ...fields.optional('result') })}
    >
      <div className="flex flex-wrap gap-2">
        {endings.map((ending) => (
          <button
            key={ending.status}
            type="button"
            aria-expanded={chosen === ending}
            className={`button px-2 py-0.5 text-xs ${chosen === ending ? 'border-accent' : ''}`}
            onClick={() => setChosen(chosen === ending ? null : ending)}
          >
            {ending.word}
          </button>
        ))}
      </div>
      {chosen === null ? null : <ResultField ending={chosen} />}
      {chosen !== null && task.claimedBy !== null ? (
        <p className="text-warn text-xs">{task.claimedBy} holds it and loses its claim.</p>
      ) : null}
      <Problem error={end.error} />
    </Form>
  );
}

const ResultField = ({ ending: { status, question } }: { readonly ending: Ending }) => (
  <div className="flex items-end gap-2">
    <Labelled text={question} place="grow">
      <textarea key={status} name="result" rows={2} className="field text-ink text-sm" placeholder="Its source is told; may stay empty" />
    </Labelled>
    <ActButton type="submit" className="button button-main">
      End as {status}
    </ActButton>
  </div>
);
