import { type Principal, RelayError, type ReportEvent, type ReportedEvent, type SendMessage, type Task } from 'agent-relay-protocol';
import { isOwnAt } from './act-as.ts';
import type { NewMessage, NewTask } from './change.ts';
import type { Directory } from './directory.ts';
import type { Decision, ReportFacts } from './facts.ts';
import type { Draft } from './message.ts';
import { routeMessage } from './plan-message.ts';
import { assertMayAddress } from './scopes.ts';
import { endFromOutside } from './task-changes.ts';
import { endTask, repeatTask } from './task-lifecycle.ts';

/** What a report says, without who sends it and how often. */
export type ReportContent = Omit<ReportEvent, 'source' | 'idempotencyKey'>;

/** A task is made of a report and of what the relay knows when its message is numbered. */
type Stamp = Pick<Task, 'id' | 'source' | 'target' | 'channel' | 'createdAt'>;

/** One that came before under its idempotency key is not decided again. */
export function repeatedReport({ digest, outcome, task }: NonNullable<ReportFacts['earlier']>, said: string): Decision<ReportedEvent> {
  if (digest === said) return { answer: { outcome, task, duplicate: true }, change: null };
  throw new RelayError('idempotency_mismatch', 'This idempotency key was used for a report with other content', {
    details: { taskId: task?.id ?? null },
  });
}

/** Somebody reports. */
export interface Reporting {
  readonly report: ReportContent;
  readonly principal: Principal;
  readonly source: string;
  readonly by: string;
  readonly at: number;
  readonly callbackTo: string | null;
  /** Where it goes; null when it only says that something is over. */
  readonly route: SendMessage | null;
}

/** What comes of a report: a task, one more occurrence of the one that there is, its end, or nothing. @throws RelayError whatever refuses it. */
export function decideReport(facts: ReportFacts, reporting: Reporting): Decision<ReportedEvent> {
  const { report, principal, source, by, at, callbackTo, route } = reporting;
  const { active } = facts;
  const offer = () => (route === null ? null : routeMessage(facts, { input: route, from: source, principal, at }, null));
  if (active === null) {
    const message = offer();
    if (message === null) return { answer: { outcome: 'ignored', task: null, duplicate: false }, change: null };
    const opened = offerOf(report, message, { id: facts.nextId, source, by, callbackTo });
    return { answer: { outcome: 'created', task: opened.task.step.task, duplicate: false }, change: { at, sent: [opened] } };
  }
  assertReportsOn(facts.agents, principal, active.task, 'dedupeKey');
  if (route === null) {
    const step = endTask(active.task, { status: 'done', result: active.task.result ?? 'Resolved at its source', by, at });
    const change = endFromOutside(active, step, 'Its source says that it is resolved', at);
    return { answer: { outcome: 'resolved', task: step.task, duplicate: false }, change };
  }
  // It must be one that this token could have made.
  if (report.target !== undefined || report.channel !== undefined) offer();
  const step = repeatTask(active.task, report, by, at);
  return { answer: { outcome: 'repeated', task: step.task, duplicate: false }, change: { at, tasks: [step] } };
}

/**
 * A repeated report and one that ends a task address nobody, but it must be the caller's own task, and one that a token which speaks as the
 * source is free to make. Who may not be able to read the task is told nothing of it, nor where it goes.
 */
export function assertReportsOn(agents: Directory, principal: Principal, task: Task, key: 'dedupeKey' | 'idempotencyKey'): void {
  const { id, source, target: to, channel } = task;
  if (principal.type === 'integration' && principal.name === source) return;
  if (!isOwnAt(agents, principal, source, id))
    throw new RelayError('forbidden', `Another ${source} reported under this ${key} before: use another ${key}`);
  try {
    assertMayAddress(principal, { to, channel });
  } catch (cause) {
    throw new RelayError('forbidden_target', 'This token may not address whom the task under this key is for', { cause });
  }
}

/** Where a report goes: what it says, else the only target its token has. */
export function routeOfReport(principal: Principal, source: string, { target, channel, title }: ReportContent): SendMessage {
  const only = principal.type === 'integration' && principal.targets?.length === 1 ? principal.targets[0] : undefined;
  const to = target ?? only;
  if (to === undefined) throw invalid('target', 'Say whom the task is for');
  return { to, from: source, body: title, ...(channel === undefined ? {} : { channel }) };
}

/** The task that comes of a report, and the message that offers it, whose id it has. */
function offerOf(
  report: ReportContent,
  { draft, matched }: NewMessage,
  { id, source, by, callbackTo }: Pick<Reporting, 'source' | 'by' | 'callbackTo'> & Pick<Task, 'id'>,
): NewMessage & { readonly task: NewTask } {
  const { to: target, channel, createdAt } = draft;
  const task = newTask(report, { id, source, target, channel, createdAt });
  const text = offerText(task);
  // Said once: beside a text the title is its subject line, without one it is the text.
  const words = text === '' ? { body: task.title, subject: null } : { body: text, subject: task.title };
  const said = { ...words, kind: 'task', claimable: true, payload: offerPayload(task) };
  return { matched, draft: { ...draft, ...said }, task: { step: { task, type: 'task.created', by, detail: null }, callbackTo } };
}

function newTask(report: ReportContent, { id, source, target, channel, createdAt }: Stamp): Task {
  return {
    id,
    source,
    type: report.type ?? null,
    severity: report.severity ?? null,
    title: report.title,
    body: report.body ?? '',
    target,
    channel,
    dedupeKey: report.dedupeKey ?? null,
    externalUrl: report.externalUrl ?? null,
    metadata: report.metadata ?? null,
    status: 'open',
    claimedBy: null,
    claimId: null,
    result: null,
    progress: null,
    occurrenceCount: 1,
    lastSeenAt: createdAt,
    createdAt,
    updatedAt: createdAt,
    endedAt: null,
  };
}

function offerText({ body, severity, type, externalUrl }: Task): string {
  const kind = [severity, type].filter((word) => word !== null).join(' ');
  return [kind === '' ? '' : `(${kind})`, body, externalUrl ?? ''].filter((part) => part !== '').join('\n\n');
}

function offerPayload({ id, source, type, severity, dedupeKey, externalUrl, metadata }: Task): NonNullable<Draft['payload']> {
  return { taskId: id, source, type, severity, dedupeKey, externalUrl, metadata };
}

function invalid(path: string, message: string): RelayError {
  return new RelayError('validation_failed', `${path}: ${message}`, { issues: [{ path, message }] });
}
