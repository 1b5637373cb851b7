import type { Agent, Stall } from 'agent-relay-protocol';
import type { AgentWrite, DeliveryWrite, NewEvent } from './change.ts';
import type { Decision } from './facts.ts';
import type { FollowFacts, Rule } from './rule.ts';

/** What nobody fetched. */
export interface UntakenMail {
  readonly waiting: number;
  readonly oldestAt: number;
}

export const mailStall = ({ waiting, oldestAt }: UntakenMail): Stall => ({
  cause: 'mail',
  since: oldestAt,
  detail: `It does not take its mail: ${waiting} waiting`,
});

/** An agent that is there has stalled: its card says so, and the log once. It waits for nothing where it is offline, or is known to have stalled. */
export function beginStall(agent: Agent | null, stalled: Stall, waiting: number, at: number): Decision<null> {
  if (!agent || agent.stalled !== undefined || agent.status === 'offline') return { answer: null, change: null };
  const { cause, since: oldestAt, detail } = stalled;
  const told: NewEvent = { type: 'agent.stalled', at, agentId: agent.id, waiting, oldestAt, cause, detail };
  return { answer: null, change: { at, events: [told], agents: [{ id: agent.id, agent: { ...agent, stalled } }] } };
}

/** The end of it, where it has that cause. */
export function endStall(agent: Agent | null, cause: Stall['cause'], at: number): Decision<null> {
  if (agent?.stalled?.cause !== cause) return { answer: null, change: null };
  return { answer: null, change: { at, agents: [{ id: agent.id, agent: going(agent) }] } };
}

/** Who has stalled goes on by whatever shows it: it takes mail, its turn goes on or ends, it is not there any more, or another has its name. */
export const endsStalls: Rule = (facts, change) => {
  const written = (change.agents ?? []).map((write) => afterStall(facts, write));
  const takers = new Set((change.deliveries ?? []).flatMap((write) => (isTaken(write) ? [write.agentId] : [])));
  for (const id of takers) {
    const index = written.findIndex((write) => write.id === id);
    const agent = index === -1 ? facts.agent(id)?.agent : written[index]?.agent;
    if (agent?.stalled?.cause !== 'mail') continue;
    if (index === -1) written.push({ id, agent: going(agent) });
    else written[index] = { ...written[index], id, agent: going(agent) };
  }
  const recovered = new Set(written.flatMap((write) => (hasRecovered(facts, write) ? [write.id] : [])));
  if (recovered.size === 0) return change;
  const told = (change.events ?? []).map((event) =>
    'agent' in event && recovered.has(event.agent.id) ? { ...event, agent: going(event.agent) } : event,
  );
  const events = [...told, ...[...recovered].map((agentId): NewEvent => ({ type: 'agent.recovered', at: change.at, agentId }))];
  return { ...change, events, agents: written };
};

/** Who is removed is told of by that alone. */
const hasRecovered = (facts: FollowFacts, { id, agent }: AgentWrite): boolean =>
  agent !== null && agent.stalled === undefined && facts.agent(id)?.agent?.stalled !== undefined;

function afterStall(facts: FollowFacts, write: AgentWrite): AgentWrite {
  const { id, agent } = write;
  const before = facts.agent(id)?.agent;
  if (!agent?.stalled || !before?.stalled) return write;
  const isOther = agent.epoch > before.epoch || agent.status === 'offline';
  const isMoving = agent.stalled.cause === 'mail' ? agent.sessionId !== null && agent.status === 'busy' : agent.status === 'idle';
  return isOther || isMoving ? { ...write, agent: going(agent) } : write;
}

const isTaken = ({ next: { state } }: DeliveryWrite): boolean => state !== 'queued' && state !== 'failed' && state !== 'expired';

const going = ({ stalled: _over, ...agent }: Agent): Agent => agent;
