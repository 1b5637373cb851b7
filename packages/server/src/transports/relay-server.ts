import { createServer, type Server, type ServerResponse } from 'node:http';
import { createServer as createDoor, type Server as Door } from 'node:net';
import type { Duplex } from 'node:stream';
import { principalName, RelayError } from 'agent-relay-protocol';
import { webSocketDuplex } from 'agent-relay-wire/node';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { Relay } from '../relay/contract/relay-contract.ts';
import { Authenticator } from './credentials.ts';
import { Draining } from './draining.ts';
import { EncodedEvents } from './encoded-events.ts';
import { FairTurns } from './fair-turns.ts';
import { errorAnswer } from './http/answer.ts';
import { HttpApp } from './http/http-app.ts';
import { loginEndpoint, logoutEndpoint } from './http/login.ts';
import { metricsEndpoint } from './http/metrics.ts';
import { pairingOutcomeEndpoint, pairingRequestEndpoint } from './http/node-pairing.ts';
import { mcpEndpoint } from './mcp/mcp-endpoint.ts';
import { OpenConnections } from './open-connections.ts';
import { openApiEndpoints } from './openapi/openapi-endpoints.ts';
import { RequestGuard } from './request-guard.ts';
import { createRouteCalls } from './route-calls.ts';
import { eventStreamEndpoint } from './sse/event-stream.ts';
import { marketplaceEndpoint } from './static/marketplace.ts';
import { pagesEndpoint } from './static/pages.ts';
import { DialledLinks } from './web-socket/dialled-links.ts';
import { SocketConnection, type SocketConnectionDeps } from './web-socket/socket-connection.ts';
import { createSocketMethods, notificationsFor } from './web-socket/socket-methods.ts';
import { type UpgradeDeps, UpgradeHandler } from './web-socket/upgrade.ts';

export interface RelayServerDeps {
  readonly relay: Relay;
  readonly log: Logger;
  readonly clock: Clock;
  readonly bindHost: string;
  readonly allowedHosts: readonly string[];
  readonly corsOrigins: readonly string[];
  readonly allowRemoteAnonymous: boolean;
  /** Whether programs of this machine need a token as well. Default false. */
  readonly requireToken?: boolean;
  /** Where the built dashboard lies; it may be missing. */
  readonly dashboardFolder: string;
  readonly sseHeartbeatMs?: number;
  readonly authenticateWithinMs?: number;
  /** How much of all clients together may lie unsent, and how much half received. */
  readonly maxLyingBytes?: number;
}

export interface RelayServer {
  readonly server: Server;
  /** Further ways in beside the port, e.g. a socket in the file system: what connects to one is served as on the port. */
  readonly door: Door;
  /** Ends streams, waiting calls and sockets, lets answers in hand go out, and stops listening. Idempotent. */
  drain(): Promise<void>;
}

/** Above this many unsent bytes a socket's reader counts as lost. */
const MAX_SOCKET_BUFFER_BYTES = 16 * 1024 * 1024;
/** A socket whose token has ended is gone after that, whether or not the other side reads what was under way to it. */
const CLOSE_WITHIN_MS = 500;
/** How long a drain waits for answers in hand. */
const DRAIN_MS = 3_000;
const SWEEP_MS = 25;
/**
 * A client that is busy may use a connection again just as it ends here, and its call is reset. It is told the time and ends its side a second before;
 * Node's 5 s leave one after each burst of calls to that race. Proxies keep theirs for 60 s.
 */
const KEEP_ALIVE_MS = 75_000;
const DEFAULT_SSE_HEARTBEAT_MS = 15_000;

/** Everything that listens, on one port: HTTP, SSE, WebSocket, MCP and the dashboard's pages. */
export function createRelayServer(deps: RelayServerDeps): RelayServer {
  const { relay, log } = deps;
  const draining = new Draining();
  const encoded = new EncodedEvents();
  const turns = new FairTurns();
  const calls = createRouteCalls(relay.handlers);
  const guard = new RequestGuard(deps);
  const authenticator = new Authenticator(deps);
  const heartbeatMs = deps.sseHeartbeatMs ?? DEFAULT_SSE_HEARTBEAT_MS;
  const connections = new Set<SocketConnection>();
  const events = eventStreamEndpoint({ relay, encoded, draining, heartbeatMs });
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS });
  const open = new OpenConnections(server, { log, maxLyingBytes: deps.maxLyingBytes, elapsedMs: () => performance.now() });
  const app = new HttpApp({
    calls,
    guard,
    authenticator,
    draining,
    connections: open,
    turns,
    log,
    events,
    login: loginEndpoint({ relay, now: () => deps.clock.now(), elapsedMs: () => performance.now() }),
    logout: logoutEndpoint({ relay }),
    pairing: { request: pairingRequestEndpoint({ relay }), outcome: pairingOutcomeEndpoint({ relay }) },
    mcp: mcpEndpoint({ relay, draining, log }),
    metrics: metricsEndpoint({ relay, calls, connections: () => ({ webSocket: connections.size, sse: events.open() }) }),
    openApi: openApiEndpoints(),
    marketplace: marketplaceEndpoint(),
    pages: pagesEndpoint(deps.dashboardFolder),
  });
  const within = deps.authenticateWithinMs === undefined ? {} : { authenticateWithinMs: deps.authenticateWithinMs };
  const welcome = acceptance({ relay, calls, authenticator, encoded, draining, turns, log, ...within }, connections);
  const accept: UpgradeDeps['accept'] = (webSocket, admitted) => {
    open.carries(admitted.transport, webSocket);
    const connection = welcome(webSocket, admitted);
    open.belongsTo(admitted.transport, () => (connection.principal ? principalName(connection.principal) : ''));
  };
  const dialled = new DialledLinks({ relay, authenticator, guard, draining, log });
  const onDialled: UpgradeDeps['onDialled'] = (webSocket, transport, caller) => {
    open.carries(transport, webSocket);
    open.belongsTo(transport, caller);
  };
  const upgrades = new UpgradeHandler({ guard, authenticator, relay, log, accept, dialled, onDialled });
  server.on('request', (request, response) => {
    open.serves(request, response);
    app.listener(request, response);
  });
  server.on('upgrade', upgrades.listener);
  server.on('clientError', refuseMalformed);
  const door = createDoor((socket) => void server.emit('connection', socket));
  return { server, door, drain: () => drain({ server, door, draining, open, connections }) };
}

/** What becomes of a socket that may come in: a connection, among `connections` as long as it lives. */
function acceptance(
  services: Omit<SocketConnectionDeps, 'methods' | 'notifications'>,
  connections: Set<SocketConnection>,
): (...admitted: Parameters<UpgradeDeps['accept']>) => SocketConnection {
  const methods = createSocketMethods(services.relay);
  return (socket, { caller, cookie }) => {
    const duplex = webSocketDuplex(socket, {
      maxBufferedBytes: MAX_SOCKET_BUFFER_BYTES,
      closeTimeoutMs: CLOSE_WITHIN_MS,
      // Every route measures its own input, and a refusal then names the request.
      takesAnyDepth: true,
    });
    const connection = new SocketConnection(duplex, { caller, cookie }, { ...services, methods, notifications: notificationsFor });
    connections.add(connection);
    void connection.closed.then(() => connections.delete(connection));
    return connection;
  };
}

interface Open {
  readonly server: Server;
  readonly door: Door;
  readonly draining: Draining;
  readonly open: OpenConnections;
  readonly connections: ReadonlySet<SocketConnection>;
}

async function drain({ server, door, draining, open, connections }: Open): Promise<void> {
  draining.drain();
  const closed = [server, door].map((each) => (each.listening ? new Promise((resolve) => each.close(resolve)) : undefined));
  // A connection is idle once its answer is out, which may be any moment from now.
  const sweep = setInterval(() => {
    server.closeIdleConnections();
    open.closeSilent();
  }, SWEEP_MS);
  const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await Promise.all([...closed, ...[...connections].map((connection) => connection.closed)]);
  clearInterval(sweep);
  open.close();
  clearTimeout(cut);
}

/** What was sent is no HTTP: it gets the same error shape as everything else. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex & { _httpMessage?: ServerResponse }): void {
  // An answer that has begun would be mixed up with this one.
  if (!socket.writable || error.code === 'ECONNRESET' || socket._httpMessage?.headersSent) {
    socket.destroy();
    return;
  }
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const refusal = tooLarge
    ? new RelayError('payload_too_large', 'The head of the request is too long')
    : new RelayError('parse_error', 'This is no HTTP request');
  const { status, body } = errorAnswer(refusal);
  const text = JSON.stringify(body);
  const head = `HTTP/1.1 ${status} ${tooLarge ? 'Payload Too Large' : 'Bad Request'}\r\nconnection: close\r\n`;
  socket.once('finish', () => socket.destroy());
  socket.end(`${head}content-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
}
