import type { ServerResponse } from 'node:http';
import { type EventFilter, EventFilterSchema, type RelayEvent } from 'agent-relay-protocol';
import { encodeSseEvent } from 'agent-relay-wire';
import { sendable } from 'agent-relay-wire/node';
import { type EventBatch, letGo } from '../../events/event-stream.ts';
import type { Relay } from '../../relay/contract/relay-contract.ts';
import type { Draining } from '../draining.ts';
import { type EncodedEvents, inChunks } from '../encoded-events.ts';
import type { Endpoint, Exchange } from '../http/endpoint.ts';
import { HttpCall } from '../http/http-call.ts';
import { coercionsOf, readQuery } from '../http/route-input.ts';
import { parseParams } from '../route-calls.ts';

export interface EventStreamDeps {
  readonly relay: Pick<Relay, 'openEvents' | 'endOf'>;
  readonly encoded: EncodedEvents;
  readonly draining: Draining;
  readonly heartbeatMs: number;
}

/** How long a browser waits before it comes back. */
const RETRY_MS = 1_000;
/** What is handed to the socket at a time; together with Node's own buffer all that one slow reader costs. */
const CHUNK_CHARACTERS = 256 * 1024;

const coercions = coercionsOf(EventFilterSchema);

/** `GET /api/events`: the log as server-sent events. The id is the cursor; comments show that the relay is alive. */
export function eventStreamEndpoint(deps: EventStreamDeps): Endpoint & { readonly open: () => number } {
  let open = 0;
  return {
    methods: ['GET'],
    open: () => open,
    serve: async (exchange) => {
      const filter = filterOf(exchange);
      const principal = await exchange.authenticate();
      const call = new HttpCall(principal, exchange.response, deps.draining);
      const { batches, cursor, generation } = await deps.relay.openEvents(filter, call);
      const { response } = exchange;
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store, no-transform',
        'x-content-type-options': 'nosniff',
        'x-accel-buffering': 'no',
        'x-relay-cursor': String(cursor),
        'x-relay-generation': generation,
      });
      open += 1;
      try {
        await writeStream(response, batches, endOf(call.signal, deps.relay.endOf(principal)), deps);
      } finally {
        open -= 1;
      }
    },
  };
}

/** Ends with the client, and with the caller's token. */
const endOf = (gone: AbortSignal, tokenEnd: AbortSignal | null): AbortSignal => (tokenEnd ? AbortSignal.any([gone, tokenEnd]) : gone);

function filterOf({ request, query }: Exchange): EventFilter {
  const fields = readQuery(query, coercions);
  const lastEventId = request.headers['last-event-id'];
  // A browser that comes back repeats the address of its first visit: where it stands now is in the header.
  if (typeof lastEventId === 'string' && lastEventId !== '') fields['after'] = coercions.get('after')?.coerce(lastEventId) ?? lastEventId;
  return parseParams(EventFilterSchema, fields);
}

async function writeStream(
  response: ServerResponse,
  batches: AsyncIterable<EventBatch>,
  signal: AbortSignal,
  { encoded, heartbeatMs }: EventStreamDeps,
): Promise<void> {
  response.write(encodeSseEvent({ retry: RETRY_MS }));
  // A reader that takes nothing is not given the rest once its token has ended.
  const cut = () => {
    if (response.writableNeedDrain) response.destroy();
  };
  signal.addEventListener('abort', cut, { once: true });
  const heartbeat = setInterval(() => {
    if (!response.writableNeedDrain) response.write(encodeSseEvent({ comment: '' }));
  }, heartbeatMs);
  try {
    for await (const batch of batches) {
      for (const chunk of inChunks(blocksOf(batch, encoded), (block) => block.length, CHUNK_CHARACTERS)) {
        if (signal.aborted) return;
        if (!response.write(sendable(chunk.join('')))) await room(response);
      }
      letGo(batch);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearInterval(heartbeat);
    signal.removeEventListener('abort', cut);
    response.end();
  }
}

/** Made one by one, as they are written: a page of large events is not held twice. */
function* blocksOf(batch: EventBatch, encoded: EncodedEvents): Generator<string> {
  if ('reset' in batch) {
    // The head as its id: a browser that knows nothing of resets goes on from there instead of being reset for ever.
    yield encodeSseEvent({ id: batch.reset.head, event: 'reset', data: JSON.stringify(batch.reset) });
    return;
  }
  for (const [index, event] of batch.events.entries()) yield blockOf(event, batch.events[index + 1], encoded);
}

/** Events of one commit may share a sequence: only the last of them moves the reader's cursor, or a cut between them would lose the rest. */
function blockOf(event: RelayEvent, next: RelayEvent | undefined, encoded: EncodedEvents): string {
  const id = next?.seq === event.seq ? '' : `id: ${event.seq}\n`;
  return `${id}event: ${event.type}\ndata: ${encoded.encode(event)}\n\n`;
}

/** Until the reader has taken what it was given, or is gone. */
function room(response: ServerResponse): Promise<void> {
  if (response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const go = () => {
      response.off('drain', go);
      response.off('close', go);
      resolve();
    };
    response.once('drain', go);
    response.once('close', go);
  });
}
