import type { RelayEvent, RelayEventType } from 'agent-relay-protocol';

type NounOf<Type extends RelayEventType> = Type extends `${infer Noun}.${string}` ? Noun : never;
type EventNoun = NounOf<RelayEventType>;

/** Which views the events of a noun may change; a noun that no page shows has no line. */
const viewsAbout = {
  message: ['messages', 'thread', 'holds', 'hold-count', 'throughput', 'dead-letters'],
  claim: ['messages', 'thread', 'claim'],
  delivery: ['deliveries', 'messages', 'dead-letters'],
  agent: ['agents', 'channels'],
  channel: ['channels'],
  session: ['sessions'],
  controllers: ['sessions'],
  node: ['nodes', 'pairings'],
  approval: ['approvals', 'approval-count'],
  rule: ['rules'],
  reservation: ['reservations'],
  task: ['tasks', 'task', 'task-counts', 'task-history', 'callbacks', 'callback-count', 'integrations'],
  callback: ['callbacks', 'callback-count'],
  pair: ['pairs', 'pair', 'pair-count'],
  token: ['tokens'],
  hook: ['hooks'],
} as const satisfies Partial<Record<EventNoun, readonly string[]>>;

/** What a page shows, by name; `me` and one `message` by its number do not change, and of the rest the log does not tell. */
export type ViewName = (typeof viewsAbout)[keyof typeof viewsAbout][number] | 'me' | 'message' | 'system' | 'usage' | 'audit';

const names: ReadonlyMap<string, readonly string[]> = new Map(Object.entries(viewsAbout));

/** The views that an event may change; none for an event that is newer than this page. */
export const viewsThatFollow = ({ type }: Pick<RelayEvent, 'type'>): readonly string[] => names.get(type.slice(0, type.indexOf('.'))) ?? [];
