import type { AgentEvent, Session } from 'agent-relay-protocol';
import { followApproval, isApprovalEvent } from './approval.ts';
import { changeTo } from './approval-changes.ts';
import type { Change } from './change.ts';
import type { ActivityFacts } from './facts.ts';
import { beginStall, endStall } from './stall.ts';

/** What a new entry of a session's activity means for what it asked, for itself and for its agent. */
export const meaningOf = ({ event }: { readonly event: AgentEvent }, facts: ActivityFacts, now: number): readonly Change[] =>
  [questionAfter(event, facts, now), conversationAfter(event, facts, now), progressAfter(event, facts, now)].flatMap(
    (change) => change ?? [],
  );

function questionAfter(event: AgentEvent, { session, findApproval }: ActivityFacts, now: number): Change | null {
  if (!isApprovalEvent(event)) return null;
  const next = followApproval(event, session, findApproval(event.approvalId), now);
  return next && changeTo(next, now);
}

/** A vendor may begin another conversation in the same session, as on `/clear`: that one is gone on with later. */
function conversationAfter(event: AgentEvent, { session }: ActivityFacts, now: number): Change | null {
  // A machine that cannot go on with a conversation named none at the start.
  if (event.type !== 'session.started' || session.vendorSessionId === null) return null;
  if (event.vendorSessionId === session.vendorSessionId) return null;
  const next: Session = { ...session, vendorSessionId: event.vendorSessionId };
  return { at: now, events: [{ type: 'session.updated', at: now, session: next }], sessions: [next] };
}

/** Its machine says when a turn stands still; whatever else it tells shows that it goes on. */
function progressAfter(event: AgentEvent, { session, agents }: ActivityFacts, now: number): Change | null {
  const agent = agents.find(session.agentId)?.agent ?? null;
  if (agent?.sessionId !== session.sessionId) return null;
  const isStill = event.type === 'agent.error' && event.code === 'no_progress';
  if (!isStill) return endStall(agent, 'turn', now).change;
  return beginStall(agent, { cause: 'turn', since: now, detail: event.message }, 0, now).change;
}
