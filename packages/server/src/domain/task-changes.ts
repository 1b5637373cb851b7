import { RELAY_AGENT_ID } from 'agent-relay-protocol';
import type { Change } from './change.ts';
import { endClaim } from './claim.ts';
import { claimEvent } from './claim-changes.ts';
import type { TaskFound } from './facts.ts';
import { noticeTo } from './notices.ts';
import type { TaskStep } from './task-lifecycle.ts';

/** Ends a task over its holder's head: the fence moves on, and the holder is told to stop. */
export function endFromOutside({ claim, task }: TaskFound, step: TaskStep, reason: string, at: number): Change {
  if (claim?.status !== 'held') return { at, tasks: [step] };
  const cancelled = endClaim(claim, { status: 'cancelled', reason }, at);
  const body = `Task ${task.id} is ${step.task.status}: stop working on it. ${reason}. A result from you would be refused.`;
  const payload = { type: step.type, taskId: task.id, claimId: claim.claimId, fence: claim.fence };
  return {
    at,
    events: [claimEvent('claim.cancelled', cancelled, at)],
    claims: [cancelled],
    tasks: [step],
    notices: claim.agentId === RELAY_AGENT_ID ? [] : [noticeTo({ to: claim.agentId, body, about: task.id, payload, at })],
  };
}
