import type { Facts } from '../../src/domain/facts.ts';
import type { Store } from '../../src/store/store.ts';

/*
 * A store as one that is reached over a network would be: it shows a decision only what it fetched before. What the decision looks up besides is
 * fetched, and the decision runs again. While one runs, the store itself answers nothing: whatever passes on it decides by its facts alone.
 */

const MAX_RUNS = 50;

/** What a decision looked up and was not shown. */
class NotFetched extends Error {
  readonly key: string;
  readonly fetch: () => unknown;

  constructor(key: string, fetch: () => unknown) {
    super(`not fetched: ${key}`);
    this.key = key;
    this.fetch = fetch;
  }
}

type Decide = (...shown: never[]) => unknown;

/** How many decisions run now: none, or one. */
let deciding = 0;

/** The log is read, and decides nothing. */
export const askingStore = <Asked extends Store>(store: Asked): Asked =>
  wrapped(store, (name, port) => (name === 'log' || typeof port !== 'object' || port === null ? port : askingPort(port)));

const askingPort = (port: object): object =>
  wrapped(port, (name, member) => {
    if (name === 'index') return outsideOfDecisions(member as object); // the agents'
    if (typeof member !== 'function') return member;
    return (...given: unknown[]) => {
      if (deciding > 0) throw new Error(`A decision calls ${name} of the store: it is shown facts`);
      const decide = isDecided(name) ? given.at(-1) : undefined;
      const args =
        typeof decide === 'function' ? [...given.slice(0, -1), (...shown: unknown[]) => decided(decide as Decide, shown)] : given;
      return Reflect.apply(member, port, args);
    };
  });

/** Whoever listens is told of something that has happened; an act is remembered with whatever it does, and decides nothing itself. */
const isDecided = (name: string): boolean => !/^on[A-Z]/u.test(name) && name !== 'during';

/** What is decided by what was fetched, as often as it takes. */
export function decided(decide: Decide, shown: readonly unknown[]): unknown {
  const fetched = new Map<string, unknown>();
  const asking = shown.map((value) => (isFacts(value) ? askingFacts(value, '', fetched) : value));
  for (let run = 0; run < MAX_RUNS; run += 1) {
    try {
      deciding += 1;
      return decide(...(asking as never[])); // of the types that it is shown
    } catch (error) {
      if (!(error instanceof NotFetched)) throw error;
      fetched.set(error.key, error.fetch());
    } finally {
      deciding -= 1;
    }
  }
  throw new Error(`A decision looks up more than ${MAX_RUNS} things, or other ones each time`);
}

/** Agents every relay has in memory, whatever its engine is (record 45). */
function askingFacts(facts: object, path: string, fetched: Map<string, unknown>): object {
  return wrapped(facts, (name, value) => {
    if (name === 'records') return askingFacts(value as object, 'records.', fetched); // it is RecordFacts
    if (typeof value !== 'function') return value;
    return (...args: unknown[]) => {
      const key = `${path}${name}${JSON.stringify(args)}`;
      if (!fetched.has(key)) throw new NotFetched(key, () => Reflect.apply(value, facts, args));
      return fetched.get(key);
    };
  });
}

/** Who there is as of the last commit: a decision is shown its own. */
const outsideOfDecisions = (index: object): object =>
  wrapped(index, (name, member) => {
    if (deciding > 0) throw new Error(`A decision looks into the index (${name}): it is shown facts.agents`);
    if (name !== 'in') return member;
    return (workspace: string) => outsideOfDecisions(Reflect.apply(member as (workspace: string) => object, index, [workspace]));
  });

const isFacts = (value: unknown): value is Facts => typeof value === 'object' && value !== null && 'nextId' in value && 'records' in value;

function wrapped<Target extends object>(target: Target, view: (name: string, value: unknown) => unknown): Target {
  return new Proxy(target, {
    get: (from, name) => {
      const value = Reflect.get(from, name, from);
      return typeof name === 'string' ? view(name, typeof value === 'function' ? value.bind(from) : value) : value;
    },
  });
}
