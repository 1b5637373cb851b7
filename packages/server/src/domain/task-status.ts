import { type HeldClaim, type Principal, principalName, RelayError, type RouteInput, type Task } from 'agent-relay-protocol';
import { actAs, isOwnAt } from './act-as.ts';
import { actingId } from './acting.ts';
import type { Change } from './change.ts';
import { assertHolds, completeClaim, endClaim } from './claim.ts';
import { claimEvent, workAvailable } from './claim-changes.ts';
import type { Directory } from './directory.ts';
import type { TaskFound } from './facts.ts';
import { isOwner } from './scopes.ts';
import { endFromOutside } from './task-changes.ts';
import { assertMayFollow, endTask, followClaim, isActive, updateTask } from './task-lifecycle.ts';
import { unknownAgent } from './unknown-agent.ts';
import { completionChange } from './work-results.ts';

type StatusInput = RouteInput<'tasks/status'>;

/**
 * What follows when somebody says how a task goes: its holder writes under its claim; the owner and the task's source may end it over the holder's head.
 * Null where that was said before. @throws RelayError `forbidden`, `not_found`, `stale_fence`, `claim_closed`.
 */
export function taskStatusChange(found: TaskFound, input: StatusInput, { principal, at, agents }: StatusContext): Change | null {
  const { task, claim } = found;
  const { status, result } = input;
  const isHeldBy = (agentId: string) => claim?.status === 'held' && claim.agentId === agentId;
  const isUnnamed = input.agentId === undefined && input.fence === undefined;
  const authority = isOwner(principal) || (principal.type === 'integration' && principal.name === task.source);
  const actor = authority && isUnnamed ? null : actingId(principal, input.agentId ?? holderByFence(found, input, principal), 'agentId');
  if (actor !== null) {
    const agent = actAs(agents, principal, actor, guardOf(input));
    assertNewestFence(found, input.fence);
    if (isRepeated(task, actor, status)) return null;
    const isOfSource = actor === task.source && !isHeldBy(actor) && isOwnAt(agents, principal, actor, task.id);
    if (!isOfSource && !isHeldBy(actor) && !agents.find(actor)?.agent) throw unknownAgent(actor, agents.agents());
    if (!isOfSource) return holderChange(found, input, { agentId: actor, epoch: agent?.epoch ?? 0, at, principal, agents });
  }
  if (!isActive(task) && task.status === status) return null;
  if (status !== 'done' && status !== 'failed' && status !== 'canceled') {
    throw new RelayError('forbidden', `Only the agent that holds task ${task.id} says how it goes; its source and the owner may end it`);
  }
  const step = endTask(task, { status, result, by: principalName(principal), at });
  return endFromOutside(found, step, `${principalName(principal)} ended it`, at);
}

/** Who says it, when, and who there is. */
export interface StatusContext {
  readonly principal: Principal;
  readonly at: number;
  readonly agents: Directory;
}

interface HolderActs extends StatusContext {
  readonly agentId: string;
  readonly epoch: number;
}

function holderChange(
  { task, work, claim, copy }: TaskFound,
  { status, progress, result, fence }: StatusInput,
  { agentId, epoch, at, principal, agents }: HolderActs,
): Change {
  if (!isActive(task)) assertMayFollow(task, task.status);
  if (!claim) throw new RelayError('forbidden', `${agentId} does not hold task ${task.id}: claim it first`);
  const held = assertHolds(claim, work, { agentId, epoch, fence: fence ?? null, now: at });
  switch (status) {
    case undefined:
    case 'in_progress':
    case 'blocked': {
      const said = progress ?? result;
      const step = updateTask(task, { status, progress: said, by: agentId, at });
      if (said === undefined) return { at, tasks: [step] };
      const progressed: HeldClaim = { ...held, progress: said };
      return { at, events: [claimEvent('claim.progressed', progressed, at)], claims: [progressed], tasks: [step] };
    }
    case 'open': {
      const released = endClaim(held, { status: 'released', reason: null }, at);
      const step = followClaim(task, released, at);
      const events = [claimEvent('claim.released', released, at), workAvailable(released, 'released', at)];
      return { at, events, claims: [released], tasks: step ? [step] : [] };
    }
    case 'canceled': {
      const cancelled = endClaim(held, { status: 'cancelled', reason: `${agentId} cancelled it` }, at);
      const step = endTask(task, { status, result, by: agentId, at });
      return { at, events: [claimEvent('claim.cancelled', cancelled, at)], claims: [cancelled], tasks: [step] };
    }
    case 'done':
    case 'failed': {
      const completed = completeClaim(held, result ?? null, at);
      const step = endTask(task, { status, result, by: agentId, at });
      const offer = { id: task.id, from: task.source, threadId: task.id, hops: 0 };
      const told = completionChange({ claim: completed, offer, copy, outcome: status, principal, now: at }, agents);
      return { ...told, at, events: [claimEvent('claim.completed', completed, at)], claims: [completed], tasks: [step] };
    }
  }
}

/** Whoever shows the fence has the claim, so it need not say who it is. */
function holderByFence({ claim }: TaskFound, { fence }: StatusInput, { type }: Principal): string | undefined {
  return fence === undefined || type === 'agent' ? undefined : claim?.agentId;
}

/** Who shows a fence that the task has left behind is told so, whoever holds it now. */
function assertNewestFence({ task, claim }: TaskFound, fence: number | undefined): void {
  if (fence === undefined || claim === null || fence === claim.fence) return;
  throw new RelayError('stale_fence', `The work on task ${task.id} has moved on`, { details: { fence: claim.fence } });
}

/** An ending that its holder says again is answered with what it did. */
const isRepeated = (task: Task, actor: string, status: StatusInput['status']): boolean =>
  !isActive(task) && task.status === status && task.claimedBy === actor;

const guardOf = ({ epoch, instanceId }: StatusInput) => ({
  ...(epoch === undefined ? {} : { epoch }),
  ...(instanceId === undefined ? {} : { instanceId }),
});
