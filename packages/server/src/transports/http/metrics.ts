import { type CallbackStatus, RELAY_VERSION } from 'agent-relay-protocol';
import type { Metric, Registry } from 'prom-client';
import { assertAccess } from '../../relay/access/access.ts';
import type { Relay } from '../../relay/contract/relay-contract.ts';
import type { RelayFigures } from '../../relay/contract/relay-figures.ts';
import type { requestLatencies } from '../../relay/system/figures.ts';
import type { RouteCall } from '../route-calls.ts';
import type { Endpoint } from './endpoint.ts';

type Histogram = ReturnType<typeof requestLatencies>;

export interface MetricsDeps {
  readonly relay: Pick<Relay, 'figures'>;
  readonly calls: ReadonlyMap<string, RouteCall>;
  /** Open sockets and event streams, now. */
  readonly connections: () => { readonly webSocket: number; readonly sse: number };
}

export const METRICS_PATH = '/metrics';

/**
 * `GET /metrics`, as Prometheus reads it. Everything is counted in plain numbers where it happens and put into words here, so that a relay
 * that nobody watches pays nothing for it.
 */
export function metricsEndpoint(deps: MetricsDeps): Endpoint {
  return {
    methods: ['GET', 'HEAD'],
    serve: async (exchange) => {
      assertAccess({ scope: 'stats:read', anonymous: true }, await exchange.authenticate());
      // Loaded with the first one who asks.
      const { default: prometheus } = await import('prom-client');
      const registry = new prometheus.Registry();
      await describe(deps, new Sheet(registry, prometheus));
      const text = await registry.metrics();
      exchange.response.writeHead(200, {
        'content-type': registry.contentType,
        'content-length': Buffer.byteLength(text),
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
      exchange.response.end(text);
    },
  };
}

type Labels = Readonly<Record<string, string | number>>;

/** One scrape: every figure as a metric of its own registry. */
class Sheet {
  readonly #registry: Registry;
  readonly #prometheus: typeof import('prom-client');

  constructor(registry: Registry, prometheus: typeof import('prom-client')) {
    this.#registry = registry;
    this.#prometheus = prometheus;
  }

  counter(name: string, help: string, values: readonly (readonly [Labels, number])[]): void {
    const metric = new this.#prometheus.Counter({ name, help, labelNames: namesOf(values), registers: [this.#registry] });
    for (const [labels, value] of values) metric.inc({ ...labels }, value);
  }

  gauge(name: string, help: string, values: readonly (readonly [Labels, number])[]): void {
    const metric = new this.#prometheus.Gauge({ name, help, labelNames: namesOf(values), registers: [this.#registry] });
    for (const [labels, value] of values) metric.set({ ...labels }, value);
  }

  histogram(name: string, help: string, values: readonly (readonly [Labels, Histogram])[]): void {
    const lines = values.flatMap(([labels, histogram]) => bucketsOf(name, labels, histogram));
    const metric = {
      name,
      help,
      type: 'histogram',
      aggregator: 'sum',
      get: async () => ({ name, help, type: 'histogram', values: lines }),
    };
    // Its own histograms only take one value at a time; what a registry reads of a metric is this.
    this.#registry.registerMetric(metric as unknown as Metric);
  }
}

const namesOf = (values: readonly (readonly [Labels, number])[]): string[] => Object.keys(values[0]?.[0] ?? {});

function bucketsOf(name: string, labels: Labels, { bounds, counts, count, sum }: Histogram) {
  let below = 0;
  const buckets = bounds.map((bound, place) => {
    below += counts[place] ?? 0;
    return { metricName: `${name}_bucket`, labels: { le: bound, ...labels }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: count },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}

const one = (value: number): readonly (readonly [Labels, number])[] => [[{}, value]];
const by = (label: string, values: Readonly<Record<string, number>>): readonly (readonly [Labels, number])[] =>
  Object.entries(values).map(([key, value]) => [{ [label]: key }, value]);

async function describe({ relay, calls, connections }: MetricsDeps, sheet: Sheet): Promise<void> {
  const { store, claimWaitSeconds, head, openWork, undelivered, agents, sessions, nodes, readers } = await relay.figures();
  sheet.gauge('agent_relay_info', 'The version that runs', [[{ version: RELAY_VERSION }, 1]]);
  sheet.counter('agent_relay_messages_total', 'Messages stored since the start', one(store.messages));
  sheet.counter(
    'agent_relay_deliveries_total',
    'Receipts written since the start, by the state they tell',
    by('state', receipts(store.deliveries)),
  );
  sheet.gauge('agent_relay_deliveries_waiting', 'Direct and fanned out mail that no recipient has confirmed', one(undelivered));
  sheet.gauge('agent_relay_work_open', 'Claimable messages and tasks that are not done', one(openWork));
  sheet.histogram('agent_relay_claim_wait_seconds', 'How long work waited for who claimed it', [[{}, claimWaitSeconds]]);
  sheet.gauge('agent_relay_log_head', 'The last sequence of the log', one(head));
  sheet.gauge('agent_relay_event_readers', 'Who follows the log', by('state', { live: readers.live, behind: readers.behind }));
  sheet.gauge('agent_relay_event_lag', 'How many sequences the slowest reader is behind the head', one(readers.maxLag));
  sheet.gauge('agent_relay_agents', 'Registered agents, by presence', by('status', agents));
  sheet.gauge('agent_relay_sessions', 'Sessions that run', one(sessions));
  sheet.gauge('agent_relay_nodes', 'Machines, by presence', by('status', { online: nodes.online, offline: nodes.total - nodes.online }));
  const { webSocket, sse } = connections();
  sheet.gauge('agent_relay_connections', 'Open connections that stay', by('transport', { web_socket: webSocket, sse }));
  sheet.gauge('agent_relay_callbacks', 'Callbacks kept, by what became of them', by('status', { ...noCallbacks, ...store.callbacks }));
  sheet.histogram('agent_relay_store_commit_seconds', 'How long a shared commit took', [[{}, store.commitSeconds]]);
  sheet.histogram('agent_relay_store_commit_operations', 'How many writes shared a commit', [[{}, store.commitOperations]]);
  sheet.counter('agent_relay_store_commit_failures_total', 'Turns that were rolled back', one(store.failedCommits));
  describeRequests(calls, sheet);
  const { rss, heapUsed } = process.memoryUsage();
  sheet.gauge('process_resident_memory_bytes', 'Resident memory', one(rss));
  sheet.gauge('nodejs_heap_size_used_bytes', 'Used heap', one(heapUsed));
  sheet.counter('process_cpu_seconds_total', 'User and system time', one(totalOf(process.cpuUsage()) / 1e6));
}

/** Being queued is the absence of a receipt: it is never written, and a 0 would say that nothing waits. */
const receipts = ({ queued: _queued, ...written }: RelayFigures['store']['deliveries']): Readonly<Record<string, number>> => written;

const noCallbacks: Readonly<Record<CallbackStatus, number>> = { pending: 0, delivered: 0, dead: 0 };

const totalOf = ({ user, system }: NodeJS.CpuUsage): number => user + system;

/** Routes nobody has used are left out: a hundred empty lines tell nothing. */
function describeRequests(calls: MetricsDeps['calls'], sheet: Sheet): void {
  const counts: [Labels, number][] = [];
  const latencies: [Labels, Histogram][] = [];
  for (const { name, figures } of calls.values()) {
    if (figures.socket > 0) counts.push([{ route: name, transport: 'web_socket', status: '' }, figures.socket]);
    for (const [status, count] of Object.entries(figures.http)) counts.push([{ route: name, transport: 'http', status }, count]);
    if (figures.httpSeconds.count > 0) latencies.push([{ route: name }, figures.httpSeconds]);
  }
  sheet.counter('agent_relay_requests_total', 'Requests by route; over HTTP also by the status that answered them', counts);
  sheet.histogram('agent_relay_http_request_seconds', 'From the head of a request to its answer, waiting included', latencies);
}
