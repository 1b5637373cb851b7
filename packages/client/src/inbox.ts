import type { InboxItem, Message } from 'agent-relay-protocol';
import { RecentSet } from 'agent-relay-wire';
import type { RelayCalls } from './calls.ts';
import { endedError } from './event-stream.ts';
import { reconnecting } from './reconnecting.ts';
import type { SocketLink } from './socket-link.ts';

export interface InboxOptions {
  readonly signal?: AbortSignal;
  /** How many pieces may be handed over before the first is acknowledged. Default 64. */
  readonly window?: number;
}

interface Guard {
  readonly instanceId: string;
  readonly epoch: number;
}

interface InboxReader extends InboxOptions {
  readonly id: string;
  readonly guard: () => Guard;
  readonly signal: AbortSignal;
  readonly acknowledge: (items: readonly InboxItem[]) => Promise<void>;
}

/** One connected stretch of an inbox; ends when the connection does. */
export type InboxSource = (request: {
  readonly id: string;
  readonly guard: Guard;
  readonly window: number;
  readonly signal: AbortSignal;
}) => AsyncIterable<readonly InboxItem[]>;

/** Enough for any window; a long-lived reader must not grow. */
export const REMEMBERED = 4096;

/** Yields each message once per hand-over and acknowledges it when the next one is asked for. */
export function readInbox(source: InboxSource, reader: InboxReader): AsyncGenerator<Message, void, undefined> {
  const { id, guard, window = 64, signal, acknowledge } = reader;
  // Acknowledged here, perhaps not there yet: after a lost connection these come again and are answered without a second hand-over.
  const done = new RecentSet<number>(REMEMBERED);
  return reconnecting(
    async function* (onOpen) {
      for await (const items of source({ id, guard: guard(), window, signal })) {
        onOpen();
        for (const item of items) {
          if (!done.has(item.message.id)) {
            yield item.message;
            done.add(item.message.id);
          }
          await acknowledge([item]);
        }
      }
    },
    { signal },
  );
}

export function pollInbox(calls: RelayCalls): InboxSource {
  return async function* ({ id, guard, window, signal }) {
    while (!signal.aborted) {
      const { data } = await calls.inbox.list({ id, ...guard, waitMs: 25_000, limit: window }, { signal });
      if (data.length > 0) yield data;
    }
  };
}

export function socketInbox(link: SocketLink): InboxSource {
  return async function* ({ id, guard, window, signal }) {
    const connection = await link.connection();
    const opened = (await connection.peer.request('inbox/subscribe', { id, ...guard, window }, { signal })) as { subscriptionId: string }; // the relay's own answer, see socketMethods
    for await (const { method, params } of connection.follow(opened.subscriptionId, signal)) {
      if (method === 'inbox/next')
        yield params['items'] as InboxItem[]; // shape of socketNotifications, said by the relay
      else if (method === 'subscription/ended') throw endedError(params);
    }
  };
}
