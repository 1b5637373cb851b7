import { type ActivityEntry, type AgentEvent, knownAgentEvent } from 'agent-relay-protocol';
import { endedError } from './event-stream.ts';
import { reconnecting } from './reconnecting.ts';
import type { SocketLink } from './socket-link.ts';

export interface ActivityOptions {
  /** Stored entries after this id come first; absent begins with what happens from now on. */
  readonly after?: number;
  readonly signal?: AbortSignal;
}

/**
 * What one agent does, as it does it. Live deltas carry `id` 0 and are not repeated after a lost connection; stored entries are not missed.
 * An event of a type that only a later version knows comes as a `vendor.event` of `agent-relay`.
 */
export function followActivity(
  link: SocketLink,
  agentId: string,
  { after, signal = new AbortController().signal }: ActivityOptions,
): AsyncGenerator<ActivityEntry, void, undefined> {
  let last = after;
  return reconnecting(
    async function* (onOpen) {
      const opened = (cursor: number) => {
        last ??= cursor;
        onOpen();
      };
      for await (const entry of stretch(link, { agentId, after: last, signal }, opened)) {
        if (entry.id > 0) last = entry.id;
        yield { ...entry, event: knownAgentEvent(entry.event) as AgentEvent }; // of a known type now; the relay has checked the rest
      }
    },
    { signal },
  );
}

async function* stretch(
  link: SocketLink,
  { agentId, after, signal }: { readonly agentId: string; readonly after: number | undefined; readonly signal: AbortSignal },
  onOpen: (cursor: number) => void,
): AsyncGenerator<ActivityEntry, void, undefined> {
  const connection = await link.connection();
  const request = { id: agentId, ...(after === undefined ? {} : { after }) };
  const opened = (await connection.peer.request('activity/subscribe', request, { signal })) as { subscriptionId: string; cursor: number }; // the relay's own answer, see socketMethods
  onOpen(opened.cursor);
  for await (const { method, params } of connection.follow(opened.subscriptionId, signal)) {
    if (method === 'subscription/ended') throw endedError(params);
    yield* (params['entries'] ?? []) as ActivityEntry[]; // shape of socketNotifications, said by the relay
  }
}
