import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ModelRequest } from '../model/model-request.ts';
import type { FakeEndpoint, RecordedRequest } from './fake-endpoint.ts';

/** One HTTP request and the means to answer it. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON; undefined when there is no body or it is no JSON. */
  readonly body: unknown;
  readonly response: ServerResponse;
  /** Aborted when the client hangs up or the endpoint closes. */
  readonly signal: AbortSignal;
  /** Keeps what the model was asked with the recorded request. */
  asked(model: ModelRequest): void;
}

export type HandleExchange = (exchange: Exchange, report: (violation: string) => void) => Promise<void>;

const requestsKept = 256;

/** Listens on a free loopback port, records what comes and collects violations. */
export class HttpEndpoint implements Omit<FakeEndpoint, 'env'> {
  readonly url: string;
  readonly #server: Server;
  readonly #requests: RecordedRequest[] = [];
  #violations: string[] = [];

  static async listen(handle: HandleExchange): Promise<HttpEndpoint> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
    return new HttpEndpoint(server, handle);
  }

  private constructor(server: Server, handle: HandleExchange) {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
    this.url = `http://127.0.0.1:${address.port}`;
    this.#server = server;
    server.on('request', (request, response) => void this.#answer(request, response, handle));
    // The CLIs try a WebSocket only when told to; a refusal they understand sends them back to plain requests.
    server.on('upgrade', (_request, socket) => {
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
    });
  }

  get requests(): readonly RecordedRequest[] {
    return [...this.#requests];
  }

  get violations(): readonly string[] {
    return [...this.#violations];
  }

  takeViolations(): readonly string[] {
    const taken = this.#violations;
    this.#violations = [];
    return taken;
  }

  assertNoViolations(): void {
    if (this.#violations.length > 0) throw new Error(`The fake model at ${this.url} broke its rules:\n${this.#violations.join('\n')}`);
  }

  async close(): Promise<void> {
    if (this.#server.listening) {
      await new Promise<void>((resolve) => {
        this.#server.close(() => resolve());
        this.#server.closeAllConnections();
      });
    }
    this.assertNoViolations();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** A CLI that tries again does not make it two. */
  #report(violation: string): void {
    if (!this.#violations.includes(violation)) this.#violations.push(violation);
  }

  async #answer(request: IncomingMessage, response: ServerResponse, handle: HandleExchange): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    response.on('error', () => gone.abort());
    try {
      const recorded = await receive(request);
      this.#requests.push(recorded);
      if (this.#requests.length > requestsKept) this.#requests.shift();
      const asked = (model: ModelRequest): void => {
        const index = this.#requests.indexOf(recorded);
        if (index >= 0) this.#requests[index] = { ...recorded, model };
      };
      await handle({ ...recorded, response, signal: gone.signal, asked }, (violation) => this.#report(violation));
    } catch (error) {
      if (gone.signal.aborted) return;
      this.#report(`${request.method} ${request.url}: ${error instanceof Error ? error.message : String(error)}`);
      response.destroy();
    }
  }
}

async function receive(request: IncomingMessage): Promise<RecordedRequest> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  const path = new URL(request.url ?? '/', 'http://fake').pathname;
  const body = parseJson(Buffer.concat(parts).toString('utf8'));
  return { method: request.method ?? 'GET', path, headers, body, model: undefined, receivedAt: Date.now() };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the endpoint that needs a body says so itself
  }
}

export function writeJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Writes one server-sent event, and the headers before the first. */
export function writeEvent(response: ServerResponse, type: string, fields: object): void {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`);
}

/** Cuts the connection once what was written is on its way; Node holds writes back until the tick is over. */
export function cutConnection(response: ServerResponse): void {
  setImmediate(() => response.socket?.destroySoon());
}
