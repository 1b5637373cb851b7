import type { Claim, Task } from 'agent-relay-protocol';
import { withdrawsQuestions } from './approval-changes.ts';
import type { Change, NewEvent } from './change.ts';
import { givesClaimsBack, movesWork } from './claim-changes.ts';
import { notesControllers } from './controllers.ts';
import { notesDeadLetters } from './dead-letters.ts';
import { endsPairs } from './pair-changes.ts';
import { endsReservations } from './reservation-changes.ts';
import type { FollowFacts, Rule } from './rule.ts';
import { endsStalls } from './stall.ts';
import { endTask, followClaim, isActive, type TaskStep } from './task-lifecycle.ts';
import { endsPushes, endsTokens, namesTokens, protectsCards } from './token-changes.ts';
import { endsWakes } from './wake.ts';

/**
 * What follows from what, whoever decided it and in the same commit: every rule that lies across resources, in the order in which one may follow
 * from another.
 */
const rules: readonly Rule[] = [
  endsTokens,
  namesTokens,
  protectsCards,
  endsPushes,
  // An agent that goes offline, is replaced or removed.
  givesClaimsBack,
  endsPairs,
  endsReservations,
  endsWakes,
  withdrawsQuestions,
  withoutChannels,
  withEmptied,
  withTasks,
  movesWork,
  notesControllers,
  endsStalls,
  notesDeadLetters,
];

export const follow = (facts: FollowFacts, change: Change): Change => rules.reduce((next, rule) => rule(facts, next), change);

/** A channel that is none any more loses its bindings and links. */
function withoutChannels(facts: FollowFacts, change: Change): Change {
  const ended = (change.agents ?? []).flatMap(({ id, agent }) =>
    facts.agent(id)?.agent?.kind === 'channel' && agent?.kind !== 'channel' ? [id] : [],
  );
  if (ended.length === 0) return change;
  const bindings = ended.flatMap((id) => facts.bindingsOf(id));
  const told = bindings.map((binding): NewEvent => ({ type: 'channel.unbound', at: change.at, binding }));
  return {
    ...change,
    events: [...(change.events ?? []), ...told],
    unbound: [...(change.unbound ?? []), ...bindings],
    endedChannels: [...(change.endedChannels ?? []), ...ended],
  };
}

/** A message that is emptied offers no work, and ends the task that it offered. */
function withEmptied(facts: FollowFacts, change: Change): Change {
  if (change.emptied === undefined) return change;
  const closed: Pick<Claim, 'kind' | 'subjectId'>[] = [];
  const steps: TaskStep[] = [];
  for (const { id, claimable } of change.emptied) {
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

/** A claim moves its task, where no step of it is given; and a task that has ended is nobody's to claim. */
function withTasks(facts: FollowFacts, change: Change): Change {
  if (change.claims === undefined && change.tasks === undefined) return change;
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
