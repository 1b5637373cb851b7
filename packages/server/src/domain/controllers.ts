import {
  type Approval,
  HOOK_MESSAGE_KIND,
  type Principal,
  principalName,
  type SessionController,
  watchingLimits,
} from 'agent-relay-protocol';
import { isDirect } from './audience.ts';
import type { Change, NewEvent, NewMessage, Steer } from './change.ts';
import type { Decision, Facts } from './facts.ts';
import { type Resource, recordKey, recordWrite } from './resource.ts';
import type { FollowFacts } from './rule.ts';

/** Who steers one session, as it is kept while that runs. */
export interface Steering {
  readonly id: number;
  readonly agentId: string;
  readonly sessionId: string;
  /** Whoever did so last stands last. */
  readonly controllers: readonly SessionController[];
  readonly isOver: boolean;
}

/** All that is kept of sessions that run. */
export const STEERED = recordKey({ state: 'steered' });
/** What is kept of one session. */
export const steeringOf = (sessionId: string): string => recordKey({ session: encodeURIComponent(sessionId) });

export const steeringResource: Resource<Steering> = {
  name: 'steering',
  read: (stored) => stored as Steering, // nobody but this program writes it, and it has had no other form
  keys: ({ isOver, sessionId }) => (isOver ? [] : [STEERED, steeringOf(sessionId)]),
  exclusive: () => [],
  isOpen: ({ isOver }) => !isOver,
};

/** Who steers by what they do themselves: people, agents and programs. What a rule, a hook or the relay does is not steered by anybody. */
const steersByName = /^(?:(?:owner|anonymous)$|(?:person|agent|token|integration):)/u;

/** Who a call steers as; a machine steers in the name of an agent that it runs, or not at all. */
export function steererOf(principal: Principal, agentId: string | null): string | null {
  if (agentId !== null) return `agent:${agentId}`;
  return principal.type === 'node' ? null : principalName(principal);
}

/** Those that still count. */
export const controllersAt = (controllers: readonly SessionController[], at: number): SessionController[] =>
  controllers.filter(({ lastAt }) => at - lastAt < watchingLimits.steeringMs);

/** Whoever steers a session is kept with it, and whoever begins to is told of; what is kept ends with the session. */
export function notesControllers(facts: FollowFacts, change: Change): Change {
  const ended = new Set(change.sessions?.flatMap(({ sessionId, status }) => (isUnfinished(status) ? [] : [sessionId])));
  const noted = new Noted(facts, change.at);
  for (const { agentId, by, ...named } of steersIn(change)) {
    const sessionId = sessionOf(facts, change, agentId);
    const isOther = sessionId === null || ended.has(sessionId) || (named.sessionId ?? sessionId) !== sessionId;
    if (!isOther && by !== `agent:${agentId}` && steersByName.test(by)) noted.steer(agentId, sessionId, by);
  }
  for (const sessionId of ended) noted.end(sessionId);
  return noted.addTo(change);
}

/** The session that an agent has, or begins by this change. */
const sessionOf = (facts: FollowFacts, { agents }: Change, agentId: string): string | null =>
  (agents?.findLast(({ id }) => id === agentId) ?? facts.agent(agentId))?.agent?.sessionId ?? null;

/** The steering of some sessions before and after a change. */
class Noted {
  readonly #facts: Pick<FollowFacts, 'records' | 'nextId'>;
  readonly #at: number;
  readonly #before = new Map<string, Steering | null>();
  readonly #after = new Map<string, Steering>();

  constructor(facts: Pick<FollowFacts, 'records' | 'nextId'>, at: number) {
    this.#facts = facts;
    this.#at = at;
  }

  steer(agentId: string, sessionId: string, by: string): void {
    const before = this.#find(sessionId);
    // Each that is new is told of: no later one is given the same number.
    const current = this.#after.get(sessionId) ?? before ?? this.#begin(agentId, sessionId);
    this.#after.set(sessionId, { ...current, controllers: afterSteering(current.controllers, by, this.#at) });
  }

  end(sessionId: string): void {
    const before = this.#find(sessionId);
    if (before) this.#after.set(sessionId, { ...before, isOver: true });
  }

  addTo(change: Change): Change {
    const steps = [...this.#after].map(([sessionId, after]) => stepOf(this.#before.get(sessionId) ?? null, after, change.at));
    if (!steps.some(({ records }) => records.length > 0)) return change;
    return {
      ...change,
      events: [...(change.events ?? []), ...steps.flatMap(({ events }) => events)],
      records: [...(change.records ?? []), ...steps.flatMap(({ records }) => records)],
    };
  }

  #find(sessionId: string): Steering | null {
    let found = this.#before.get(sessionId);
    if (found === undefined) {
      found = this.#facts.records.under(steeringResource, steeringOf(sessionId))[0] ?? null;
      this.#before.set(sessionId, found);
    }
    return found;
  }

  #begin(agentId: string, sessionId: string): Steering {
    return { id: this.#facts.nextId + this.#after.size, agentId, sessionId, controllers: [], isOver: false };
  }
}

/** Whoever has not steered for a while is no controller any more. */
export function forgetControllers({ records }: Pick<Facts, 'records'>, at: number): Decision<void> {
  const steps = records
    .under(steeringResource, STEERED)
    .map((before) => stepOf(before, { ...before, controllers: controllersAt(before.controllers, at) }, at));
  const change = { at, events: steps.flatMap(({ events }) => events), records: steps.flatMap((step) => step.records) };
  return { answer: undefined, change: change.records.length === 0 ? null : change };
}

export function afterSteering(controllers: readonly SessionController[], by: string, at: number): readonly SessionController[] {
  const current = controllersAt(controllers, at);
  const known = current.find((each) => each.by === by);
  if (known && at - known.lastAt < watchingLimits.sameActMs) return current;
  const others = current.filter((each) => each !== known);
  return [...others, { by, since: known?.since ?? at, lastAt: at }].slice(-watchingLimits.controllers);
}

/** What is written of it, and told where others steer than before. */
function stepOf(before: Steering | null, after: Steering, at: number) {
  const [had, has] = [before?.controllers ?? [], after.controllers];
  const isSame = before?.isOver === after.isOver && had.length === has.length && had.every((each, index) => each === has[index]);
  if (isSame) return { events: [], records: [] };
  const joined = namesBeside(has, had);
  const left = namesBeside(had, has);
  const { agentId, sessionId } = after;
  const told: NewEvent = { type: 'controllers.updated', at, agentId, sessionId, joined, left, controllers: [...has] };
  return { events: joined.length + left.length === 0 ? [] : [told], records: [recordWrite(steeringResource, after)] };
}

const namesBeside = (some: readonly SessionController[], others: readonly SessionController[]): string[] =>
  some.flatMap(({ by }) => (others.some((other) => other.by === by) ? [] : [by]));

const isUnfinished = (status: string): boolean => status === 'starting' || status === 'running';

const nothing: readonly Steer[] = [];

function steersIn({ steers = nothing, sent, approvals }: Change): readonly Steer[] {
  if (approvals === undefined && !sent?.some(steersItsReader)) return steers;
  return [...steers, ...(sent ?? []).flatMap(steerOfMail), ...(approvals ?? []).flatMap(steerOfAnswer)];
}

/** Mail to one agent that interrupts its turn or goes into it. What hooks send nobody says. */
const steersItsReader = ({ draft: { mode, to, kind } }: NewMessage): boolean =>
  (mode === 'now' || mode === 'urgent') && isDirect(to) && kind !== HOOK_MESSAGE_KIND;

function steerOfMail(message: NewMessage): Steer[] {
  const { from, to, sender } = message.draft;
  const agentId = to.slice(3);
  if (!steersItsReader(message) || from === agentId) return [];
  return [{ agentId, by: sender.principal.startsWith('node:') ? `agent:${from}` : sender.principal }];
}

const steerOfAnswer = ({ agentId, sessionId, status, by }: Approval): Steer[] =>
  by !== null && (status === 'allowed' || status === 'denied') ? [{ agentId, sessionId, by }] : [];
