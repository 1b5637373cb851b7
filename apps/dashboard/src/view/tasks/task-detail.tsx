import { Link } from '@tanstack/react-router';
import type { Task } from 'agent-relay-protocol';
import { useLive } from '../../live/use-live.ts';
import { isEndedTask, taskView } from '../../relay/tasks.ts';
import { AgentLink } from '../agent-link.tsx';
import { Ago } from '../ago.tsx';
import { DetailPane, FactList, Section } from '../detail-pane.tsx';
import { JsonView, ProgressView } from '../json-view.tsx';
import { Problem } from '../problem.tsx';
import { TakeBack, type TakingBack, useTakeBack } from '../take-back.tsx';
import { EndTask } from './end-task.tsx';
import { Lease } from './lease.tsx';
import { TaskCallbacks } from './task-callbacks.tsx';
import { TaskHistory } from './task-history.tsx';
import { Severity, TaskStatusMark } from './task-looks.tsx';
import { useEndTask } from './use-end-task.ts';

export function TaskDetail({ id }: { readonly id: number }) {
  const { data: task, error, readAgain } = useLive(taskView(id));
  const end = useEndTask(task);
  const takeBack = useTakeBack(task?.claimId ?? null);
  if (task === undefined) {
    return (
      <DetailPane label={`Task ${id}`} title={`Task ${id}`} back="/tasks">
        <div className="p-4">{error ? <Problem error={error} onRetry={readAgain} /> : <p className="text-soft">Reading…</p>}</div>
      </DetailPane>
    );
  }
  return (
    <DetailPane
      label={`Task ${id}`}
      title={task.title}
      back="/tasks"
      subtitle={<Subtitle task={task} status={end.expected ?? (takeBack.isExpected ? 'open' : task.status)} />}
      actions={<EndTask task={task} end={end} />}
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled by keys as well */}
      <div tabIndex={0} className="grid min-h-0 grid-cols-[minmax(0,1fr)] content-start gap-5 overflow-y-auto p-4">
        {task.body === '' || task.body === task.title ? null : <p className="whitespace-pre-wrap [overflow-wrap:anywhere]">{task.body}</p>}
        <TaskFacts task={task} takeBack={takeBack} />
        {task.progress === null ? null : (
          <Section title="Progress">
            <ProgressView value={task.progress} />
          </Section>
        )}
        {task.result === null ? null : (
          <Section title="Result">
            <JsonView value={task.result} />
          </Section>
        )}
        <Metadata metadata={task.metadata} />
        <TaskHistory id={id} />
        <TaskCallbacks task={task} />
      </div>
    </DetailPane>
  );
}

function Subtitle({ task, status }: { readonly task: Task; readonly status: Task['status'] }) {
  return (
    <p className="flex flex-wrap items-center gap-x-3 gap-y-1 text-xs">
      <TaskStatusMark status={status} />
      <Severity severity={task.severity} />
      <Link to="/messages/$messageId" params={{ messageId: String(task.id) }} className="text-accent hover:underline">
        Open its message
      </Link>
      {task.externalUrl !== null && /^https?:/u.test(task.externalUrl) ? (
        <a href={task.externalUrl} target="_blank" rel="noopener noreferrer" className="text-accent hover:underline">
          Open at {task.source} ↗
        </a>
      ) : null}
    </p>
  );
}

function TaskFacts({ task, takeBack }: { readonly task: Task; readonly takeBack: TakingBack }) {
  return (
    <FactList
      facts={[
        ['Source', task.source],
        ['Offered to', task.target.replace(/^id:/u, '')],
        ['Channel', task.channel === null ? null : `#${task.channel}`],
        ['Held by', task.claimedBy === null ? null : <Holder key="holder" task={task} holder={task.claimedBy} takeBack={takeBack} />],
        ['Type', task.type],
        ['Reported', task.occurrenceCount === 1 ? 'once' : `${task.occurrenceCount} times`],
        ['Last seen', <Ago key="seen" at={task.lastSeenAt} />],
        ['First seen', <Ago key="created" at={task.createdAt} />],
        ['Ended', task.endedAt === null ? null : <Ago key="ended" at={task.endedAt} />],
        [
          'Key',
          task.dedupeKey === null ? null : (
            <code key="key" className="font-mono text-xs">
              {task.dedupeKey}
            </code>
          ),
        ],
      ]}
    />
  );
}

interface HolderProps {
  readonly task: Task;
  readonly holder: string;
  readonly takeBack: TakingBack;
}

function Holder({ task: { id, status, source, claimId }, holder, takeBack }: HolderProps) {
  const isHeld = claimId !== null && !isEndedTask({ status });
  return (
    <span className="flex flex-wrap items-center gap-2">
      {takeBack.isExpected ? <span className="text-warn">nobody: it is taken back</span> : <AgentLink id={holder} />}
      {isHeld && !takeBack.isExpected ? <Lease claimId={claimId} /> : null}
      {isHeld ? <TakeBack command={takeBack} holder={holder} from={source} what={`task ${id}`} /> : null}
    </span>
  );
}

function Metadata({ metadata }: Pick<Task, 'metadata'>) {
  if (metadata === null || Object.keys(metadata).length === 0) return null;
  return (
    <Section title="Metadata">
      <FactList facts={Object.entries(metadata).map(([name, value]) => [name, <JsonView key={name} value={value} />] as const)} />
    </Section>
  );
}
