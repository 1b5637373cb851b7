import {
  API_PREFIX,
  asText,
  EVENTS_PATH,
  type EventFilter,
  type EventReset,
  type MethodRequest,
  RelayError,
  type RelayEvent,
  relayEventTypes,
} from 'agent-relay-protocol';
import { parseSseStream } from 'agent-relay-wire';
import { appendQuery, authorization, notTheRelay, readFailure, sendRequest } from './http-transport.ts';
import { reconnecting } from './reconnecting.ts';
import type { SocketLink } from './socket-link.ts';

export interface EventsOptions extends MethodRequest<'events/subscribe'> {
  readonly signal?: AbortSignal;
  /**
   * Told when the cursor cannot be continued (the log was pruned below it, or is another log); reading then goes on from the head, so take a new
   * snapshot. Without it the iterator throws `gone` with the reset in `details`.
   */
  readonly onReset?: (reset: EventReset) => void;
  /** Told when the relay was lost and is there again. */
  readonly onConnection?: (state: 'connected' | 'lost') => void;
}

/** One connected stretch of a stream: ends when the connection does. */
type Stretch = (
  filter: EventFilter,
  signal: AbortSignal,
  onOpen: (generation: string | undefined, cursor?: number) => void,
) => AsyncIterable<RelayEvent | { readonly reset: EventReset }>;

/** A server that says nothing for this long, heartbeats included, is taken for dead. */
const SILENCE_LIMIT_MS = 45_000;

const known: ReadonlySet<string> = new Set(relayEventTypes);

/**
 * Follows the log over any number of connections: after a loss it resumes behind the last event it yielded, so nothing is missed or doubled.
 * Ends when the signal aborts. Event types this version does not know are skipped.
 */
export function followEvents(stretch: Stretch, options: EventsOptions): AsyncGenerator<RelayEvent, void, undefined> {
  const { signal = new AbortController().signal, onReset, onConnection, ...filter } = options;
  let after = filter.after;
  let generation = filter.generation;
  return reconnecting(
    async function* (onOpen) {
      const opened = (openedGeneration: string | undefined, cursor?: number) => {
        generation = openedGeneration ?? generation;
        after ??= cursor;
        onOpen();
        onConnection?.('connected');
      };
      for await (const item of stretch({ ...filter, ...optional({ after, generation }) }, signal, opened)) {
        if ('reset' in item) {
          if (!onReset) throw resetError(item.reset);
          onReset(item.reset);
          after = item.reset.head;
          generation = item.reset.generation;
          break;
        }
        after = item.seq;
        if (known.has(item.type)) yield item;
      }
    },
    { signal, onLost: () => onConnection?.('lost') },
  );
}

const optional = (fields: { after: number | undefined; generation: string | undefined }): EventFilter => ({
  ...(fields.after === undefined ? {} : { after: fields.after }),
  ...(fields.generation === undefined ? {} : { generation: fields.generation }),
});

const resetError = (reset: EventReset): RelayError =>
  new RelayError('gone', `The log cannot be continued from this cursor (${reset.reason}); take a new snapshot and read after its cursor`, {
    details: { ...reset },
  });

/** One stretch over SSE. */
export function sseStretch(options: {
  readonly baseUrl: string;
  readonly token: string | undefined;
  readonly fetch: typeof globalThis.fetch;
}): Stretch {
  return async function* (filter, signal, onOpen) {
    const silence = new AbortController();
    const stop = AbortSignal.any([signal, silence.signal]);
    const url = new URL(`${options.baseUrl}${API_PREFIX}${EVENTS_PATH}`);
    appendQuery(url, { ...filter });
    const response = await sendRequest(options, url, {
      headers: { ...authorization(options.token), accept: 'text/event-stream' },
      signal: stop,
    });
    if (!response.ok || !response.body) throw await readFailure(response);
    if (!response.headers.get('content-type')?.startsWith('text/event-stream')) throw notTheRelay(response);
    const cursor = Number(response.headers.get('x-relay-cursor') ?? Number.NaN);
    onOpen(response.headers.get('x-relay-generation') ?? undefined, Number.isInteger(cursor) ? cursor : undefined);
    const watch = watchSilence(() => silence.abort(new RelayError('connection_closed', 'The relay fell silent')));
    try {
      for await (const { event, data } of parseSseStream(response.body.pipeThrough(watch.through))) {
        if (event === 'reset') yield { reset: JSON.parse(data) };
        else if (event !== undefined) yield JSON.parse(data);
      }
    } catch (error) {
      if (signal.aborted || error instanceof RelayError) throw error;
      throw new RelayError('connection_closed', 'The event stream was cut', { cause: error });
    } finally {
      watch.stop();
      silence.abort();
    }
  };
}

function watchSilence(onSilence: () => void): { readonly through: TransformStream<Uint8Array, Uint8Array>; readonly stop: () => void } {
  let timer = setTimeout(onSilence, SILENCE_LIMIT_MS);
  const through = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      clearTimeout(timer);
      timer = setTimeout(onSilence, SILENCE_LIMIT_MS);
      controller.enqueue(chunk);
    },
  });
  return { through, stop: () => clearTimeout(timer) };
}

/** One stretch over the WebSocket. */
export function socketStretch(link: SocketLink): Stretch {
  return async function* (filter, signal, onOpen) {
    const connection = await link.connection();
    const opened = (await connection.peer.request('events/subscribe', filter, { signal })) as {
      subscriptionId: string;
      cursor: number;
      generation: string;
    }; // the relay's own answer, see socketMethods
    onOpen(opened.generation, opened.cursor);
    for await (const { method, params } of connection.follow(opened.subscriptionId, signal)) {
      if (method === 'events/next')
        yield* params['events'] as RelayEvent[]; // shapes of socketNotifications, said by the relay
      else if (method === 'events/reset') yield { reset: params['reset'] as EventReset };
      else if (method === 'subscription/ended') throw endedError(params);
    }
  };
}

export const endedError = (params: Readonly<Record<string, unknown>>): RelayError => {
  const code = params['code'];
  const text = asText(params['message'] ?? 'The relay ended the subscription');
  return new RelayError(
    code === 'inbox_taken' || code === 'stale_session' || code === 'not_found' || code === 'unauthorized' ? code : 'connection_closed',
    text,
  );
};
