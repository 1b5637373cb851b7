import {
  type Principal,
  principalName,
  RELAY_AGENT_ID,
  RelayError,
  type ReportEvent,
  type ReportedEvent,
  type SendMessage,
  type Task,
} from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { actAs, isOwnAt } from '../../domain/act-as.ts';
import { actingId } from '../../domain/acting.ts';
import type { Change, NewMessage, NewTask } from '../../domain/change.ts';
import { endClaim } from '../../domain/claim.ts';
import { claimEvent } from '../../domain/claim-changes.ts';
import type { Directory } from '../../domain/directory.ts';
import type { Decision, ReportFacts, TaskFound } from '../../domain/facts.ts';
import type { Draft } from '../../domain/message.ts';
import { noticeTo } from '../../domain/notices.ts';
import { routeMessage } from '../../domain/plan-message.ts';
import { assertMayAddress, isOwner, spellingOf } from '../../domain/scopes.ts';
import { countIn, type SlidingMinute, waitFor } from '../../domain/sliding-minute.ts';
import { endTask, repeatTask, type TaskStep } from '../../domain/task-lifecycle.ts';
import type { Store } from '../../store/store.ts';
import { digestOfFields } from '../contract/content-digest.ts';
import type { IntegrationSettings } from '../contract/integration-settings.ts';
import { listedById } from '../contract/listed.ts';
import type { RelayHandlers } from '../contract/relay-contract.ts';

export interface TaskReportsDeps {
  readonly store: Pick<Store, 'tasks' | 'agents' | 'log'>;
  readonly clock: Clock;
  readonly integrations: readonly IntegrationSettings[];
  /** Reports that one source may make in a minute. */
  readonly reportsPerMinute: number;
}

/** Sources without a token of their own whose reports are counted at once; the one that was silent for longest is forgotten first. */
const REMEMBERED_SOURCES = 10_000;

/** What a report says, without who sends it and how often. */
type Content = Omit<ReportEvent, 'source' | 'idempotencyKey'>;

/** A task is made of a report and of what the relay knows when its message is numbered. */
type Stamp = Pick<Task, 'id' | 'source' | 'target' | 'channel' | 'createdAt'>;

/** What systems outside report: tasks come of it, one for each thing that is wrong, however often it is reported. */
export function taskReports({
  store,
  clock,
  integrations,
  reportsPerMinute,
}: TaskReportsDeps): Pick<RelayHandlers, 'integrations/report' | 'integrations/list'> {
  const configured = new Map(integrations.map((integration) => [integration.name, integration]));
  /** Those who reported last are last. */
  const minutes = new Map<string, SlidingMinute>();

  const limit = (source: string) => {
    const now = clock.now();
    const minute = minutes.get(source) ?? [];
    const retryAfterMs = waitFor(minute, reportsPerMinute, now);
    if (retryAfterMs !== null) {
      throw new RelayError('rate_limited', `${source} reports more than ${reportsPerMinute} events a minute`, {
        details: { retryAfterMs },
      });
    }
    minutes.delete(source);
    minutes.set(source, countIn(minute, now));
    // Names that programs on this machine make up come and go; what is configured is never forgotten for them.
    for (const name of minutes.keys()) {
      if (minutes.size <= REMEMBERED_SOURCES + configured.size) break;
      if (!configured.has(name)) minutes.delete(name);
    }
  };

  const sourceOf = (principal: Principal, named: string | undefined): string => {
    const source = actingId(principal, named ?? (principal.type === 'anonymous' ? 'anonymous' : undefined), 'source');
    const isOwn = principal.type === 'integration' && principal.name === source;
    if (principal.type === 'integration' && !isOwn) throw new RelayError('forbidden', `This token reports as ${principal.name} only`);
    actAs(store.agents.index.in(principal.workspace), principal, source);
    return source;
  };

  return {
    'integrations/report': async ({ source: named, idempotencyKey, ...report }, { principal }) => {
      const { workspace } = principal;
      const source = sourceOf(principal, named);
      if (!isOwner(principal)) limit(source);
      const { dedupeKey = null, status = 'open' } = report;
      if (status === 'resolved' && dedupeKey === null) throw invalid('dedupeKey', 'Say which task is resolved');
      const by = principalName(principal);
      const at = clock.now();
      const callbackTo = configured.get(source)?.callbackUrl == null ? null : source;
      const route = status === 'open' ? routeOf(principal, source, report) : null;
      const subject = { workspace, source, dedupeKey, idempotencyKey: idempotencyKey ?? null };
      return store.tasks.report(subject, (facts) => {
        if (facts.earlier && idempotencyKey !== undefined) {
          if (facts.earlier.task) assertTheirs(facts.agents, principal, facts.earlier.task, 'idempotencyKey');
          return repeatedReport(facts.earlier, digestOfReport(report));
        }
        const decided = decideReport(facts, { report, principal, by, at, callbackTo, source, route });
        if (idempotencyKey === undefined) return decided;
        const { outcome, task } = decided.answer;
        const reportKey = { source, key: idempotencyKey, digest: digestOfReport(report), outcome, taskId: task?.id ?? null };
        return { answer: decided.answer, change: { at, ...decided.change, reportKey } };
      });
    },
    'integrations/list': async (page, { principal }) => {
      const cursor = store.log.head;
      const sources = new Map((await store.tasks.sources(principal.workspace)).map((found) => [found.source, found]));
      const names = [...new Set([...configured.keys(), ...sources.keys()])];
      const data = names.map((name) => {
        const settings = configured.get(name);
        const { active = 0, total = 0, lastSeenAt = null } = sources.get(name) ?? {};
        return {
          name,
          configured: settings !== undefined,
          scopes: [...(settings?.scopes ?? [])],
          targets: settings?.targets ? [...settings.targets] : null,
          channels: settings?.channels ? [...settings.channels] : null,
          callbackHost: settings?.callbackUrl ? new URL(settings.callbackUrl).host : null,
          tasks: { active, total },
          lastSeenAt,
        };
      });
      return { ...listedById(data, ({ name }) => name, page), cursor };
    },
  };
}

const digestOfReport = ({ target, ...content }: Content): string =>
  digestOfFields({ ...content, ...(target === undefined ? {} : { target: spellingOf(target) }) });

/** One that came before under its idempotency key is not decided again. */
function repeatedReport({ digest, outcome, task }: NonNullable<ReportFacts['earlier']>, said: string): Decision<ReportedEvent> {
  if (digest === said) return { answer: { outcome, task, duplicate: true }, change: null };
  throw new RelayError('idempotency_mismatch', 'This idempotency key was used for a report with other content', {
    details: { taskId: task?.id ?? null },
  });
}

interface Reporting {
  readonly report: Content;
  readonly principal: Principal;
  readonly source: string;
  readonly by: string;
  readonly at: number;
  readonly callbackTo: string | null;
  /** Where it goes; null when it only says that something is over. */
  readonly route: SendMessage | null;
}

function decideReport(facts: ReportFacts, reporting: Reporting): Decision<ReportedEvent> {
  const { report, principal, source, by, at, callbackTo, route } = reporting;
  const { active } = facts;
  const offer = () => (route === null ? null : routeMessage(facts, { input: route, from: source, principal, at }, null));
  if (active === null) {
    const message = offer();
    if (message === null) return { answer: { outcome: 'ignored', task: null, duplicate: false }, change: null };
    const opened = offerOf(report, message, { id: facts.nextId, source, by, callbackTo });
    return { answer: { outcome: 'created', task: opened.task.step.task, duplicate: false }, change: { at, sent: [opened] } };
  }
  assertTheirs(facts.agents, principal, active.task, 'dedupeKey');
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
function assertTheirs(agents: Directory, principal: Principal, task: Task, key: 'dedupeKey' | 'idempotencyKey'): void {
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
function routeOf(principal: Principal, source: string, { target, channel, title }: Content): SendMessage {
  const only = principal.type === 'integration' && principal.targets?.length === 1 ? principal.targets[0] : undefined;
  const to = target ?? only;
  if (to === undefined) throw invalid('target', 'Say whom the task is for');
  return { to, from: source, body: title, ...(channel === undefined ? {} : { channel }) };
}

/** The task that comes of a report, and the message that offers it, whose id it has. */
function offerOf(
  report: Content,
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

function newTask(report: Content, { id, source, target, channel, createdAt }: Stamp): Task {
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

/** Ends a task over its holder's head: the fence moves on, and the holder is told to stop. */
export function endFromOutside({ claim, task }: TaskFound, step: TaskStep, reason: string, at: number): Change {
  if (claim?.status !== 'held') return { at, tasks: [step] };
  const cancelled = endClaim(claim, { status: 'cancelled', reason }, at);
  const body = `Task ${task.id} is ${step.task.status}: stop working on it. ${reason}. A result from you would be refused.`;
  const payload = { type: step.type, taskId: task.id, claimId: claim.claimId, fence: claim.fence };
  return {
    at,
    events: [claimEvent('claim.cancelled', cancelled, at)],
    claims: [cancelled],
    tasks: [step],
    notices: claim.agentId === RELAY_AGENT_ID ? [] : [noticeTo({ to: claim.agentId, body, about: task.id, payload, at })],
  };
}

const invalid = (path: string, message: string): RelayError =>
  new RelayError('validation_failed', `${path}: ${message}`, { issues: [{ path, message }] });
