import { type WebSocketDuplexOptions, webSocketDuplex } from 'agent-relay-wire/node';
import { ClaudeConnection } from '../stream-json/claude-connection.ts';
import type { OutgoingFrame } from '../stream-json/outgoing.ts';
import { diallerFrom, type SdkUrlDialler, type SdkUrlUpgrade } from '../stream-json/sdk-url-handler.ts';
import { askPermissions } from './ask-permissions.ts';
import { ClaudeSession } from './claude-session.ts';
import { dialledEnvironment } from './environment.ts';
import { sessionParts } from './run-claude.ts';

type AcceptedSocket = Parameters<typeof webSocketDuplex>[0];

export interface AcceptClaudeOptions {
  /** The folder that the CLI works in, as its machine names it: relative paths are told relative to it. Default `/`. */
  readonly cwd?: string;
  /** How long the session waits for its CLI to dial again. Default 630 000: the CLI gives up after 600 s. */
  readonly reconnectWithinMs?: number;
  readonly approvalTimeoutMs?: number;
}

/** A session whose CLI dialled in. It outlives its sockets. */
export class AcceptedClaudeSession extends ClaudeSession {
  /** What the first upgrade request said. */
  readonly dialler: SdkUrlDialler;
  readonly #connection: ClaudeConnection;

  constructor(dialler: SdkUrlDialler, options: ConstructorParameters<typeof ClaudeSession>[0]) {
    super(options);
    this.dialler = dialler;
    this.#connection = options.connection;
  }

  /**
   * Goes on over the socket on which its CLI dialled again: nothing that it repeats comes twice, and what waited is sent. False, and the socket is
   * left alone, when the session has ended. Never rejects: a CLI whose link breaks meanwhile dials once more.
   */
  async reattach(webSocket: AcceptedSocket): Promise<boolean> {
    if (this.#connection.isClosed) return false;
    const duplex = duplexOf(webSocket);
    try {
      await this.#connection.attach(duplex);
    } catch {
      await duplex.close({ code: 1013, reason: 'try again' });
    }
    return true;
  }
}

/**
 * Takes a WebSocket that a CLI opened (`claude --sdk-url`, up to 2.1.120, or `agent-relay-claude dial`), and resolves with its session once it has
 * answered `initialize`. Look at the path and the bearer token before: a CLI that is not wanted is sent away for good with `webSocket.close(4003)`.
 * Closing the session ends the CLI; one that does not dial again in time ends its session as `lost`.
 * @throws RelayError `timeout`, `connection_closed`; the socket is closed then, and the CLI dials again.
 */
export async function acceptClaude(
  webSocket: AcceptedSocket,
  upgrade: SdkUrlUpgrade,
  { cwd = '/', reconnectWithinMs = 630_000, approvalTimeoutMs }: AcceptClaudeOptions = {},
): Promise<AcceptedClaudeSession> {
  const { events, translator, connectionOptions } = sessionParts(
    { relayServers: [], handlers: (parts) => askPermissions(cwd, parts) },
    { cwd, approvalTimeoutMs },
  );
  const connection = new ClaudeConnection({
    ...connectionOptions,
    environment: dialledEnvironment,
    whenLinkEnds: 'reconnect',
    reconnectWithinMs,
  });
  try {
    await connection.attach(duplexOf(webSocket));
  } catch (error) {
    await connection.close({ code: 1013, reason: 'try again' });
    throw error;
  }
  events.emit({ type: 'session.status', status: 'idle' });
  return new AcceptedClaudeSession(diallerFrom(upgrade), {
    connection,
    translator,
    events,
    isContinued: diallerFrom(upgrade).isReconnect || connection.isContinued,
    vendorSessionId: null,
    model: null,
    end: () => connection.close(),
    explainEnd: async () => ({ reason: 'lost', detail: (await connection.closed).reason ?? 'Claude Code is gone' }),
  });
}

const lines: WebSocketDuplexOptions = { framing: 'lines' };
const duplexOf = (webSocket: AcceptedSocket) => webSocketDuplex<unknown, OutgoingFrame>(webSocket, lines);
