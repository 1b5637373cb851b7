import { RelayError } from 'agent-relay-protocol';
import type { DialIn, DialledLink, StartOptions } from 'agent-relay-provider';
import type { MessageDuplex } from 'agent-relay-wire';
import type { OutgoingFrame } from '../stream-json/outgoing.ts';
import { diallerFrom, type SdkUrlHandler } from '../stream-json/sdk-url-handler.ts';
import type { ClaudeSession } from './claude-session.ts';
import { mcpServers } from './command-line.ts';
import { createClaudeDialIn } from './dial-in.ts';

type DialledOptions = StartOptions & { readonly signal: AbortSignal };

/**
 * An agent of the relay's whose Claude Code somebody else started: held to its mode and approval as one that was started here, with the relay's tools.
 * It goes on over the further links that its CLI opens. A CLI that dials for the first time while the session has another one ends the session: it is
 * told to come again, and then begins the next. One that a code let in never does: it is turned away.
 * @throws RelayError `connection_closed` when the CLI is gone before it has answered, or the signal's reason.
 */
export async function startDialled(dialIn: DialIn, options: DialledOptions): Promise<ClaudeSession> {
  const dialled = new DialledStart(dialIn, options);
  try {
    return await dialled.session;
  } catch (error) {
    await dialled.close();
    throw error;
  }
}

class DialledStart {
  /** Resolves when a CLI has answered `initialize` and has its tools. */
  readonly session: Promise<ClaudeSession>;
  readonly #options: DialledOptions;
  readonly #handler: SdkUrlHandler;
  #running: ClaudeSession | null = null;
  /** The link that is open now. */
  #link: MessageDuplex | null = null;
  #hasTools = false;
  #start: (session: ClaudeSession) => void = () => {};
  #fail: (error: unknown) => void = () => {};

  constructor(dialIn: DialIn, options: DialledOptions) {
    this.#options = options;
    const { sessionId, cwd, mode, approval, ask, mcp, instructions, signal, approvalTimeoutMs, reservedAgainst } = options;
    const relayServers = mcp.map(({ name }) => name);
    this.session = new Promise((resolve, reject) => {
      this.#start = resolve;
      this.#fail = reject;
    });
    this.#handler = createClaudeDialIn({
      identify: () => sessionId,
      gate: () => ({ mode, approval, ask, cwd, relayServers, approvalTimeoutMs, reservedAgainst }),
      instructions,
      onSession: (_id, session) => {
        this.#running = session;
      },
      onGreeting: dialIn.greeting,
      onGreeted: (_id, cli) => dialIn.greeted(cli),
    });
    signal.addEventListener('abort', () => this.#fail(signal.reason), { once: true });
    void this.#follow(dialIn);
  }

  close(): Promise<void> {
    return this.#handler.close('restart');
  }

  async #follow({ links }: DialIn): Promise<void> {
    for await (const link of links) void this.#take(link);
    this.#fail(new RelayError('connection_closed', 'The session was ended before Claude Code had answered'));
  }

  /** Never rejects: a link that does not carry is closed, and the CLI dials again. */
  async #take({ duplex, upgrade, byCode }: DialledLink): Promise<void> {
    const isAnother = !diallerFrom(upgrade).isReconnect;
    if (byCode && isAnother && this.#running) {
      // A CLI whose link broke before it had said anything names nothing either: it comes again when the relay has noticed.
      if (this.#running.vendorSessionId) return duplex.close({ code: 4003, reason: 'This code has been used: its session goes on' });
      if (this.#link) return duplex.close({ code: 1013, reason: 'This code is in use' });
    }
    if (this.#running?.vendorSessionId && isAnother) {
      await this.#connection?.close({ code: 4001, reason: 'another Claude Code dialled in under its name' });
      await duplex.close({ code: 1013, reason: 'the one before is being ended' });
      return;
    }
    if (this.#running && !this.#connection) return duplex.close({ code: 1013, reason: 'the session has just ended' });
    // What comes in is read as Claude's frames; what goes out is checked before.
    await this.#handler.accept(duplex as MessageDuplex<unknown, OutgoingFrame>, upgrade);
    this.#hold(duplex);
    const session = this.#running;
    if (!session) {
      // It comes again when nobody waits for this session any more, and begins another.
      this.#fail(new RelayError('connection_closed', 'Claude Code was gone before it had answered'));
      return;
    }
    await this.#giveTools(session);
    this.#start(session);
  }

  #hold(duplex: MessageDuplex): void {
    this.#link = duplex;
    void duplex.closed.then(() => {
      if (this.#link === duplex) this.#link = null;
    });
  }

  get #connection() {
    return this.#handler.sessions.get(this.#options.sessionId)?.connection;
  }

  /** Once for each process, and again where its link broke before it had answered. */
  async #giveTools(session: ClaudeSession): Promise<void> {
    const { mcp } = this.#options;
    if (this.#hasTools || mcp.length === 0) return;
    this.#hasTools = true;
    try {
      await this.#connection?.setMcpServers(mcpServers(mcp));
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      if (error.code === 'connection_closed') this.#hasTools = false;
      else session.events.emit({ type: 'agent.error', code: 'mcp_server_failed', message: error.message.slice(0, 500), willRetry: false });
    }
  }
}
