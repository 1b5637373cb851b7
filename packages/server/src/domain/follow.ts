import type { ChannelBinding, Claim, HeldClaim, OpenPair, Task } from 'agent-relay-protocol';
import type { AgentWrite, Change, NewEvent } from './change.ts';
import { releaseAll } from './claim-changes.ts';
import type { AddressEntry } from './directory.ts';
import type { OfferedWork } from './facts.ts';
import { endPairChange } from './pair-changes.ts';
import { endTask, followClaim, isActive, type TaskStep } from './task-lifecycle.ts';

/** What is looked up only where a change makes it matter; as it was before the change. */
export interface FollowFacts {
  agent(id: string): AddressEntry | undefined;
  heldBy(agentId: string): readonly HeldClaim[];
  openPairOf(agentId: string): OpenPair | null;
  bindingsOf(channelId: string): readonly ChannelBinding[];
  task(id: number): Task | null;
  /** The work that a message offers. */
  workOn(messageId: number): OfferedWork | null;
}

/**
 * What follows from what, whoever decided it and in the same commit. The one place of rules that lie across resources:
 * - an agent that goes offline, is replaced or removed gives its claims back and ends its pair;
 * - a channel that is none any more loses its bindings and links;
 * - a message that is emptied offers no work, and ends the task that it offered;
 * - a claim moves its task, where no step of it is given;
 * - a task that has ended is nobody's to claim.
 */
export function follow(facts: FollowFacts, change: Change): Change {
  const leaving = change.agents === undefined ? change : withLeavings(facts, change, change.agents);
  const emptied = leaving.emptied === undefined ? leaving : withEmptied(facts, leaving);
  return emptied.claims === undefined && emptied.tasks === undefined ? emptied : withTasks(facts, emptied);
}

function withLeavings(facts: FollowFacts, change: Change, agents: readonly AgentWrite[]): Change {
  let next = change;
  for (const write of agents) {
    const before = facts.agent(write.id);
    const left = causeOf(before, write);
    if (left !== null) next = withGivenBack(facts, next, write.id, left);
    if (before?.agent?.kind === 'channel' && write.agent?.kind !== 'channel') next = withoutChannel(facts, next, write.id);
  }
  return next;
}

interface Leaving {
  readonly cause: 'offline' | 'replaced' | 'removed';
  readonly reason: string;
}

/** Whether somebody is no longer there as who they were. */
function causeOf(before: AddressEntry | undefined, { id, agent, because }: AgentWrite): Leaving | null {
  if (agent === null) return { cause: 'removed', reason: because ?? `${id} was removed` };
  if (before !== undefined && agent.epoch > before.epoch && before.epoch > 0) {
    return { cause: 'replaced', reason: because ?? `A newer session of ${id} has taken over` };
  }
  return agent.status === 'offline' ? { cause: 'offline', reason: because ?? `${id} went offline` } : null;
}

function withGivenBack(facts: FollowFacts, change: Change, id: string, { cause, reason }: Leaving): Change {
  const decided = new Set(change.claims?.map(({ claimId }) => claimId));
  const held = facts.heldBy(id).filter(({ claimId }) => !decided.has(claimId));
  const released = releaseAll(held, reason, change.at);
  const open = facts.openPairOf(id);
  const isDecided = open === null || change.pairs?.some((pair) => pair.id === open.id) === true;
  const ended = isDecided ? null : endPairChange(open, { by: id, cause, reason }, change.at).change;
  if (held.length === 0 && ended === null) return change;
  return {
    ...change,
    events: [...(change.events ?? []), ...released.events, ...(ended?.events ?? [])],
    claims: [...(change.claims ?? []), ...released.claims],
    pairs: [...(change.pairs ?? []), ...(ended?.pairs ?? [])],
    notices: [...(ended?.notices ?? []), ...(change.notices ?? [])],
  };
}

function withoutChannel(facts: FollowFacts, change: Change, id: string): Change {
  const bindings = facts.bindingsOf(id);
  const told = bindings.map((binding): NewEvent => ({ type: 'channel.unbound', at: change.at, binding }));
  return {
    ...change,
    events: [...(change.events ?? []), ...told],
    unbound: [...(change.unbound ?? []), ...bindings],
    endedChannels: [...(change.endedChannels ?? []), id],
  };
}

function withEmptied(facts: FollowFacts, change: Change): Change {
  const closed: Pick<Claim, 'kind' | 'subjectId'>[] = [];
  const steps: TaskStep[] = [];
  for (const { id, claimable } of change.emptied ?? []) {
    const work = claimable ? facts.workOn(id) : null;
    if (work?.status !== 'open') continue;
    closed.push({ kind: work.kind, subjectId: id });
    const task = work.kind === 'task' ? facts.task(id) : null;
    if (task && isActive(task)) {
      steps.push(endTask(task, { status: 'canceled', result: 'Its message was deleted', by: 'relay', at: change.at }));
    }
  }
  return { ...change, tasks: [...(change.tasks ?? []), ...steps], closedWork: [...(change.closedWork ?? []), ...closed] };
}

function withTasks(facts: FollowFacts, change: Change): Change {
  const given = change.tasks ?? [];
  const stepped = new Set(given.map(({ task }) => task.id));
  /** Each as the claims before have left it. */
  const moved = new Map<number, Task | null>();
  const steps = [...given];
  for (const claim of change.claims ?? []) {
    if (claim.kind !== 'task' || stepped.has(claim.subjectId)) continue;
    const task = moved.has(claim.subjectId) ? moved.get(claim.subjectId) : facts.task(claim.subjectId);
    const step = task ? followClaim(task, claim, change.at) : null;
    if (step) steps.push(step);
    moved.set(claim.subjectId, step?.task ?? task ?? null);
  }
  const ended = steps.flatMap(({ task }) => (isActive(task) ? [] : [{ kind: 'task' as const, subjectId: task.id }]));
  return { ...change, tasks: steps, closedWork: [...(change.closedWork ?? []), ...ended] };
}
