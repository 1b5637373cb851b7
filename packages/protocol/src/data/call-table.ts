import { routes } from '../resources.ts';
import type { Route, RouteCall } from '../route.ts';
import type { RouteName } from '../routes.ts';

const callOf = ({ method, path, scope, alsoScopes, anonymous, wait }: Route): RouteCall => ({
  ...{ method, path, scope, anonymous },
  ...(alsoScopes && { alsoScopes }),
  ...(wait && { wait }),
});

const calls = Object.entries(routes).map(([name, route]) => [name, callOf(route)] as const);

/** Every route as who calls it has to know it, without its schemas. */
export const callTable = Object.fromEntries(calls) as Readonly<Record<RouteName, RouteCall>>; // one for each key of `routes`
