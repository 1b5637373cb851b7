import { routes } from '../resources.ts';
import type { CallableRoute, Route } from '../route.ts';

const callOf = ({ method, path, scope, alsoScopes, anonymous, wait }: Route): CallableRoute => ({
  ...{ method, path, scope, anonymous },
  ...(alsoScopes && { alsoScopes }),
  ...(wait && { wait }),
});

const calls = Object.entries(routes).map(([name, route]) => [name, callOf(route)] as const);

/** Every route as who calls it has to know it, without its schemas. */
export const callTable = Object.fromEntries(calls) as Readonly<Record<keyof typeof routes, CallableRoute>>; // one for each key of `routes`
