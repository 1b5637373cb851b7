import {
  clipPath,
  type Principal,
  parseInput,
  RelayError,
  type Route,
  type RouteInput,
  type RouteName,
  routeNames,
  routes,
} from 'agent-relay-protocol';
import type { z } from 'zod';
import { type Access, assertAccess } from '../relay/access/access.ts';
import type { CallContext, RelayHandlers } from '../relay/contract/relay-contract.ts';
import { requestLatencies } from '../relay/system/figures.ts';

/** One route ready to be called: checks the caller, parses the input, runs the handler. */
export interface RouteCall {
  readonly name: RouteName;
  readonly route: Route;
  readonly figures: RouteFigures;
  /** What `call` checks first, for a transport that reads a body in between. @throws RelayError `unauthorized`, `forbidden_scope`. */
  authorize(principal: Principal): void;
  /** A handler that answers synchronously is answered synchronously. Throws, or rejects, with what the handler does. */
  call(input: unknown, context: CallContext): unknown;
}

/** How often a route was asked for, in plain numbers; each transport counts its own. */
export interface RouteFigures {
  socket: number;
  /** By the status that answered. */
  readonly http: Record<string, number>;
  readonly httpSeconds: ReturnType<typeof requestLatencies>;
}

/** Built once: what every transport dispatches to. */
export function createRouteCalls(handlers: RelayHandlers): ReadonlyMap<string, RouteCall> {
  return new Map(routeNames.map((name) => [name, createRouteCall(name, handlers)]));
}

function createRouteCall<Name extends RouteName>(name: Name, handlers: RelayHandlers): RouteCall {
  const route = routes[name];
  const handler = handlers[name];
  const { anonymous, scope, alsoScopes = [], shared = false }: Route = route as Route; // the table's own `satisfies`; TypeScript cannot see it through the generic key
  const access: Access = { anonymous, scope, alsoScopes, shared };
  return {
    name,
    figures: { socket: 0, http: {}, httpSeconds: requestLatencies() },
    route: route as Route, // the table's own `satisfies`; TypeScript cannot see it through the generic key
    authorize: (principal) => assertAccess(access, principal),
    call: (input, context) => {
      // The handler asks as well; here it comes before what is wrong with the input.
      assertAccess(access, context.principal);
      return handler(parseParams(route.input, renamed(route, input)) as RouteInput<Name>, context); // parsed by the schema that the type is inferred from
    },
  };
}

/** What an older program sends, in the words of this version. */
function renamed({ formerly }: Route, input: unknown): unknown {
  if (formerly === undefined || typeof input !== 'object' || input === null) return input;
  const fields = Object.entries(input).map(([name, value]) => [
    Object.hasOwn(input, formerly[name] ?? '') ? name : (formerly[name] ?? name),
    value,
  ]);
  return Object.fromEntries(fields);
}

/** Whether it is answered from what is there, and not when something comes: such calls of one connection follow each other. */
export function isShortRead({ route }: RouteCall, input: unknown): boolean {
  if (route.method !== 'GET') return false;
  const waitMs: unknown = typeof input === 'object' && input !== null ? Reflect.get(input, 'waitMs') : undefined;
  return waitMs === undefined || waitMs === 0;
}

/** How deep JSON from outside may nest; beyond it, whatever walks the value recursively would exhaust the stack. */
const MAX_DEPTH = 64;
/** How many values a request may be made of: each is checked, and kept, at a cost that its few bytes do not show. */
const MAX_VALUES = 50_000;

/**
 * `parseInput` for what came over a wire.
 * @throws RelayError `validation_failed`.
 */
export function parseParams<Schema extends z.ZodType>(schema: Schema, params: unknown, maxValues?: number): z.output<Schema> {
  const input = params ?? {};
  admitInput(input, maxValues);
  return parseInput(schema, input);
}

/**
 * Before anything walks or keeps what came over a wire: refuses what nests too deep or is made of too many values, and replaces half surrogate
 * pairs (a text cut in the middle of an emoji) and NUL by U+FFFD, in place. The store could not keep the first and would give back another text
 * than it was given; the second ends a text wherever C reads it, and no program can be started with it.
 * @throws RelayError `validation_failed` naming the first field that is to blame, `payload_too_large`.
 */
export function admitInput(input: unknown, maxValues = MAX_VALUES): void {
  if (typeof input !== 'object' || input === null) return;
  const budget = { values: maxValues };
  for (const key in input) {
    if (admitMember(input, key, MAX_DEPTH - 1, budget)) continue;
    const path = clipPath(key);
    if (budget.values < 0) throw new RelayError('payload_too_large', `${path}: A request is made of at most ${maxValues} values`);
    const message = `It nests deeper than ${MAX_DEPTH} levels`;
    throw new RelayError('validation_failed', `${path}: ${message}`, { issues: [{ path, message }] });
  }
}

function admitMember(parent: object, key: string, depth: number, budget: { values: number }): boolean {
  budget.values -= 1;
  if (budget.values < 0) return false;
  const value: unknown = Reflect.get(parent, key);
  if (typeof value === 'string') {
    if (!value.isWellFormed() || value.includes('\0')) Reflect.set(parent, key, value.toWellFormed().replaceAll('\0', '\u{FFFD}'));
    return true;
  }
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  for (const member in value) if (!admitMember(value, member, depth - 1, budget)) return false;
  return true;
}
