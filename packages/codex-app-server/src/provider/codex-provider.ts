import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { messageOf, RelayError } from 'agent-relay-protocol';
import type {
  AgentSession,
  EndOfSession,
  Provider,
  ProviderAvailability,
  SandboxFiles,
  SandboxPlace,
  StartOptions,
  VendorAbilities,
} from 'agent-relay-provider';
import {
  detectProgram,
  findProgram,
  ownedProcess,
  ProviderSessions,
  type TrackedStart,
  type VendorProgram,
} from 'agent-relay-provider/kit';
import { settlesWithin, withTimeout } from 'agent-relay-wire';
import type { ChildHandle } from 'agent-relay-wire/node';
import { howToInstall } from '../app-server/codex-app-server.ts';
import type { CodexClient, CodexClientOptions } from '../app-server/codex-client.ts';
import type { CodexThread } from '../app-server/codex-thread.ts';
import type { ClientInfo } from '../app-server/connection.ts';
import type { CodexEndpoint } from '../app-server/endpoint.ts';
import { isConnectionLost } from '../app-server/errors.ts';
import { launch } from '../app-server/launch.ts';
import { ConfigResult } from '../app-server/methods.ts';
import { findCodex } from '../app-server/native-binary.ts';
import type { DeathLimit } from '../app-server/server-keeper.ts';
import { type Attached, attach } from './attach.ts';
import { CodexSession } from './codex-session.ts';
import { findInEarlier } from './earlier-conversation.ts';
import { serverEnvironment, threadEnvironment } from './environment.ts';
import { whereHooksAreOff } from './hooks-off.ts';
import { ClientTools } from './relay-tools.ts';
import { resumeStored } from './resume-stored.ts';
import { codexSandboxFiles } from './sandbox-files.ts';
import { ServerAudience } from './server-news.ts';
import { ServerPool, type SharedServer, type StartSharedServer } from './server-pool.ts';
import { developerInstructions, instructionsAnew, threadConfig } from './session-policy.ts';
import { judgeHooked, reserves, UseDoor, withDoor } from './use-door.ts';

export interface CodexProviderOptions {
  /** A name or a path. Default: `codex` from the session's `PATH`. */
  readonly command?: string;
  /** Default: what the session's environment says, else `~/.codex`. */
  readonly codexHome?: string;
  /** A running app-server to join (`unix:///path`, `ws://127.0.0.1:4500`). Default: what `CODEX_APP_SERVER` in the environment names. */
  readonly endpoint?: string | CodexEndpoint;
  /** How long the model may say nothing before the session tells of it. Default 60 000. */
  readonly silenceLimitMs?: number;
  readonly clientInfo?: ClientInfo;
  /** How often the app-server may die before it is not started again and its sessions end. Default: five times within five minutes. */
  readonly deathLimit?: DeathLimit;
  /** How often a conversation that another program has is looked at, until it is free. Default 5 000. */
  readonly elsewherePollMs?: number;
  /** A fault of ours while handling a frame, for the log. */
  readonly onError?: (error: unknown, method: string) => void;
}

const defaultClientInfo: ClientInfo = { name: 'agent_relay', title: 'Agent Relay', version: '0.1.0' };

/** With the user's MCP servers, which start with a thread. */
const threadTimeoutMs = 60_000;
const unloadMs = 2_000;

/**
 * Codex agents: threads of one app-server per CODEX_HOME. That is the configured one, else the daemon that Codex itself runs for this home, else one of
 * ours, which starts with the first session and ends with the last. A server that we did not start is never ended.
 */
export class CodexProvider implements Provider {
  readonly id = 'codex';
  readonly name = 'Codex';
  readonly resumes = true;
  readonly findsPrompts = true;
  readonly abilities: VendorAbilities = {
    ...{ steer: 'joins', approvals: true, diffs: true, reserves },
    modes: ['safe', 'agentic', 'unrestricted'],
  };
  readonly environment = ['OPENAI_*', 'CODEX_*', 'RUST_LOG', 'RUST_BACKTRACE'];
  readonly #options: CodexProviderOptions;
  readonly #program: VendorProgram;
  readonly #pool: ServerPool;
  readonly #sessions = new ProviderSessions<CodexSession>('Codex');

  constructor(options: CodexProviderOptions = {}) {
    this.#options = options;
    this.#program = {
      name: 'Codex',
      command: options.command ?? 'codex',
      install: howToInstall,
      find: (command, env) => findCodex({ command, env }),
    };
    this.#pool = new ServerPool((request) => this.#startServer(request));
  }

  sandboxFiles({ env }: SandboxPlace): SandboxFiles {
    return codexSandboxFiles(this.#codexHome(env));
  }

  async detect(env: Readonly<Record<string, string>>): Promise<ProviderAvailability> {
    try {
      const { client, runtime } = await this.#lookAround(env);
      if (client === undefined) {
        const found = await detectProgram(this.#program, env);
        return found.available ? { ...found, runtime } : found;
      }
      return { available: true, version: versionOf(client.userAgent), command: this.#program.command, runtime };
    } catch (error) {
      return { available: false, reason: messageOf(error) };
    }
  }

  start(options: StartOptions): Promise<AgentSession> {
    return this.#sessions.start(options, (tracked) => this.#start(tracked));
  }

  async close(): Promise<void> {
    try {
      await this.#sessions.close();
    } finally {
      await this.#pool.close();
    }
  }

  async #start(options: TrackedStart): Promise<CodexSession> {
    const { env, signal, sandbox, sessionId, extraArgs = [] } = options;
    if (extraArgs.length > 0)
      throw new RelayError('unsupported', 'Codex sessions share one app-server, which takes no arguments of one of them');
    const codexHome = this.#codexHome(env);
    // One that others share sees their folders as well.
    const key = sandbox === undefined ? codexHome : `${codexHome}\n${sessionId}`;
    const onProcess = (child: ChildHandle) => options.onProcess(ownedProcess(child, { purpose: 'codex app-server', shared: true }));
    const door = await UseDoor.for(options);
    let release = async () => door?.close();
    try {
      const confined = sandbox && door ? withDoor(sandbox, door) : sandbox;
      const shared = await this.#pool.acquire({ key, codexHome, env: serverEnvironment(env), onProcess, signal, sandbox: confined });
      release = async () => {
        await Promise.all([door?.close(), this.#pool.release(key, shared)]);
      };
      return await this.#startSession(options, { ...shared, door }, release);
    } catch (error) {
      await release();
      throw signal.aborted ? signal.reason : asUnavailable(error);
    }
  }

  async #startSession(
    options: TrackedStart,
    shared: SharedServer & Pick<Opening, 'door'>,
    release: () => Promise<void>,
  ): Promise<CodexSession> {
    const { client, ended, runtime, audience, door } = shared;
    const tools = await openTools(options, client);
    const session = new CodexSession({
      cwd: options.cwd,
      mode: options.mode,
      approval: options.approval,
      ask: options.ask === true,
      approvalTimeoutMs: options.approvalTimeoutMs,
      whenUnread: options.whenUnread,
      relayServers: new Set(options.mcp.map(({ name }) => name)),
      tools,
      isExperimental: client.isExperimental,
      silenceLimitMs: this.#options.silenceLimitMs ?? 60_000,
      release,
      runtime,
      findInEarlier: (threadId, prompt) => findInEarlier(client, threadId, prompt),
    });
    if (door) door.judge = judgeHooked({ ...options, isReadOnly: (turnId) => session.isReadOnlyTurn(turnId) }, session.events);
    void session.events.ended.then(() => tools?.close());
    const thread = await startThread(options, { ...shared, tools }, session).catch(async (error: unknown) => {
      await tools?.close();
      throw error;
    });
    void ended.then((end) => session.lose(end));
    session.begin(thread, versionOf(client.userAgent));
    audience.join(session);
    // One that cannot be asked says nothing.
    if (door)
      void whereHooksAreOff(client, options.cwd)
        .then((event) => event && session.tell([event]))
        .catch(() => {});
    void session.events.ended.then(() => audience.leave(session));
    return session;
  }

  async #startServer(request: Parameters<StartSharedServer>[0]): Promise<SharedServer> {
    const { codexHome, env, onProcess, signal, sandbox } = request;
    try {
      const attached = sandbox === undefined ? await this.#attach(env, signal) : this.#apart(env);
      const { runtime } = attached;
      if (attached.client) return joined(attached.client, runtime);
      const command = await findProgram(this.#program, env);
      const { client, server } = await launch({
        // Codex makes its unix socket in the machine's /tmp, which nothing outside sees there.
        server: { command, env, onProcess, ...(sandbox && { sandbox, transport: 'websocket' }), ...this.#home(codexHome) },
        client: this.#clientOptions,
        signal,
        deathLimit: this.#options.deathLimit,
      });
      const ended = server.gaveUp.then((detail): EndOfSession => ({ reason: 'crashed', detail }));
      // Its sessions hear why before they lose the connection.
      void ended.then(() => client.close());
      return { server, client, audience: new ServerAudience(client.notifications), runtime, ended, env };
    } catch (error) {
      throw signal.aborted ? signal.reason : asUnavailable(error);
    }
  }

  /** @throws RelayError `unsupported` where a running server is named: what it starts is in no sandbox of ours. */
  #apart(env: Readonly<Record<string, string>>): Attached {
    const { endpoint = env['CODEX_APP_SERVER'] } = this.#options;
    if (!endpoint) return { runtime: 'one of its own, in the sandbox of its session' };
    const named = typeof endpoint === 'string' ? endpoint : endpoint.transport;
    throw new RelayError(
      'unsupported',
      `Codex joins the app-server at ${named} here, which runs outside of any sandbox: start it without one`,
    );
  }

  #attach(env: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Attached> {
    const endpoint = this.#options.endpoint ?? (env['CODEX_APP_SERVER'] || undefined);
    return attach({ endpoint, codexHome: this.#codexHome(env), client: { ...this.#clientOptions, ...(signal ? { signal } : {}) } });
  }

  /** The server that a session would get now, as far as one runs. */
  async #lookAround(
    env: Readonly<Record<string, string>>,
  ): Promise<Pick<SharedServer, 'runtime'> & { client?: { userAgent: string } | undefined }> {
    const current = await this.#pool.current(this.#codexHome(env));
    if (current) return current;
    const attached = await this.#attach(env);
    await attached.client?.close();
    return attached;
  }

  #codexHome(env: Readonly<Record<string, string>>): string {
    return resolve(this.#options.codexHome ?? env['CODEX_HOME'] ?? join(env['HOME'] ?? homedir(), '.codex'));
  }

  get #clientOptions(): CodexClientOptions {
    const { clientInfo = defaultClientInfo, onError, elsewherePollMs } = this.#options;
    return {
      clientInfo,
      optOutNotificationMethods: [],
      ...(onError ? { onError } : {}),
      ...(elsewherePollMs === undefined ? {} : { elsewherePollMs }),
    };
  }

  /** Only what was asked for here is forced on Codex; else its environment says the same. */
  #home(codexHome: string): { readonly codexHome?: string } {
    return this.#options.codexHome === undefined ? {} : { codexHome };
  }
}

/** A server that somebody else started and ends; lost once it has not been there for a minute. */
function joined(client: CodexClient, runtime: string): SharedServer {
  const detail = 'The connection to the Codex app-server was lost';
  const ended = client.closed.then((): EndOfSession => ({ reason: 'lost', detail }));
  return {
    server: { close: () => Promise.resolve() },
    client,
    audience: new ServerAudience(client.notifications),
    runtime,
    ended,
    env: null,
  };
}

interface Opening extends Pick<SharedServer, 'client' | 'env'> {
  readonly tools: ClientTools | undefined;
  readonly door: UseDoor | undefined;
}

/** Those that are asked for here; a server without them asks the MCP servers itself, and so does one with a thread that may have begun without. */
async function openTools({ mcp, signal }: TrackedStart, client: CodexClient): Promise<ClientTools | undefined> {
  return client.isExperimental && hasDynamicTools(client.userAgent) ? await ClientTools.open(mcp, signal) : undefined;
}

/** Opens the session's thread. When it is given up, what comes of it after all is dropped from the server's memory. */
async function startThread(options: TrackedStart, { client, env, tools, door }: Opening, session: CodexSession): Promise<CodexThread> {
  const { mode, approval, ask = false, instructions, mcp, model, cwd, resume, signal } = options;
  const environment = threadEnvironment(options.env, env);
  const userMcpServers = mode === 'safe' ? await configuredMcpServers(client, cwd) : [];
  // A stored thread has the tools that it began with, which may be none.
  const dynamicTools = resume === undefined ? tools?.offered : undefined;
  const asksClient = dynamicTools !== undefined;
  const params = {
    cwd,
    ...(model === undefined ? {} : { model }),
    approvalPolicy: 'never',
    // Whatever the mode: a thread that starts with more in a git folder makes Codex write "trusted" into the user's config.toml. Every
    // turn names its own sandbox.
    sandbox: 'read-only',
    developerInstructions: developerInstructions({ instructions, mode, approval, ask }),
    config: threadConfig({ mode, approval, mcp, asksClient, userMcpServers, environment, hooks: door?.hooks }),
  } as const;
  const threadOptions = { onRequest: session.answerRequest, recovery: session.recovery };
  const opening =
    resume === undefined
      ? startNew(client, () =>
          client.startThread({ ...params, threadSource: 'agent_relay', ...(dynamicTools && { dynamicTools }) }, threadOptions),
        )
      : resumeStored(client, resume, async () => {
          const thread = await client.resumeThread(resume, params, threadOptions);
          await thread.injectInstructions(instructionsAnew(params.developerInstructions));
          return thread;
        });
  try {
    return await withTimeout(() => opening, threadTimeoutMs, { signal, what: 'start of a Codex thread' });
  } catch (error) {
    // An empty thread has nothing to be stored.
    await settlesWithin(
      opening.then((thread) => thread.unload()),
      unloadMs,
    );
    throw error;
  }
}

/** A thread whose start was not answered is empty: it is gone with its server, and harms nobody where only the connection was lost. */
async function startNew(client: CodexClient, open: () => Promise<CodexThread>): Promise<CodexThread> {
  return await open().catch((error: unknown) => {
    if (!isConnectionLost(error) || client.isClosed) throw error;
    return open();
  });
}

/** Without this list a safe session still has the read-only tools of the user's own servers, so a failure to get it is one. */
async function configuredMcpServers(client: CodexClient, cwd: string): Promise<readonly string[]> {
  // A project that the user trusts may have some of its own.
  const { config } = await client.ask(ConfigResult, 'config/read', { includeLayers: false, cwd });
  return Object.keys(config.mcp_servers ?? {});
}

/** `agent_relay/0.169.0 (…)`: the version is Codex's, the name ours. */
const versionOf = (userAgent: string): string => /\/(\d\S*)/u.exec(userAgent)?.[1] ?? 'unknown';

/** From 0.169 on, as far as it was measured; an older one passes over what it does not know, and its agents would have no tools. */
function hasDynamicTools(userAgent: string): boolean {
  const [major = 0, minor = 0] = versionOf(userAgent).split('.').map(Number);
  return major > 0 || minor >= 169;
}

function asUnavailable(error: unknown): RelayError {
  if (error instanceof RelayError && (error.code === 'provider_unavailable' || error.code === 'not_found')) return error;
  const said = messageOf(error);
  return new RelayError('provider_unavailable', `Codex did not start: ${said}`, { cause: error });
}
