import type { PushMessage } from 'agent-relay-protocol';

/** Something new that waits to be pushed to one browser. */
export interface WaitingPush {
  readonly id: number;
  readonly tag: string;
  readonly urgency: 'normal' | 'high';
  readonly nextAt: number;
  readonly deadlineAt: number;
  readonly body: string;
}

/** One push in the place of others. */
export interface PushDigest {
  readonly gone: readonly number[];
  readonly push: Omit<WaitingPush, 'id'>;
}

/** What may have reached a browser is replaced there when it is over; what has not is only forgotten. */
export const mayHaveArrived = ({
  isTaken,
  attempts,
  isUnderWay,
}: {
  readonly isTaken: boolean;
  readonly attempts: number;
  readonly isUnderWay: boolean;
}): boolean => isTaken || attempts > 0 || isUnderWay;

/** So much that is new is pushed to one browser in a minute. */
export const PUSHES_A_MINUTE = 6;

/** Where one reads about all of a kind; kinds are what tags begin with. */
const pages: Readonly<Record<string, string>> = { approval: '/approvals', message: '/messages', stalled: '/fleet' };

export const kindOfPush = (tag: string): string => tag.split('/', 1)[0] ?? tag;

/** The newest of several of a kind, saying how many more there are; null where there is only one. */
export function pushDigestOf(waiting: readonly WaitingPush[]): PushDigest | null {
  const newest = waiting.findLast(({ tag }) => tag !== kindOfPush(tag));
  if (newest === undefined || waiting.length < 2) return null;
  const kind = kindOfPush(newest.tag);
  const message = messageOf(newest);
  const count = waiting.reduce((sum, push) => sum + (messageOf(push).count ?? 1), 0);
  const body = `${message.body}, and ${count - 1} more ${count === 2 ? 'waits' : 'wait'}`;
  const said: PushMessage = { ...message, body, count, path: pages[kind] ?? message.path, tag: kind };
  const deadlineAt = Math.max(...waiting.map((push) => push.deadlineAt));
  const push = { tag: kind, urgency: newest.urgency, nextAt: newest.nextAt, deadlineAt, body: JSON.stringify(said) };
  return { gone: waiting.map(({ id }) => id), push };
}

/** Where too much waits for a browser: the digest of the kind of which there is most. */
export function digestOfMost(waiting: readonly WaitingPush[]): PushDigest | null {
  const kinds = [...new Set(waiting.map(({ tag }) => kindOfPush(tag)))];
  const alike = kinds.map((kind) => waiting.filter(({ tag }) => kindOfPush(tag) === kind));
  return pushDigestOf(alike.reduce((most, each) => (each.length > most.length ? each : most), []));
}

/** As it was written. */
const messageOf = ({ body }: WaitingPush): PushMessage => JSON.parse(body);
