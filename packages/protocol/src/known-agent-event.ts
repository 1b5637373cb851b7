import { agentEventTypes } from './data/agent-event-types.ts';
import { isLongerThan } from './limits.ts';

const knownTypes: ReadonlySet<string> = new Set(agentEventTypes);
const LONGEST_TYPE = 64;

/** An agent's event of a later version as a `vendor.event` of `agent-relay`, under its own name and with all it says; every other as it is. */
export function knownAgentEvent(event: unknown): unknown {
  if (typeof event !== 'object' || event === null || !('type' in event)) return event;
  const { type: name, ...data } = event;
  if (typeof name !== 'string' || knownTypes.has(name) || name === '' || isLongerThan(name, LONGEST_TYPE)) return event;
  return { type: 'vendor.event', vendor: 'agent-relay', name, data };
}
