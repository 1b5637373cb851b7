import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MAX_REQUEST_BYTES, MCP_PATH, MCP_SERVER_NAME } from 'agent-relay-protocol';
import type { McpEndpoint } from 'agent-relay-provider';
import { type Log, parseJson } from 'agent-relay-wire';
import { ToolRelay, type ToolRelayOptions } from './tool-relay.ts';

export interface ToolDoorOptions extends ToolRelayOptions {
  readonly log: Log;
}

/**
 * Goes before `Authorization`. Claude Code that dialled in with a token writes that one there, whatever the server's own headers say (2.1.120).
 */
export const TOKEN_HEADER = 'x-agent-relay-token';

/** A session that has its tools here. */
interface Guest {
  readonly sessionId: string;
  readonly token: string;
  /** What is asked for it now: all of it ends when it is dismissed. */
  readonly asking: Set<AbortController>;
}

/**
 * Where the agents of this machine have their tools: MCP on loopback, each with a secret of its own that is good here and for nothing else. What
 * they ask goes to the relay as their session, and waits for it while it is away.
 */
export class ToolDoor {
  readonly #server: Server;
  readonly #relay: ToolRelay;
  readonly #log: Log;
  /** Session tokens, by the secret that stands for them here. */
  readonly #guests = new Map<string, Guest>();
  readonly #port: number;

  private constructor(server: Server, { log, ...options }: ToolDoorOptions) {
    this.#server = server;
    this.#relay = new ToolRelay(options);
    this.#log = log;
    // A listening TCP server has one.
    this.#port = (server.address() as AddressInfo).port;
    server.on('request', (request, response) => void this.#serve(request, response));
  }

  static async open(options: ToolDoorOptions): Promise<ToolDoor> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return new ToolDoor(server, options);
  }

  /** The tools of a session, from now until it is dismissed. `isDialled`: its program dialled in. */
  async admit(sessionId: string, token: string, { isDialled = false } = {}): Promise<McpEndpoint> {
    const secret = randomBytes(32).toString('base64url');
    const preparing = new AbortController();
    const guest: Guest = { sessionId, token, asking: new Set([preparing]) };
    this.#guests.set(secret, guest);
    // The relay is there now: what the agent asks first is answered also when it is not there then.
    await this.#relay.prepare(token, preparing.signal);
    guest.asking.delete(preparing);
    const headers: McpEndpoint['headers'] = isDialled ? { [TOKEN_HEADER]: secret } : { authorization: `Bearer ${secret}` };
    return { name: MCP_SERVER_NAME, url: `http://127.0.0.1:${this.#port}${MCP_PATH}`, headers };
  }

  /** Whether a session was admitted and is not dismissed yet. */
  has(sessionId: string): boolean {
    for (const guest of this.#guests.values()) if (guest.sessionId === sessionId) return true;
    return false;
  }

  /** The session is over: what it still asks ends now. */
  dismiss(sessionId: string): void {
    for (const [secret, guest] of this.#guests) {
      if (guest.sessionId !== sessionId) continue;
      this.#guests.delete(secret);
      for (const asking of guest.asking) asking.abort();
      this.#relay.forget(guest.token);
    }
  }

  async close(): Promise<void> {
    this.#guests.clear();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const guest = this.#guestOf(request);
    if (typeof guest === 'number') return refuse(response, guest);
    const asking = new AbortController();
    guest.asking.add(asking);
    response.once('close', () => asking.abort());
    try {
      const body = await readBody(request);
      if (body === null) return refuse(response, 413);
      const asked = { message: read(body), body, key: randomUUID(), headers: mcpHeaders(request) };
      const answer = await this.#relay.ask(guest.token, asked, asking.signal);
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
    } catch (error) {
      if (response.destroyed) return;
      // Dismissed: its secret is nobody's now.
      if (asking.signal.aborted) return refuse(response, 401);
      this.#log.warn('a tool call failed', { error });
      refuse(response, 500);
    } finally {
      guest.asking.delete(asking);
    }
  }

  /** Who asks, or the status it is refused with. A page in a browser names its origin, and a name that was bent to this port is not ours. */
  #guestOf({ method, url, headers }: IncomingMessage): Guest | number {
    if (headers.origin !== undefined || headers.host !== `127.0.0.1:${this.#port}`) return 403;
    const said = headers[TOKEN_HEADER] ?? /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
    const guest = this.#guests.get(typeof said === 'string' ? said : '');
    if (!guest) return 401;
    if (url !== MCP_PATH) return 404;
    return method === 'POST' ? guest : 405;
  }
}

function mcpHeaders({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (name.startsWith('mcp-') && typeof value === 'string' ? [[name, value]] : [])),
  );
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { connection: 'close' }).end();
}

/** What is no JSON, or too deep, the relay refuses as it does. */
function read(body: string): unknown {
  try {
    return parseJson(body);
  } catch {
    return undefined;
  }
}

/** Null when it is larger than the relay takes. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_REQUEST_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
