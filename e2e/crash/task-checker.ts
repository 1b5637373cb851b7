import type { RelayEvent, Task } from 'agent-relay-protocol';
import type { Report, TaskHistories } from './history.ts';

export type TaskToldEvent = Extract<RelayEvent, { task: Task }>;

export const isTaskEvent = (event: RelayEvent): event is TaskToldEvent => event.type.startsWith('task.');

/** Every broken promise about tasks, in words. */
export function findTaskViolations(histories: TaskHistories, log: readonly RelayEvent[]): readonly string[] {
  return [
    ...checkLives(log),
    ...checkOffers(histories, log),
    ...checkReports(histories, log),
    ...checkNumbers(histories),
    ...checkClaims(histories, log),
    ...checkEndings(histories, log),
    ...checkLeft(histories, log),
  ];
}

/** One task is active under a key at a time; an ended one does nothing more; its fences only grow. */
function* checkLives(log: readonly RelayEvent[]): Generator<string> {
  const active = new Map<string, number>();
  const ended = new Map<number, string>();
  const fences = new Map<number, number>();
  for (const event of log) {
    if (event.type === 'message.claimed' && event.claim.kind === 'task') {
      const { subjectId, fence } = event.claim;
      const before = fences.get(subjectId) ?? 0;
      if (fence <= before) yield `task ${subjectId} was claimed under fence ${fence} after fence ${before}`;
      fences.set(subjectId, fence);
    }
    if (!isTaskEvent(event)) continue;
    const { id, source, dedupeKey, status, endedAt } = event.task;
    const end = ended.get(id);
    if (end !== undefined) yield `task ${id} was ${end} and then ${event.type}`;
    if (endedAt !== null) ended.set(id, status);
    if (dedupeKey === null) continue;
    const key = `${source} ${dedupeKey}`;
    const other = active.get(key);
    if (event.type === 'task.created' && other !== undefined) yield `tasks ${other} and ${id} are active under ${key} at once`;
    if (endedAt === null) active.set(key, id);
    else active.delete(key);
  }
}

/** A task has one message, under its own number, which can be claimed while the task is active. */
function* checkOffers({ left, offered }: TaskHistories, log: readonly RelayEvent[]): Generator<string> {
  const messages = new Map<number, number[]>();
  for (const event of log) {
    if (event.type !== 'message.new' || event.message.kind !== 'task') continue;
    const taskId = Number(event.message.payload?.['taskId']);
    messages.set(taskId, [...(messages.get(taskId) ?? []), event.message.id]);
  }
  for (const { id, endedAt } of left) {
    const own = messages.get(id) ?? [];
    if (own.length !== 1 || own[0] !== id) yield `task ${id} has the messages [${own}]`;
    if (endedAt === null && !offered.has(id)) yield `task ${id} is active and nobody can claim it`;
    messages.delete(id);
  }
  for (const id of messages.keys()) yield `there is a message for task ${id}, which is not there`;
}

/** Every acknowledged report is counted, once; one that was not acknowledged may be. */
function* checkReports({ reports }: TaskHistories, log: readonly RelayEvent[]): Generator<string> {
  const tasks = new Map(log.filter(isTaskEvent).map(({ task }) => [task.id, task]));
  const acknowledged = new Map<number, number>();
  const unknown = new Map<string | null, number>();
  for (const { dedupeKey, status, answer } of reports) {
    if (answer === null && status === 'open') unknown.set(dedupeKey, (unknown.get(dedupeKey) ?? 0) + 1);
    const id = countedIn(answer)?.id;
    if (id !== undefined) acknowledged.set(id, (acknowledged.get(id) ?? 0) + 1);
  }
  for (const id of acknowledged.keys()) if (!tasks.has(id)) yield `acknowledged task ${id} is lost`;
  for (const { id, dedupeKey, occurrenceCount } of tasks.values()) {
    const least = acknowledged.get(id) ?? 0;
    if (occurrenceCount < least) yield `task ${id} counts ${occurrenceCount} reports where ${least} were acknowledged`;
    const left = (unknown.get(dedupeKey) ?? 0) - (occurrenceCount - least);
    unknown.set(dedupeKey, left);
    if (left < 0) yield `task ${id} counts ${occurrenceCount} reports, more than were made under ${dedupeKey}`;
  }
}

/** No two reports are the same number of a task. */
function* checkNumbers({ reports }: TaskHistories): Generator<string> {
  const taken = new Set<string>();
  for (const { answer } of reports) {
    const task = countedIn(answer);
    // What is answered again under its idempotency key is told how the task stands by then.
    if (task === null || answer?.duplicate) continue;
    const number = `${task.id} ${task.occurrenceCount}`;
    if (taken.has(number)) yield `two reports of task ${task.id} were both counted as number ${task.occurrenceCount}`;
    taken.add(number);
  }
}

const countedIn = (answer: Report['answer']): Task | null =>
  answer?.outcome === 'created' || answer?.outcome === 'repeated' ? answer.task : null;

/** An accepted claim is in the log under its fence, and no other has that fence. */
function* checkClaims({ steps }: TaskHistories, log: readonly RelayEvent[]): Generator<string> {
  const told = new Map<string, string>();
  for (const event of log) {
    if (event.type === 'message.claimed') told.set(`${event.claim.subjectId} ${event.claim.fence}`, event.claim.claimId);
  }
  for (const step of steps) {
    if (step.step !== 'claimed') continue;
    const { taskId, agentId, fence, claimId } = step;
    const found = told.get(`${taskId} ${fence}`);
    if (found === claimId) continue;
    yield `the claim of ${agentId} on task ${taskId} under fence ${fence} is ${found === undefined ? 'lost' : "another one's"}`;
  }
}

/** An ending is accepted of one agent under one fence, and it is how the task ended. */
function* checkEndings({ steps }: TaskHistories, log: readonly RelayEvent[]): Generator<string> {
  const ends = new Map<number, Task>();
  for (const event of log) if (isTaskEvent(event) && event.task.endedAt !== null) ends.set(event.task.id, event.task);
  const winners = new Map<number, string>();
  for (const step of steps) {
    if (step.step !== 'ended') continue;
    const { taskId, agentId, fence, status } = step;
    const winner = `${agentId} under fence ${fence}`;
    const earlier = winners.get(taskId);
    if (earlier !== undefined && earlier !== winner) yield `task ${taskId} was ended twice: by ${earlier} and by ${winner}`;
    winners.set(taskId, winner);
    const end = ends.get(taskId);
    if (end?.status !== status || end.claimedBy !== agentId) {
      yield `task ${taskId} was ${status} by ${agentId}, and the log says ${end ? `${end.status} by ${end.claimedBy}` : 'nothing'}`;
    }
  }
}

/** What can be read of a task is what the log told last. */
function* checkLeft({ left }: TaskHistories, log: readonly RelayEvent[]): Generator<string> {
  const last = new Map<number, string>();
  for (const event of log) if (isTaskEvent(event)) last.set(event.task.id, JSON.stringify(event.task));
  for (const task of left) {
    if (last.get(task.id) !== JSON.stringify(task)) yield `task ${task.id} is not what the log told of it`;
    last.delete(task.id);
  }
  for (const id of last.keys()) yield `task ${id} is in the log and cannot be read`;
}
