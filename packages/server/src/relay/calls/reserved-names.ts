import { type Node, OWNER_AGENT_ID, PERSON, type Principal, RELAY_AGENT_ID, RelayError, routeNames, routes } from 'agent-relay-protocol';
import { RecentMap, shapesOf } from 'agent-relay-wire';
import { isBuiltIn } from '../../domain/membership.ts';
import { agentOf, isOwner } from '../../domain/scopes.ts';
import type { AgentIndex } from '../../store/agent-index.ts';
import type { CallContext, RelayHandlers } from '../contract/relay-contract.ts';

/** Machines whose offers are remembered; the one whose offer changed longest ago goes first. */
const MACHINES = 1_000;

/**
 * Names that mean something by themselves: the relay's own, its integrations', those of the kinds of agents its machines offer, and every name of a
 * person (`person:<id>`).
 */
export class ReservedNames {
  readonly #own: readonly string[];
  /** What each machine offered last: however often one attaches, it has no more names than it offers. */
  readonly #offers = new RecentMap<string, readonly string[]>(MACHINES);
  /** Made when somebody asks; null after an offer changed. */
  #byShape: ReadonlyMap<string, string> | null = null;

  constructor(names: readonly string[]) {
    this.#own = [OWNER_AGENT_ID, RELAY_AGENT_ID, ...names];
  }

  /** The kinds of agents that a machine offers now. */
  offer(machine: string, names: readonly string[]): void {
    if (this.#offers.get(machine)?.join('\n') === names.join('\n')) return;
    this.#offers.set(machine, names);
    this.#byShape = null;
  }

  /** The reserved name that this one is, or could be taken for; null when there is none. */
  likenessOf(name: string): string | null {
    this.#byShape ??= byShape([...[...this.#offers.values()].flat(), ...this.#own]);
    for (const shape of shapesOf(name)) {
      const found = this.#byShape.get(wordOf(shape));
      if (found !== undefined) return found;
      if (personShapes.some((person) => shape.replace(/\s/gu, '').includes(person))) return PERSON;
    }
    return null;
  }
}

const personShapes = shapesOf(PERSON);

function byShape(names: readonly string[]): ReadonlyMap<string, string> {
  return new Map(names.flatMap((name) => shapesOf(name).map((shape) => [wordOf(shape), name] as const)));
}

/** What is left of a name when nobody minds its punctuation, and what two letters look like beside each other. */
const wordOf = (shape: string): string => shape.replace(/[^\p{L}\p{N}]/gu, '').replaceAll('vv', 'w') || shape;

type Fields = Readonly<Record<string, unknown>>;
type AnyHandler = (input: unknown, context: CallContext) => unknown;

/** In whose name a call is made, on whatever route that does something; where a call only reads they say what is looked for. */
const actors = ['from', 'agentId', 'source'] as const;
/** What a call names somebody; where it gives an id it gives an address. */
const givenNames: Readonly<Record<string, readonly string[]>> = {
  'agents/register': ['id', 'name', 'label'],
  'agents/label': ['label'],
  'sessions/start': ['name', 'label'],
};

/**
 * The handlers for everybody but the owner: nobody takes or acts under a reserved name, or one that looks like it, but whom it belongs to. One
 * that is registered was looked at when it was.
 */
export function namedHandlers(handlers: RelayHandlers, reserved: ReservedNames, index: Pick<AgentIndex, 'in'>): RelayHandlers {
  const named = routeNames.map((route) => {
    const handler = handlers[route] as AnyHandler; // it is passed on what its own caller gave
    const given = givenNames[route] ?? [];
    const acting = routes[route].method === 'GET' ? [] : actors;
    const call: AnyHandler = (input, context) => {
      const { principal } = context;
      if (!isOwner(principal) && typeof input === 'object' && input !== null) {
        const fields = input as Fields; // the schemas of all routes are objects
        for (const field of acting) assertOwn(principal, { field, name: fields[field] }, reserved, index);
        if (!(route === 'sessions/start' && principal.type === 'token' && principal.agentId === null))
          for (const field of given) assertOwn(principal, { field, name: fields[field] }, reserved, index);
      }
      return handler(input, context);
    };
    return [route, call] as const;
  });
  return Object.fromEntries(named) as unknown as RelayHandlers; // one entry for each route, with the signature of its handler
}

/** @throws RelayError `forbidden` at the field. */
function assertOwn(
  principal: Principal,
  { field, name }: { readonly field: string; readonly name: unknown },
  reserved: ReservedNames,
  index: Pick<AgentIndex, 'in'>,
): void {
  if (typeof name !== 'string' || name === agentOf(principal)) return;
  if (principal.type === 'integration' && name === principal.name) return;
  // Built-in ids have rules and refusals of their own.
  if (isBuiltIn(name) && field !== 'label') return;
  const agent = index.in(principal.workspace).find(name)?.agent;
  if (agent && (agent.protected || reserved.likenessOf(name) !== name)) return;
  const likeness = reserved.likenessOf(name);
  if (likeness === null) return;
  const message = whyReserved(name, likeness);
  throw new RelayError('forbidden', `${field}: ${message}`, { issues: [{ path: field, message }] });
}

function whyReserved(name: string, likeness: string): string {
  if (likeness === PERSON) return `${name} reads as the name of a person`;
  return likeness === name ? `${name} is a name of the relay's own` : `${name} looks like ${likeness}, a name of the relay's own`;
}

/** The kinds of agent that a machine offers. */
export const kindsOf = ({ providers }: Pick<Node, 'providers'>): readonly string[] => providers.map(({ id }) => id);
