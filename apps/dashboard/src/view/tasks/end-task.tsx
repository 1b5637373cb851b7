import type { Task } from 'agent-relay-protocol';
import { type FormEvent, useState } from 'react';
import { isEndedTask } from '../../relay/collections.ts';
import { mayEndTask } from '../../relay/permissions.ts';
import type { EndTaskRequest } from '../../relay/requests.ts';
import { useMe } from '../../relay/use-relay.ts';
import { useEndTask } from '../../relay/use-tasks.ts';
import { Problem } from '../problem.tsx';

const endings = [
  { status: 'done', word: 'Done', question: 'What came of it?' },
  { status: 'failed', word: 'Failed', question: 'What went wrong?' },
  { status: 'canceled', word: 'Cancel', question: 'Why is it not needed?' },
] as const satisfies readonly { status: EndTaskRequest['status']; word: string; question: string }[];

/** Ends a task whoever holds it: the owner's, and its source's. */
export function EndTask({ task }: { readonly task: Task }) {
  const { data: me } = useMe();
  const [chosen, setChosen] = useState<EndTaskRequest['status'] | null>(null);
  const end = useEndTask();
  if (isEndedTask(task) || me === undefined) return null;
  if (!mayEndTask(me, task.source)) {
    return <p className="text-soft text-xs">Its holder, its source and the owner may end it.</p>;
  }
  const ending = endings.find(({ status }) => status === chosen);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const result = String(new FormData(event.currentTarget).get('result') ?? '').trim();
    if (ending) end.mutate({ id: task.id, status: ending.status, ...(result === '' ? {} : { result }) });
  };
  return (
    <form onSubmit={submit} className="grid gap-2">
      <div className="flex flex-wrap gap-2">
        {endings.map(({ status, word }) => (
          <button
            key={status}
            type="button"
            aria-expanded={chosen === status}
            className={`button px-2 py-0.5 text-xs ${chosen === status ? 'border-accent' : ''}`}
            onClick={() => setChosen(chosen === status ? null : status)}
          >
            {word}
          </button>
        ))}
      </div>
      {ending ? (
        <div className="flex items-end gap-2">
          <label className="grid grow gap-1 text-soft text-xs">
            {ending.question}
            <textarea
              key={ending.status}
              name="result"
              rows={2}
              className="field text-ink text-sm"
              placeholder="Its source is told; may stay empty"
            />
          </label>
          <button type="submit" className="button button-main" disabled={end.isPending}>
            {end.isPending ? 'Ending…' : `End as ${ending.status}`}
          </button>
        </div>
      ) : null}
      {ending && task.claimedBy !== null ? <p className="text-warn text-xs">{task.claimedBy} holds it and loses its claim.</p> : null}
      <Problem error={end.error} />
    </form>
  );
}
