import {
  API_PREFIX,
  EVENTS_PATH,
  EventFilterSchema,
  type HttpMethod,
  MCP_PATH,
  mcpTools,
  NODE_PAIRING_OUTCOME_PATH,
  NODE_PAIRING_PATH,
  nodeMethods,
  PairingSecretSchema,
  RequestPairingSchema,
  type Route,
  routeNames,
  routes,
  socketMethods,
} from 'agent-relay-protocol';
import fc from 'fast-check';
import { z } from 'zod';
import type { Random } from '../crash/seeded.ts';
import { inputsOf } from './input-arbitrary.ts';
import { pick } from './random.ts';

/** Something that can be asked of a relay over HTTP. */
export interface Target {
  readonly name: string;
  readonly method: string;
  /** Whole, with `:parameters`. */
  readonly path: string;
  readonly parameters: readonly string[];
  /** The first segment after the prefix: what its answers are remembered under. */
  readonly noun: string;
  readonly weight: number;
  readonly inputs: Inputs;
  /** The body, when it is not what is left of the input after path and query. */
  readonly wrap?: (input: unknown, id: number) => unknown;
  /** Set for the routes of the table, whose answers have a declared shape. */
  readonly route?: Route;
  /** It has no end, or no JSON. */
  readonly answers: 'json' | 'stream' | 'text' | 'rpc';
}

/** Generated ahead in batches: it is what fast-check does well, and each batch has a seed of its own. */
export class Inputs {
  readonly #arbitrary: fc.Arbitrary<unknown>;

  constructor(schema: z.ZodType) {
    this.#arbitrary = inputsOf(schema);
  }

  batch(random: Random): unknown[] {
    return fc.sample(this.#arbitrary, { seed: Math.floor(random() * 0x7fffffff), numRuns: 40 });
  }
}

const nothing = z.strictObject({});

const targetOf = (name: string, method: string, path: string, schema: z.ZodType, more: Partial<Target> = {}): Target => ({
  name,
  method,
  path,
  parameters: [...path.matchAll(/:(\w+)/gu)].map(([, parameter]) => parameter ?? ''),
  noun: path.split('/')[2] ?? '',
  weight: 1,
  inputs: new Inputs(schema),
  answers: 'json',
  ...more,
});

const fromTable = (): Target[] =>
  routeNames.map((name) => {
    const route: Route = routes[name];
    return targetOf(name, route.method, API_PREFIX + route.path, route.input, { route, weight: weights[route.method] });
  });

/** What removes things is rare, or there would be nothing left to reach; what only looks teaches the least. */
const weights: Readonly<Record<HttpMethod, number>> = { DELETE: 4, GET: 7, PATCH: 14, POST: 16 };

const toolCalls = (): Target[] =>
  Object.entries(mcpTools).map(([name, { input }]) =>
    targetOf(`mcp ${name}`, 'POST', MCP_PATH, input, {
      weight: 2,
      answers: 'rpc',
      wrap: (args, id) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } }),
    }),
  );

const mcpMessage = z.object({
  jsonrpc: z.enum(['2.0', '1.0']),
  id: z.union([z.int(), z.string(), z.null()]).optional(),
  method: z.string().optional(),
  params: z.json().optional(),
});

/** Everything beside the table that listens on the same port. */
const beside = (): Target[] => [
  targetOf('events/stream', 'GET', API_PREFIX + EVENTS_PATH, EventFilterSchema, { weight: 4, answers: 'stream' }),
  targetOf('login/exchange', 'POST', `${API_PREFIX}/login-codes/exchange`, z.object({ code: z.string() })),
  targetOf('node pairing', 'POST', API_PREFIX + NODE_PAIRING_PATH, RequestPairingSchema),
  targetOf('node pairing outcome', 'POST', API_PREFIX + NODE_PAIRING_OUTCOME_PATH, PairingSecretSchema),
  targetOf('mcp', 'POST', MCP_PATH, mcpMessage, { weight: 3, answers: 'rpc' }),
  targetOf('metrics', 'GET', '/metrics', nothing, { answers: 'text' }),
  targetOf('openapi', 'GET', `${API_PREFIX}/openapi.json`, nothing, { weight: 0.1 }),
  targetOf('docs', 'GET', `${API_PREFIX}/docs`, nothing, { weight: 0.1, answers: 'text' }),
  targetOf('pages', 'GET', '/', nothing, { weight: 0.5, answers: 'text' }),
  targetOf('no path', 'GET', '/:id', z.object({ id: z.string() }), { answers: 'text' }),
  targetOf('no route', 'POST', `${API_PREFIX}/:id/:name`, z.object({ id: z.string(), name: z.string() })),
];

export const allTargets = (): readonly Target[] => [...fromTable(), ...toolCalls(), ...beside()];

/** What a socket can be asked beside the table. */
export interface SocketTarget {
  readonly name: string;
  readonly inputs: Inputs;
  readonly result?: z.ZodType;
}

export const socketTargets = (): readonly SocketTarget[] => [
  ...routeNames.map((name): SocketTarget => ({ name, inputs: new Inputs(routes[name].input), result: routes[name].output })),
  ...Object.entries({ ...socketMethods, ...nodeMethods }).map(
    ([name, { params, result }]): SocketTarget => ({ name, inputs: new Inputs(params), result }),
  ),
];

/** Weighted choice, and a store of inputs that are ready. */
export class Chooser<Item extends { readonly inputs: Inputs; readonly weight?: number }> {
  readonly #random: Random;
  readonly #drum: readonly Item[];
  readonly #ready = new Map<Item, unknown[]>();

  constructor(items: readonly Item[], random: Random) {
    this.#random = random;
    this.#drum = items.flatMap((item) => Array.from({ length: Math.max(1, Math.round((item.weight ?? 1) * 10)) }, () => item));
  }

  next(): { readonly item: Item; readonly input: unknown } {
    const item = pick(this.#random, this.#drum);
    const ready = this.#ready.get(item);
    if (ready && ready.length > 0) return { item, input: ready.pop() };
    const batch = item.inputs.batch(this.#random);
    this.#ready.set(item, batch);
    return { item, input: batch.pop() };
  }
}
