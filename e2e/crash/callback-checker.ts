import type { RelayEvent, Task } from 'agent-relay-protocol';
import type { Arrival, TaskHistories } from './history.ts';
import { isTaskEvent, type TaskToldEvent } from './task-checker.ts';

/** What a callback says, as its receiver reads it. */
interface Told {
  readonly event: string;
  readonly type: string;
  readonly seq: number;
  readonly task: Task;
}

/** Every broken promise about the callbacks of the integration `source`, in words. */
export function findCallbackViolations(
  arrivals: readonly Arrival[],
  histories: TaskHistories,
  log: readonly RelayEvent[],
  source: string,
): readonly string[] {
  const told = arrivals.map(({ body }): Told => JSON.parse(body)); // what differs from this shape differs from the log, too
  return [...checkKeys(arrivals, told), ...checkContents(told, log, source), ...checkOrder(told), ...checkAcknowledged(told, histories)];
}

/** Each is signed, and named by one key that is always the same body's. */
function* checkKeys(arrivals: readonly Arrival[], told: readonly Told[]): Generator<string> {
  const bodies = new Map<string, string>();
  const keys = new Map<number, string>();
  for (const [index, { key, body, isSigned }] of arrivals.entries()) {
    const seq = told[index]?.seq ?? 0;
    if (!isSigned) yield `callback ${key} is not signed as it must be`;
    if ((bodies.get(key) ?? body) !== body) yield `callback ${key} came with two bodies`;
    if ((keys.get(seq) ?? key) !== key) yield `event ${seq} came under the keys ${keys.get(seq)} and ${key}`;
    bodies.set(key, body);
    keys.set(seq, key);
  }
}

/** Whatever the log tells of the source's tasks arrives, and nothing else. */
function* checkContents(told: readonly Told[], log: readonly RelayEvent[], source: string): Generator<string> {
  const expected = new Map<number, string>();
  const statuses = new Map<number, string>();
  for (const event of log) {
    if (!isTaskEvent(event) || event.task.source !== source) continue;
    const name = callbackNameOf(event, statuses.get(event.task.id));
    statuses.set(event.task.id, event.task.status);
    if (name !== null) expected.set(event.seq, JSON.stringify([name, event.type, event.task]));
  }
  const missing = new Set(expected.keys());
  for (const { seq, event, type, task } of told) {
    missing.delete(seq);
    if (expected.get(seq) !== JSON.stringify([event, type, task]))
      yield `callback ${event} of event ${seq} is ${expected.has(seq) ? 'not what happened' : 'invented'}`;
  }
  for (const seq of missing) yield `event ${seq} of the log was never told: ${expected.get(seq)}`;
}

function callbackNameOf({ type, task }: TaskToldEvent, statusBefore: string | undefined): string | null {
  if (type === 'task.created' || type === 'task.claimed') return type;
  if (type === 'task.repeated') return null;
  return type === 'task.updated' && statusBefore === task.status ? 'task.updated' : 'task.status';
}

/** What arrives of a task for the first time is younger than what arrived before. */
function* checkOrder(told: readonly Told[]): Generator<string> {
  const newest = new Map<number, number>();
  const seen = new Set<number>();
  for (const { seq, task } of told) {
    if (seen.has(seq)) continue;
    seen.add(seq);
    const before = newest.get(task.id) ?? 0;
    if (seq < before) yield `event ${seq} of task ${task.id} came after event ${before}`;
    newest.set(task.id, Math.max(before, seq));
  }
}

/** What a client saw acknowledged is delivered at least once. */
function* checkAcknowledged(told: readonly Told[], { reports, steps }: TaskHistories): Generator<string> {
  const created = new Set<number>();
  const claimed = new Set<string | null>();
  const ended = new Set<string>();
  for (const { type, task } of told) {
    if (type === 'task.created') created.add(task.id);
    if (type === 'task.claimed') claimed.add(task.claimId);
    if (task.endedAt !== null) ended.add(`${task.id} ${task.status}`);
  }
  for (const { answer } of reports) {
    const { id = 0 } = answer?.task ?? {};
    if (answer?.outcome === 'created' && !created.has(id)) yield `nobody was told that task ${id} was created`;
    if (answer?.outcome === 'resolved' && !ended.has(`${id} done`)) yield `nobody was told that task ${id} was resolved`;
  }
  for (const step of steps) {
    if (step.step === 'claimed' && !claimed.has(step.claimId)) yield `nobody was told that ${step.agentId} claimed task ${step.taskId}`;
    if (step.step === 'ended' && !ended.has(`${step.taskId} ${step.status}`))
      yield `nobody was told that task ${step.taskId} was ${step.status}`;
  }
}
