import { expect, test } from 'vitest';
import { type Route, routeNames, routes } from './index.ts';

const segmentsOf = ({ path }: Pick<Route, 'path'>): readonly string[] => path.split('/');

/** Words that stand in one path where another has a parameter, with that parameter's name. */
function collisions(): readonly { readonly name: string; readonly parameter: string; readonly word: string }[] {
  const table = routeNames.map((name): [string, Route] => [name, routes[name] as Route]); // the table's own `satisfies`
  return table.flatMap(([name, route]) =>
    table.flatMap(([, other]) => {
      const own = segmentsOf(route);
      const others = segmentsOf(other);
      if (route.method !== other.method || own.length !== others.length) return [];
      const differing = own.flatMap((segment, index) => (segment === others[index] ? [] : [[segment, others[index] ?? '']]));
      const [[segment = '', word = ''] = []] = differing;
      return differing.length === 1 && segment.startsWith(':') && !word.startsWith(':')
        ? [{ name, parameter: segment.slice(1), word }]
        : [];
    }),
  );
}

test('nothing can be called by a word of the API where it could then not be fetched', () => {
  const found = collisions();
  expect(found.map(({ name, word }) => `${name} ${word}`)).toContain('agents/get find');
  for (const { name, parameter, word } of found) {
    const route: Route = routes[name as keyof typeof routes] as Route; // a name of the table
    const shape: unknown = Reflect.get(route.input, 'shape');
    const field = (shape as Record<string, { safeParse(value: unknown): { success: boolean } }>)[parameter]; // routes take strict objects
    expect([name, word, field?.safeParse(word).success]).toEqual([name, word, false]);
  }
});
