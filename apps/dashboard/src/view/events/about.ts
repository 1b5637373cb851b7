import type { RelayEvent } from 'agent-relay-client';

/** In what an event carries, what tells it from others of its kind. */
const names = [
  'messageId',
  'agentId',
  'from',
  'to',
  'taskId',
  'approvalId',
  'claimId',
  'nodeId',
  'sessionId',
  'pairId',
  'channelId',
  'id',
  'title',
  'name',
  'by',
] as const;
/** How it is now, which is told however many of those there are. */
const states = ['status', 'state'] as const;

/** What an event is about, in a few words: its own ids, and those of what it carries. */
export function aboutOf({ type: _type, seq: _seq, at: _at, ...event }: RelayEvent): string {
  const nested = Object.values(event).filter((value) => typeof value === 'object' && value !== null && !Array.isArray(value));
  const fields: Readonly<Record<string, unknown>> = Object.assign({}, ...nested, event);
  const told = (among: readonly string[]): readonly string[] =>
    among.flatMap((name) => {
      const value = fields[name];
      return typeof value === 'string' || typeof value === 'number' ? [`${name} ${String(value).slice(0, 80)}`] : [];
    });
  return [...told(names).slice(0, 4), ...told(states).slice(0, 1)].join(' · ');
}
