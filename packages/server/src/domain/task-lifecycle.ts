import {
  type CallbackEvent,
  type Claim,
  RelayError,
  type ReportEvent,
  type Task,
  type TaskEvent,
  type TaskEventType,
  type TaskStatus,
} from 'agent-relay-protocol';

const followers: Readonly<Record<TaskStatus, readonly TaskStatus[]>> = {
  open: ['claimed', 'done', 'failed', 'canceled'],
  claimed: ['open', 'in_progress', 'blocked', 'done', 'failed', 'canceled'],
  in_progress: ['open', 'blocked', 'done', 'failed', 'canceled'],
  blocked: ['open', 'in_progress', 'done', 'failed', 'canceled'],
  done: [],
  failed: [],
  canceled: [],
};

/** Of a status that only a later version knows, nothing is decided here. */
const followersOf = (status: TaskStatus): readonly TaskStatus[] => followers[status] ?? [];

export const isActive = ({ status }: Pick<Task, 'status'>): boolean => followersOf(status).length > 0;

/** @throws RelayError `claim_closed` when the task has ended, `validation_failed` when this cannot follow. */
export function assertMayFollow(task: Task, next: TaskStatus): void {
  if (!isActive(task)) throw new RelayError('claim_closed', `Task ${task.id} is ${task.status}`);
  if (next === task.status || followersOf(task.status).includes(next)) return;
  throw new RelayError('validation_failed', `status: A task that is ${task.status} cannot become ${next}`, {
    issues: [{ path: 'status', message: `cannot follow ${task.status}` }],
  });
}

/** A task as it stands after an event, and what the event brought. */
export interface TaskStep {
  readonly task: Task;
  readonly type: TaskEventType;
  readonly by: string;
  readonly detail: TaskEvent['detail'];
}

export interface TaskOutcome {
  readonly status: Extract<TaskStatus, 'done' | 'failed' | 'canceled'>;
  readonly result?: Task['result'] | undefined;
  readonly by: string;
  readonly at: number;
}

/** Its source reported it again while it was active: counted, and nothing else about the task changes. */
export function repeatTask(task: Task, report: ReportEvent, by: string, at: number): TaskStep {
  const { title, body, severity, type, metadata } = report;
  const told = { title, ...(body && { body }), ...(severity && { severity }), ...(type && { type }), ...(metadata && { metadata }) };
  const next: Task = { ...task, occurrenceCount: task.occurrenceCount + 1, lastSeenAt: at, updatedAt: at };
  return { task: next, type: 'task.repeated', by, detail: told };
}

/** @throws RelayError `claim_closed`, `validation_failed`. */
export function endTask(task: Task, { status, result, by, at }: TaskOutcome): TaskStep {
  assertMayFollow(task, status);
  const next: Task = { ...task, status, result: result ?? task.result, updatedAt: at, endedAt: at };
  return { task: next, type: endings[status], by, detail: result ?? null };
}

const endings = { done: 'task.completed', failed: 'task.failed', canceled: 'task.canceled' } as const;

/** What its holder says of it. @throws RelayError `claim_closed`, `validation_failed`. */
export function updateTask(
  task: Task,
  update: {
    readonly status?: 'in_progress' | 'blocked' | undefined;
    readonly progress?: Task['progress'] | undefined;
    readonly by: string;
    readonly at: number;
  },
): TaskStep {
  const status = update.status ?? (task.status === 'claimed' ? 'in_progress' : task.status);
  assertMayFollow(task, status);
  const next: Task = { ...task, status, progress: update.progress ?? task.progress, updatedAt: update.at };
  return { task: next, type: 'task.updated', by: update.by, detail: update.progress ?? null };
}

/** What a claim on a task makes of the task; null when it stays what it was, e.g. when only the lease was renewed. */
export function followClaim(task: Task, claim: Claim, at: number): TaskStep | null {
  if (!isActive(task)) return null;
  const by = claim.agentId;
  switch (claim.status) {
    case 'held': {
      if (task.claimId !== claim.claimId) {
        const held: Task = { ...task, status: 'claimed', claimedBy: by, claimId: claim.claimId, updatedAt: at };
        return { task: held, type: 'task.claimed', by, detail: null };
      }
      const isSaid = claim.progress !== null && JSON.stringify(claim.progress) !== JSON.stringify(task.progress);
      return isSaid ? updateTask(task, { progress: claim.progress, by, at }) : null;
    }
    case 'completed':
      return endTask(task, { status: 'done', result: claim.result, by, at });
    case 'cancelled':
      return endTask(task, { status: 'canceled', result: claim.reason, by: 'relay', at });
    case 'released':
    case 'expired': {
      if (task.claimId !== claim.claimId) return null;
      const open: Task = { ...task, status: 'open', claimedBy: null, claimId: null, updatedAt: at };
      const detail = claim.status === 'released' ? claim.reason : 'The lease ran out';
      return { task: open, type: 'task.released', by: claim.status === 'released' ? by : 'relay', detail };
    }
  }
}

/** The callback that tells of an event; null for what its source reported itself. */
export function callbackEventOf({ type, task }: TaskStep, before: Task | null): CallbackEvent | null {
  switch (type) {
    case 'task.created':
    case 'task.claimed':
      return type;
    case 'task.repeated':
      return null;
    case 'task.updated':
      return before?.status === task.status ? 'task.updated' : 'task.status';
    case 'task.released':
    case 'task.completed':
    case 'task.failed':
    case 'task.canceled':
      return 'task.status';
  }
}
