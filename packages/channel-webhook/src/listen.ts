import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ChannelHandle } from 'agent-relay-client';
import { asText, type ErrorCode, MAX_REQUEST_BYTES, messageOf, parseInput, RelayError, routes, toRelayError } from 'agent-relay-protocol';
import { parseJson } from 'agent-relay-wire';
import { isSigned, SIGNATURE_HEADER } from 'agent-relay-wire/node';
import type { WebhookOptions } from './start-options.ts';

/** What a post says: what the relay takes from a channel, without what the channel says of itself. */
const IncomingSchema = routes['channels/receive'].input.omit({ id: true, instanceId: true, epoch: true });

/** How long a post waits for a relay that is away. Whoever sent it asks again. */
const RELAY_WAIT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_CONNECTIONS = 256;

/** What whoever posts can mend. The rest is between this channel and its relay. */
const forThePoster: ReadonlySet<ErrorCode> = new Set(['validation_failed', 'unbound_conversation', 'forbidden_target', 'unsupported']);

interface ListenOptions extends Pick<WebhookOptions, 'host' | 'port' | 'secret' | 'clock' | 'log'> {
  readonly channel: ChannelHandle;
}

export interface Listener {
  readonly url: string;
  /** Resolves when the posts in hand are answered. */
  close(): Promise<void>;
}

/** Takes signed posts. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { host, port } = options;
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    void answer(request, response, options);
  });
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo; // it listens on a port, not on a pipe
  return {
    url: `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

/** Answers in every case: what a post brings about never ends the process. */
async function answer(request: IncomingMessage, response: ServerResponse, options: ListenOptions): Promise<void> {
  try {
    const { messages, created } = await take(request, options);
    send(response, created ? 201 : 200, { created, messageIds: messages.map(({ id }) => id) });
  } catch (cause) {
    const error = toRelayError(cause);
    if (error.code === 'internal') options.log.error('a post could not be taken', { error: asText(error.cause ?? error) });
    if (error.code === 'payload_too_large' || error.retryable) response.setHeader('connection', 'close');
    if (error.retryable) response.setHeader('retry-after', '5');
    send(response, error.httpStatus, { error: error.toBody() });
  }
}

async function take(request: IncomingMessage, { channel, secret, clock, log }: ListenOptions) {
  if (request.method !== 'POST') throw new RelayError('method_not_allowed', 'Post a message');
  if (request.url?.split('?')[0] !== '/') throw new RelayError('not_found', 'Post to /');
  const body = await readBody(request);
  const signature = request.headers[SIGNATURE_HEADER];
  if (!isSigned({ body, signature: String(signature), key: secret, now: clock.now() })) {
    throw new RelayError('unauthorized', `The signature in ${SIGNATURE_HEADER} is missing, wrong or older than five minutes`);
  }
  const mail = parseInput(IncomingSchema, decodeJson(body));
  try {
    return await channel.receive(mail, { signal: AbortSignal.timeout(RELAY_WAIT_MS) });
  } catch (error) {
    if (error instanceof RelayError && forThePoster.has(error.code)) throw error;
    log.warn('the relay did not take a post', { error: messageOf(error) });
    throw new RelayError('connection_closed', 'The relay does not take it now: post it again', { cause: error });
  }
}

function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    // Listeners instead of a loop: leaving a loop early would destroy the socket that the answer has to go out on.
    request.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes <= MAX_REQUEST_BYTES) chunks.push(chunk);
      else reject(new RelayError('payload_too_large', `A post is at most ${MAX_REQUEST_BYTES} bytes`));
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('close', () => reject(new RelayError('connection_closed', 'The post ended before its body')));
    request.once('error', (cause) => reject(new RelayError('connection_closed', 'The post ended before its body', { cause })));
  });
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function decodeJson(body: Buffer): unknown {
  try {
    return parseJson(decoder.decode(body));
  } catch (cause) {
    throw new RelayError('parse_error', 'The body is not valid JSON', { cause });
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
