import { type ActivityEntry, type ActivityWatchers, type AgentEvent, knownAgentEvent } from 'agent-relay-protocol';
import { endedError } from './event-stream.ts';
import { reconnecting } from './reconnecting.ts';
import type { SocketLink } from './socket-link.ts';

export interface ActivityOptions {
  /** Stored entries after this id come first; absent begins with what happens from now on. */
  readonly after?: number;
  readonly signal?: AbortSignal;
  /**
   * Who else follows it now: told once there is somebody, and whenever it is others; nobody, while the connection is lost. A token that speaks for
   * an agent is told nothing, nor is anybody by an older relay.
   */
  readonly onWatchers?: (others: ActivityWatchers) => void;
}

/**
 * What one agent does, as it does it. Live deltas carry `id` 0 and are not repeated after a lost connection; stored entries are not missed.
 * An event of a type that only a later version knows comes as a `vendor.event` of `agent-relay`.
 */
export function followActivity(
  link: SocketLink,
  agentId: string,
  { after, signal = new AbortController().signal, onWatchers }: ActivityOptions,
): AsyncGenerator<ActivityEntry, void, undefined> {
  let last = after;
  let areOthers = false;
  const tellOthers = (others: ActivityWatchers) => {
    if (!areOthers && others.watchers.length === 0) return;
    areOthers = others.watchers.length > 0;
    onWatchers?.(others);
  };
  return reconnecting(
    async function* (onOpen) {
      const opened = (cursor: number) => {
        last ??= cursor;
        onOpen();
      };
      try {
        for await (const entry of stretch(link, { agentId, after: last, signal, tellOthers }, opened)) {
          if (entry.id > 0) last = entry.id;
          yield { ...entry, event: knownAgentEvent(entry.event) as AgentEvent }; // of a known type now; the relay has checked the rest
        }
      } finally {
        tellOthers({ watchers: [], more: 0 });
      }
    },
    { signal },
  );
}

interface Stretch {
  readonly agentId: string;
  readonly after: number | undefined;
  readonly signal: AbortSignal;
  readonly tellOthers: (others: ActivityWatchers) => void;
}

async function* stretch(
  link: SocketLink,
  { agentId, after, signal, tellOthers }: Stretch,
  onOpen: (cursor: number) => void,
): AsyncGenerator<ActivityEntry, void, undefined> {
  const connection = await link.connection();
  const request = { id: agentId, ...(after === undefined ? {} : { after }) };
  const opened = (await connection.peer.request('activity/subscribe', request, { signal })) as { subscriptionId: string; cursor: number }; // the relay's own answer, see socketMethods
  onOpen(opened.cursor);
  for await (const { method, params } of connection.follow(opened.subscriptionId, signal)) {
    if (method === 'subscription/ended') throw endedError(params);
    if (method === 'activity/watchers') tellOthers(params as unknown as ActivityWatchers); // shape of socketNotifications, said by the relay
    yield* (params['entries'] ?? []) as ActivityEntry[]; // shape of socketNotifications, said by the relay
  }
}
