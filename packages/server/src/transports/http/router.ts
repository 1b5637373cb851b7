import { type HttpMethod, RelayError } from 'agent-relay-protocol';
import type { RouteCall } from '../route-calls.ts';
import { methodNotAllowed } from './answer.ts';
import { coercionsOf, type FieldCoercions } from './route-input.ts';

export interface MatchedRoute {
  readonly call: RouteCall;
  readonly coercions: FieldCoercions;
  readonly pathParameters: Readonly<Record<string, string>>;
}

interface RouteAtPath extends Pick<MatchedRoute, 'call' | 'coercions'> {
  readonly parameterNames: readonly string[];
}

interface PathNode {
  readonly literals: Map<string, PathNode>;
  parameter: PathNode | undefined;
  readonly routes: Map<HttpMethod, RouteAtPath>;
}

interface FoundPath {
  readonly routes: ReadonlyMap<string, RouteAtPath>;
  readonly values: readonly string[];
}

const pathNode = (): PathNode => ({ literals: new Map(), parameter: undefined, routes: new Map() });

/** Finds the route of a path below the API prefix. A literal segment wins over a parameter: `/messages/cursor` is no message id. */
export class Router {
  readonly #root = pathNode();

  constructor(calls: Iterable<RouteCall>) {
    for (const call of calls) this.#add(call);
  }

  /** @throws RelayError `not_found`, `method_not_allowed` with the methods in its details. */
  match(method: string, path: string): MatchedRoute {
    const { routes, values } = this.#find(path);
    // HEAD is GET without the body, which Node leaves out.
    const route = routes.get(method === 'HEAD' ? 'GET' : method);
    if (!route) throw methodNotAllowed(methodsOf(routes));
    const pathParameters: Record<string, string> = Object.create(null);
    for (const [index, name] of route.parameterNames.entries()) pathParameters[name] = decodeSegment(values[index] ?? '', name);
    return { call: route.call, coercions: route.coercions, pathParameters };
  }

  /** @throws RelayError `not_found`. */
  allowedMethods(path: string): readonly string[] {
    return methodsOf(this.#find(path).routes);
  }

  #add(call: RouteCall): void {
    const parameterNames: string[] = [];
    let node = this.#root;
    for (const segment of segmentsOf(call.route.path)) {
      if (segment.startsWith(':')) {
        parameterNames.push(segment.slice(1));
        node.parameter ??= pathNode();
        node = node.parameter;
      } else {
        const next = node.literals.get(segment) ?? pathNode();
        node.literals.set(segment, next);
        node = next;
      }
    }
    node.routes.set(call.route.method, { call, coercions: coercionsOf(call.route.input, call.route.formerly), parameterNames });
  }

  #find(path: string): FoundPath {
    const found = findBelow(this.#root, segmentsOf(path), []);
    if (!found) throw new RelayError('not_found', 'There is nothing at this path');
    return found;
  }
}

/** Goes back to a parameter where a literal leads nowhere: an agent may be called `find`. */
function findBelow(node: PathNode, segments: readonly string[], values: readonly string[]): FoundPath | undefined {
  const [segment, ...rest] = segments;
  if (segment === undefined) return node.routes.size === 0 ? undefined : { routes: node.routes, values };
  const literal = node.literals.get(segment);
  const found = literal && findBelow(literal, rest, values);
  if (found || !node.parameter || segment === '') return found;
  return findBelow(node.parameter, rest, [...values, segment]);
}

/** Longer paths than any route's are not worth walking. */
const MAX_SEGMENTS = 16;

const segmentsOf = (path: string): readonly string[] => path.split('/', MAX_SEGMENTS).slice(1);

function decodeSegment(segment: string, name: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    const message = 'The path is not valid percent-encoding';
    throw new RelayError('validation_failed', `${name}: ${message}`, { cause, issues: [{ path: name, message }] });
  }
}

function methodsOf(routes: ReadonlyMap<string, unknown>): readonly string[] {
  return [...routes.keys(), ...(routes.has('GET') ? ['HEAD'] : []), 'OPTIONS'].sort();
}
