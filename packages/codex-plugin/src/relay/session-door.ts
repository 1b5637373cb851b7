import { randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Attempt, askWhileAway, neverArrived } from 'agent-relay-client/node';
import { API_PREFIX, MAX_REQUEST_BYTES, MCP_PATH, PROTOCOL_HEADER, RelayError, VERSION_HEADER } from 'agent-relay-protocol';

/** Whom the door asks: the relay, as the session's agent. */
export interface Upstream {
  readonly url: string;
  readonly token: string;
  readonly fetch: typeof globalThis.fetch;
}

export interface SessionDoorOptions {
  /** Undefined while the relay is away. */
  readonly upstream: () => Upstream | undefined;
  /** How long a request waits for a relay that is away. Default 25 000: clients give up after 30 s. */
  readonly waitMs?: number;
}

/** Of the relay's answer, what a client reads; the rest belongs to the connection. */
const passedBack = ['content-type', VERSION_HEADER, PROTOCOL_HEADER, 'retry-after', 'mcp-protocol-version'];
const messagesPath = `${API_PREFIX}/messages`;

/**
 * The relay as a session's own shells, tools and hooks see it: on loopback, under a secret that is good here and for nothing else, and as the
 * session's agent, whatever becomes of the relay or of the agent's token there. What is asked while the relay is away waits for it.
 */
export class SessionDoor {
  readonly url: string;
  readonly secret = randomBytes(32).toString('base64url');
  readonly #server: Server;
  readonly #options: SessionDoorOptions;
  readonly #closing = new AbortController();

  private constructor(server: Server, options: SessionDoorOptions) {
    this.#server = server;
    this.#options = options;
    // A listening TCP server has an address of this kind.
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => void this.#serve(request, response));
  }

  static async open(options: SessionDoorOptions): Promise<SessionDoor> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return new SessionDoor(server, options);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      this.#assertGuest(request);
      const gone = new AbortController();
      response.once('close', () => gone.abort());
      const asked = await readAsked(request);
      const answer = await this.#ask(asked, AbortSignal.any([gone.signal, this.#closing.signal]));
      response.writeHead(answer.status, pick(Object.fromEntries(answer.headers), passedBack)).end(Buffer.from(await answer.arrayBuffer()));
    } catch (error) {
      if (response.destroyed || response.headersSent) return;
      const refusal = asRefusal(error);
      response.writeHead(refusal.httpStatus, { 'content-type': 'application/json' }).end(JSON.stringify({ error: refusal.toBody() }));
    }
  }

  /** A page in a browser names its origin, and a name that was bent to this port is not ours. */
  #assertGuest({ headers }: IncomingMessage): void {
    if (headers.origin !== undefined || headers.host !== new URL(this.url).host)
      throw new RelayError('forbidden', 'Only programs of this session are answered here');
    const said = Buffer.from(/^Bearer (.+)$/u.exec(headers.authorization ?? '')?.[1] ?? '');
    const secret = Buffer.from(this.secret);
    if (said.length !== secret.length || !timingSafeEqual(said, secret))
      throw new RelayError('unauthorized', 'This is the door of one Codex session; its shells have the token for it');
  }

  async #ask(asked: Asked, signal: AbortSignal): Promise<Response> {
    const patience = AbortSignal.timeout(this.#options.waitMs ?? 25_000);
    const attempt = async (): Promise<Attempt<Response>> => {
      const upstream = this.#options.upstream();
      try {
        return upstream ? { type: 'answered', answer: await send(upstream, asked, signal) } : { type: 'refused' };
      } catch (error) {
        return { type: neverArrived(error) ? 'refused' : 'lost' };
      }
    };
    const { isRepeatable } = asked;
    const outcome = await askWhileAway(attempt, { isRepeatable, isPatient: () => !patience.aborted, signal });
    if (outcome.type === 'answered') return outcome.answer;
    const what = outcome.mayHaveHappened ? 'Whether this was done is not known: look before you do it again' : 'This was not done';
    throw new RelayError('connection_closed', `The relay is away. ${what}`);
  }
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
  /** Asking twice is asking once. */
  readonly isRepeatable: boolean;
}

async function readAsked(request: IncomingMessage): Promise<Asked> {
  const { method = 'GET', url: path = '/' } = request;
  const { pathname } = new URL(path, 'http://door');
  const isApi = pathname === API_PREFIX || pathname.startsWith(`${API_PREFIX}/`);
  if (!isApi && pathname !== MCP_PATH) throw new RelayError('not_found', `There is no ${pathname} here`);
  const headers = pick(request.headers, ['content-type', 'accept', 'mcp-protocol-version', 'mcp-method', 'mcp-name', 'mcp-session-id']);
  const body = method === 'GET' || method === 'HEAD' ? undefined : await readBody(request);
  if (pathname === messagesPath && method === 'POST') return { method, path, headers, body: underOneKey(body ?? ''), isRepeatable: true };
  return { method, path, headers, body, isRepeatable: body === undefined };
}

/** A message without an idempotency key gets one, so that a lost answer can be asked for again. */
function underOneKey(body: string): string {
  try {
    const message: unknown = JSON.parse(body);
    if (typeof message !== 'object' || message === null || 'idempotencyKey' in message) return body;
    return JSON.stringify({ ...message, idempotencyKey: randomUUID() });
  } catch {
    return body; // the relay says what is wrong with it
  }
}

function send({ url, token, fetch }: Upstream, { method, path, headers, body }: Asked, signal: AbortSignal): Promise<Response> {
  const init = { method, headers: { ...headers, authorization: `Bearer ${token}` }, signal };
  return fetch(new URL(path, url), body === undefined ? init : { ...init, body });
}

function asRefusal(error: unknown): RelayError {
  return error instanceof RelayError ? error : new RelayError('connection_closed', 'The relay could not be asked', { cause: error });
}

function pick(headers: Readonly<Record<string, string | readonly string[] | undefined>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (typeof headers[name] === 'string' ? [[name, headers[name]]] : [])));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Without an encoding a request's chunks are buffers.
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_REQUEST_BYTES) throw new RelayError('payload_too_large', 'The request is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
