import { type RouteName, type RouteOutput, type RouteRequest, routeNames } from 'agent-relay-protocol';
import type { CallOptions } from './options.ts';

/** One call of the route table. Rejects with the relay's own `RelayError`, or `connection_closed` when it cannot be reached. */
export type Call<Name extends RouteName> =
  Record<never, never> extends RouteRequest<Name>
    ? (request?: RouteRequest<Name>, options?: CallOptions) => Promise<RouteOutput<Name>>
    : (request: RouteRequest<Name>, options?: CallOptions) => Promise<RouteOutput<Name>>;

type Noun<Name extends RouteName> = Name extends `${infer Before}/${string}` ? Before : never;

/** Every route as `relay.<noun>.<verb>(request)`: `messages/send` is `relay.messages.send`. */
export type RelayCalls = {
  readonly [Group in Noun<RouteName>]: {
    readonly [Name in RouteName as Name extends `${Group}/${infer Verb}` ? Verb : never]: Call<Name>;
  };
};

/** Carries a request to the relay; what it resolves with is the route's output. */
export type Transport = (name: RouteName, request: object, options: CallOptions) => Promise<unknown>;

export function createCalls(transport: Transport): RelayCalls {
  const groups: Record<string, Record<string, (request?: object, options?: CallOptions) => Promise<unknown>>> = {};
  for (const name of routeNames) {
    const [noun = '', verb = ''] = name.split('/');
    const group = groups[noun] ?? {};
    groups[noun] = group;
    group[verb] = (request = {}, options = {}) => transport(name, request, options);
  }
  // The loop above makes exactly one function for each route name, which is what RelayCalls maps.
  return groups as unknown as RelayCalls;
}
