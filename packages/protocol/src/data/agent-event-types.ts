import { AgentEventSchema, type AgentEventType } from '../agent-event.ts';

/** The types of everything that an agent does. */
export const agentEventTypes: readonly AgentEventType[] = AgentEventSchema.options.map(({ shape }) => shape.type.value);
