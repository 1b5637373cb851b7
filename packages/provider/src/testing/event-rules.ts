import { isAbsolute } from 'node:path';
import { type AgentEvent, AgentEventSchema } from 'agent-relay-protocol';

/** What is wrong with the events of an ended session, in sentences; empty when all that the contract promises holds. */
export function brokenEventRules(events: readonly AgentEvent[]): readonly string[] {
  return [...malformedEvents(events), ...brokenTurns(events), ...brokenTools(events), ...brokenEnd(events)];
}

function malformedEvents(events: readonly AgentEvent[]): string[] {
  return events.flatMap((event) => {
    const parsed = AgentEventSchema.safeParse(event);
    const broken = parsed.success ? [] : [`${event.type} is not an AgentEvent: ${parsed.error.message}`];
    if (event.type !== 'file.changed') return broken;
    const relative = event.changes.filter(({ path }) => !isAbsolute(path));
    return [...broken, ...relative.map(({ path }) => `the path ${path} is not absolute`)];
  });
}

function brokenTurns(events: readonly AgentEvent[]): string[] {
  const broken: string[] = [];
  const ended = new Set<string>();
  let open: string | undefined;
  for (const event of events) {
    if (event.type === 'turn.started') {
      if (open !== undefined) broken.push(`turn ${event.turnId} started while ${open} was open`);
      open = event.turnId;
    } else if (event.type === 'turn.completed' || event.type === 'turn.failed') {
      if (open !== event.turnId) broken.push(`turn ${event.turnId} ended while ${open ?? 'none'} was open`);
      if (ended.has(event.turnId)) broken.push(`turn ${event.turnId} ended twice`);
      ended.add(event.turnId);
      open = undefined;
    }
  }
  return open === undefined ? broken : [...broken, `turn ${open} never ended`];
}

function brokenTools(events: readonly AgentEvent[]): string[] {
  const broken: string[] = [];
  const started = new Set<string>();
  const open = new Set<string>();
  for (const event of events) {
    if (event.type === 'tool.started') {
      if (started.has(event.itemId)) broken.push(`tool ${event.itemId} started twice`);
      started.add(event.itemId);
      open.add(event.itemId);
    } else if (event.type === 'tool.completed') {
      if (!started.has(event.itemId)) broken.push(`tool ${event.itemId} completed without a start`);
      open.delete(event.itemId);
    }
  }
  return [...broken, ...[...open].map((itemId) => `tool ${itemId} never completed`)];
}

function brokenEnd(events: readonly AgentEvent[]): string[] {
  const ends = events.filter(({ type }) => type === 'session.ended').length;
  const last = events.at(-1)?.type;
  return [
    ...(last === 'session.ended' ? [] : [`the last event is ${last ?? 'none'}, not session.ended`]),
    ...(ends > 1 ? ['the session ended more than once'] : []),
  ];
}
