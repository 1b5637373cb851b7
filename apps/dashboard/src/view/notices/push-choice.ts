import { type PushTopic, pushTopics } from 'agent-relay-protocol';

const KEY = 'agent-relay-push';

/** That this browser is told while its page is closed. */
export interface PushChoice {
  /** What the relay calls it. */
  readonly id: string;
  readonly topics: readonly PushTopic[];
  /** Where its push service took pushes. */
  readonly endpoint: string;
  /** The session that subscribed it: the subscription ends with that. */
  readonly session: string | null;
}

export function readPushChoice(): PushChoice | null {
  try {
    const read: unknown = JSON.parse(window.localStorage.getItem(KEY) ?? 'null');
    return isChoice(read) ? read : null;
  } catch {
    return null;
  }
}

export function keepPushChoice(choice: PushChoice | null): void {
  if (choice === null) window.localStorage.removeItem(KEY);
  else window.localStorage.setItem(KEY, JSON.stringify(choice));
}

const isChoice = (read: unknown): read is PushChoice =>
  typeof read === 'object' &&
  read !== null &&
  'id' in read &&
  typeof read.id === 'string' &&
  'endpoint' in read &&
  'session' in read &&
  'topics' in read &&
  Array.isArray(read.topics) &&
  read.topics.every((topic) => pushTopics.some((known) => known === topic));
