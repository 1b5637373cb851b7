import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { AcpProvider, acpAgents } from 'agent-relay-acp';
import { ClaudeProvider } from 'agent-relay-claude';
import { endJobs, ProcessRegister, Sandboxes } from 'agent-relay-host';
import { LinesProvider, lineAgents } from 'agent-relay-lines';
import { RelayError, type SandboxRequest, type SpawnMode } from 'agent-relay-protocol';
import type { Provider } from 'agent-relay-provider';
import { type Log, silentLog, sleep } from 'agent-relay-wire';
import { isLoopbackHost } from 'agent-relay-wire/node';
import { capabilitiesOf } from './agent-ws/capabilities.ts';
import { AgentWsConnection } from './agent-ws/connection.ts';
import { limits } from './agent-ws/limits.ts';
import { AiRelayConnections } from './ai-relay/connections.ts';
import { AnyCodexProvider } from './codex/any-codex-provider.ts';
import type { ClientSocket } from './server/client-socket.ts';
import { SocketServer } from './server/socket-server.ts';
import { Conversations } from './sessions/conversations.ts';
import { KeptConversations } from './sessions/kept-conversations.ts';
import { LocalSessions } from './sessions/local-sessions.ts';
import { makeSessionFolder } from './sessions/project-folder.ts';
import { RelaySessions } from './sessions/relay-sessions.ts';
import type { SessionSource } from './sessions/session-source.ts';

/** The messages that clients speak: those of agent-ws or of ai-relay. */
export type BridgeProtocol = 'agent-ws' | 'ai-relay';

export interface AgentBridgeOptions {
  /** Default `agent-ws`. */
  readonly protocol?: BridgeProtocol;
  /** Default 9999, for ai-relay 8765; 0 takes a free one. */
  readonly port?: number;
  /** Default `localhost`. */
  readonly host?: string;
  /** What agents may do. Default `safe`: they answer in words. */
  readonly mode?: SpawnMode;
  /**
   * What clients say in `?token=`. Without one every program that reaches the port is let in, and pages of this machine or of `allowedOrigins`;
   * ai-relay then starts on loopback only.
   */
  readonly authToken?: string;
  /** What the bridge calls itself. Default `agent-ws`, as clients of that know it. */
  readonly agentName?: string;
  /** The folder of the projects' folders: a name below `~/.agent-relay/bridge`, or an absolute path. Default `sessions`. */
  readonly sessionDir?: string;
  /** Where prompts without a project work. Default the current folder. */
  readonly cwd?: string;
  /** How long a prompt may take, in ms. Default 600 000. */
  readonly timeoutMs?: number;
  /** Origins that may connect, each as a browser sends it. Default any with a token, without one those of this machine. */
  readonly allowedOrigins?: readonly string[];
  /** Default 10. */
  readonly maxConnectionsPerAddress?: number;
  /** How long a session of protocol 1.2 waits for somebody to attach again, in ms. Default 60 000. */
  readonly keepMs?: number;
  /** Default Claude Code, Codex, Gemini CLI and Snowflake Cortex Code. */
  readonly providers?: readonly Provider[];
  /** What agents' environment is made of. Default this process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Further variables that agents get; `X_*` is every name that begins so. */
  readonly allowedEnvironment?: readonly string[];
  /**
   * What every agent is put in, in the words of `relay-connect`: `auto` is the system's sandbox or, with a warning, none; `os` is that one or a refusal;
   * `bwrap` and `seatbelt` name it. Default `none`.
   */
  readonly sandbox?: SandboxRequest;
  /** Files and folders that agents in a sandbox may read besides. */
  readonly sandboxRead?: readonly string[];
  /** A relay whose agents the sessions are. */
  readonly relay?: { readonly url: string; readonly token?: string };
  /** ai-relay: a client may set variables and further arguments of its agent. Default false. */
  readonly allowHandshakeOptions?: boolean;
  readonly log?: Log;
}

/** The only tools that Claude has in `agentic`: none of them runs a command. */
const fileTools = ['Read', 'Write', 'Edit', 'Glob', 'Grep'];

/** How long running prompts may go on once the bridge is asked to stop. */
const drainMs = 5_000;

export const defaultProviders = (commands: Partial<Readonly<Record<'claude' | 'codex' | 'gemini', string>>> = {}): readonly Provider[] => [
  new ClaudeProvider({
    agenticTools: fileTools,
    looksInside: true,
    ...(commands.claude === undefined ? {} : { command: commands.claude }),
  }),
  new AnyCodexProvider(commands.codex === undefined ? {} : { command: commands.codex }),
  new AcpProvider(acpAgents.gemini, commands.gemini === undefined ? {} : { command: commands.gemini }),
  ...(lineAgents['cortex'] ? [new LinesProvider(lineAgents['cortex'])] : []),
];

interface Running {
  readonly server: SocketServer;
  readonly source: SessionSource;
  readonly conversations: Conversations;
  readonly aiRelay: AiRelayConnections;
  readonly port: number;
  readonly stateDir: string;
}

/**
 * CLI agents of this machine behind a WebSocket.
 *
 * States: *new*, *running* from `start()` to `stop()`, *stopped*. A stopped bridge does not start again.
 */
export class AgentBridge {
  readonly #options: AgentBridgeOptions;
  #running: Promise<Running> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: AgentBridgeOptions = {}) {
    this.#options = options;
  }

  /**
   * Listens; resolves with where.
   * @throws RelayError `provider_unavailable` when no agent's program is installed, `busy` when the port is taken, `validation_failed` for an empty token, and for
   * ai-relay without one beyond loopback, `unsupported` for a sandbox that cannot be had, and what the relay refuses.
   */
  async start(): Promise<{ readonly port: number; readonly url: string }> {
    if (this.#stopping) throw new RelayError('connection_closed', 'This bridge has been stopped');
    this.#running ??= this.#start();
    const { port } = await this.#running;
    return { port, url: `ws://${this.#host}:${port}` };
  }

  /** Lets running prompts end for five seconds, then ends all agents with everything they run. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  get #host(): string {
    return this.#options.host ?? 'localhost';
  }

  async #start(): Promise<Running> {
    const { protocol = 'agent-ws', mode = 'safe', authToken, log = silentLog } = this.#options;
    // Whoever says none would say it.
    if (authToken === '') throw new RelayError('validation_failed', 'The token is empty: give one, or none at all');
    if (protocol === 'ai-relay' && authToken === undefined && !isLoopbackHost(this.#host))
      throw new RelayError(
        'validation_failed',
        `Without a token only this machine may connect: give one, or listen on localhost instead of ${this.#host}`,
      );
    let serve: (socket: ClientSocket, query: URLSearchParams) => void = (socket) => socket.close(1013, 'Not ready yet');
    const server = new SocketServer({
      host: this.#host,
      port: this.#options.port ?? (protocol === 'agent-ws' ? 9999 : 8765),
      authToken,
      allowedOrigins: this.#options.allowedOrigins ?? [],
      maxConnectionsPerAddress: this.#options.maxConnectionsPerAddress ?? limits.connectionsPerAddress,
      onConnection: (socket, query) => serve(socket, query),
      log,
    });
    // First: whoever has the port has its state folder.
    const port = await server.listen();
    try {
      const home = join(homedir(), '.agent-relay', 'bridge');
      const stateDir = join(home, 'state', String(port));
      const sandboxes = this.#sandboxes();
      await sandboxes.assertPossible();
      const { sessionDir = 'sessions', cwd = process.cwd() } = this.#options;
      const root = await makeSessionFolder(isAbsolute(sessionDir) ? sessionDir : join(home, sessionDir));
      const source = await this.#source({ stateDir, root }, sandboxes, log);
      await assertSomething(source);
      const kept = new KeptConversations(`${root}.conversations`);
      const conversations = new Conversations({ source, kept, mode, log, root, cwd });
      const aiRelay = new AiRelayConnections({
        ...{ source, mode, cwd, log, now: () => Date.now() },
        allowHandshakeOptions: this.#options.allowHandshakeOptions ?? false,
        isConfined: (this.#options.sandbox ?? 'none') !== 'none',
      });
      serve = protocol === 'ai-relay' ? (socket) => aiRelay.accept(socket) : this.#agentWs(conversations, { source, sandboxes, log });
      return { server, source, conversations, aiRelay, port, stateDir };
    } catch (error) {
      await server.close(1001, 'Server is shutting down');
      throw error;
    }
  }

  #sandboxes(): Sandboxes {
    const { sandbox: request, sandboxRead: allowed, env = process.env } = this.#options;
    return new Sandboxes({ request, allowed, env, platform: process.platform });
  }

  async #source(
    { stateDir, root }: { readonly stateDir: string; readonly root: string },
    sandboxes: Sandboxes,
    log: Log,
  ): Promise<SessionSource> {
    const { providers = defaultProviders(), env = process.env, allowedEnvironment = [], relay } = this.#options;
    const now = () => Date.now();
    if (relay) {
      const { agentName = 'agent-bridge', sandbox = 'none', sandboxRead = [] } = this.#options;
      const limits = { sandbox, sandboxRead };
      return RelaySessions.open({ relay, providers, env, allowedEnvironment, stateDir, agentName, ...limits, log, now });
    }
    const register = new ProcessRegister(stateDir, log, endJobs({ providers, env }));
    const ended = await register.reap();
    if (ended > 0) log.warn('ended processes that an earlier run had left behind', { ended });
    return new LocalSessions({ providers, env, allowedEnvironment, agentFolder: root, register, sandboxes, log, now });
  }

  #agentWs(
    conversations: Conversations,
    { source, sandboxes, log }: { readonly source: SessionSource; readonly sandboxes: Sandboxes; readonly log: Log },
  ): (socket: ClientSocket, query: URLSearchParams) => void {
    const { agentName = 'agent-ws', mode = 'safe', sandbox = 'none', timeoutMs = 600_000, keepMs = 60_000 } = this.#options;
    const options = {
      ...{ conversations, mode, agentName, timeoutMs, keepMs, log },
      providers: { '1.1': ['claude', 'codex'], '1.2': source.providers },
      isClosing: () => this.#stopping !== undefined,
      capabilities: capabilitiesOf({ source, sandboxes, sandbox, agentName, mode }),
    };
    return (socket, query) => {
      new AgentWsConnection(socket, query.get('version') === '1.2' ? '1.2' : '1.1', options);
    };
  }

  async #stop(): Promise<void> {
    const running = await this.#running?.catch(() => undefined);
    if (!running) return;
    const { server, source, conversations, aiRelay, stateDir } = running;
    server.stopAccepting();
    if (conversations.isBusy) {
      server.tellAll(JSON.stringify({ type: 'error', message: 'Server is shutting down' }));
      const until = performance.now() + drainMs;
      while (conversations.isBusy && performance.now() < until) await sleep(50);
    }
    await Promise.all([conversations.close('Server is shutting down'), aiRelay.close()]);
    await server.close(1001, 'Server is shutting down');
    await source.close();
    await rm(stateDir, { recursive: true, force: true });
  }
}

/** What cannot start is said when the bridge starts and not at the first prompt. */
async function assertSomething(source: SessionSource): Promise<void> {
  if (await source.hasAny()) return;
  const found = await source.detect();
  const reasons = found.flatMap(({ found: each }) => (each.available ? [] : [each.reason]));
  await source.close();
  throw new RelayError('provider_unavailable', `No agent can be started here. ${reasons.join('. ')}`);
}

/** 32 random bytes as 64 hexadecimal characters. */
export const newAuthToken = (): string => randomBytes(32).toString('hex');
