import { type Principal, principalName, RelayError, type RouteOutput } from 'agent-relay-protocol';
import { RecentMap } from 'agent-relay-wire';
import type { Clock } from '../../clock.ts';
import { actAs } from '../../domain/act-as.ts';
import { actingId } from '../../domain/acting.ts';
import { isOwner, spellingOf } from '../../domain/scopes.ts';
import { countIn, type SlidingMinute, waitFor } from '../../domain/sliding-minute.ts';
import { assertReportsOn, decideReport, type ReportContent, repeatedReport, routeOfReport } from '../../domain/task-report.ts';
import type { Store } from '../../store/store.ts';
import type { TaskSource } from '../../store/task-store.ts';
import { digestOfFields } from '../contract/content-digest.ts';
import type { IntegrationSettings } from '../contract/integration-settings.ts';
import { listedById } from '../contract/listed.ts';
import type { HandlersOf } from '../contract/relay-contract.ts';

export interface TaskReportsDeps {
  readonly store: Pick<Store, 'tasks' | 'agents' | 'log'>;
  readonly clock: Clock;
  readonly integrations: readonly IntegrationSettings[];
  /** Reports that one source may make in a minute. */
  readonly reportsPerMinute: number;
}

/** Sources without a token of their own whose reports are counted at once; the one that was silent for longest is forgotten first. */
const REMEMBERED_SOURCES = 10_000;

/** What systems outside report: tasks come of it, one for each thing that is wrong, however often it is reported. */
export function taskReports({ store, clock, integrations, reportsPerMinute }: TaskReportsDeps): HandlersOf<'integrations'> {
  const configured = new Map(integrations.map((integration) => [integration.name, integration]));
  // Names that programs on this machine make up come and go; what is configured is never forgotten for them.
  const ofConfigured = new Map<string, SlidingMinute>();
  const ofOthers = new RecentMap<string, SlidingMinute>(REMEMBERED_SOURCES);

  const limit = (source: string) => {
    const now = clock.now();
    const minutes = configured.has(source) ? ofConfigured : ofOthers;
    const minute = minutes.get(source) ?? [];
    const retryAfterMs = waitFor(minute, reportsPerMinute, now);
    if (retryAfterMs !== null) throw tooMany(source, reportsPerMinute, retryAfterMs);
    minutes.set(source, countIn(minute, now));
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
      const route = status === 'open' ? routeOfReport(principal, source, report) : null;
      const subject = { workspace, source, dedupeKey, idempotencyKey: idempotencyKey ?? null };
      return store.tasks.report(subject, (facts) => {
        if (facts.earlier && idempotencyKey !== undefined) {
          if (facts.earlier.task) assertReportsOn(facts.agents, principal, facts.earlier.task, 'idempotencyKey');
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
      const data = names.map((name) => integrationOf(name, configured.get(name), sources.get(name)));
      return { ...listedById(data, ({ name }) => name, page), cursor };
    },
  };
}

function integrationOf(
  name: string,
  settings: IntegrationSettings | undefined,
  found: TaskSource | undefined,
): RouteOutput<'integrations/list'>['data'][number] {
  return {
    name,
    configured: settings !== undefined,
    scopes: [...(settings?.scopes ?? [])],
    targets: settings?.targets ? [...settings.targets] : null,
    channels: settings?.channels ? [...settings.channels] : null,
    callbackHost: settings?.callbackUrl ? new URL(settings.callbackUrl).host : null,
    tasks: { active: found?.active ?? 0, total: found?.total ?? 0 },
    lastSeenAt: found?.lastSeenAt ?? null,
  };
}

const digestOfReport = ({ target, ...content }: ReportContent): string =>
  digestOfFields({ ...content, ...(target === undefined ? {} : { target: spellingOf(target) }) });

const tooMany = (source: string, aMinute: number, retryAfterMs: number): RelayError =>
  new RelayError('rate_limited', `${source} reports more than ${aMinute} events a minute`, { details: { retryAfterMs } });

const invalid = (path: string, message: string): RelayError =>
  new RelayError('validation_failed', `${path}: ${message}`, { issues: [{ path, message }] });
