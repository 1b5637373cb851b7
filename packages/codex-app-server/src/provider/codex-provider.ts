import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { RelayError } from 'agent-relay-protocol';
import type { AgentSession, OwnedProcess, Provider, ProviderAvailability, StartOptions } from 'agent-relay-provider';
import type { ChildHandle, ProcessIdentity } from 'agent-relay-wire/node';
import { CodexAppServer } from '../app-server/codex-app-server.ts';
import { CodexClient } from '../app-server/codex-client.ts';
import type { CodexThread } from '../app-server/codex-thread.ts';
import type { ClientInfo } from '../app-server/connection.ts';
import { ConfigResult } from '../app-server/methods.ts';
import { CodexSession } from './codex-session.ts';
import { detectCodex } from './detect.ts';
import { serverEnvironment, threadEnvironment } from './environment.ts';
import { ServerPool, type SharedServer, type StartSharedServer } from './server-pool.ts';
import { developerInstructions, threadConfig } from './session-policy.ts';

export interface CodexProviderOptions {
  /** A name or a path. Default: `codex` from the session's `PATH`. */
  readonly command?: string;
  /** Default: what the session's environment says, else `~/.codex`. */
  readonly codexHome?: string;
  /** How long the model may say nothing before the session tells of it. Default 60 000. */
  readonly silenceLimitMs?: number;
  readonly clientInfo?: ClientInfo;
  /** A fault of ours while handling a frame, for the log. */
  readonly onError?: (error: unknown, method: string) => void;
}

const defaultClientInfo: ClientInfo = { name: 'agent_relay', title: 'Agent Relay', version: '0.1.0' };

/** Codex agents: threads of one app-server per CODEX_HOME, which starts with the first session and ends with the last. */
export class CodexProvider implements Provider {
  readonly id = 'codex';
  readonly environment = ['OPENAI_*', 'CODEX_*', 'RUST_LOG', 'RUST_BACKTRACE'];
  readonly #options: CodexProviderOptions;
  readonly #pool: ServerPool;
  readonly #sessions = new Set<CodexSession>();
  #isClosed = false;

  constructor(options: CodexProviderOptions = {}) {
    this.#options = options;
    this.#pool = new ServerPool((request) => this.#startServer(request));
  }

  detect(env: Readonly<Record<string, string>>): Promise<ProviderAvailability> {
    return detectCodex({ command: this.#options.command, env });
  }

  async start(options: StartOptions): Promise<AgentSession> {
    options.signal?.throwIfAborted();
    if (this.#isClosed) throw new RelayError('provider_unavailable', 'The Codex provider is closed');
    const codexHome = resolve(this.#options.codexHome ?? options.env['CODEX_HOME'] ?? join(options.env['HOME'] ?? homedir(), '.codex'));
    const onProcess = ({ identity }: ChildHandle) => options.onProcess(ownedProcess(identity));
    const shared = await this.#pool.acquire({ codexHome, env: serverEnvironment(options.env), onProcess, signal: options.signal });
    try {
      return await this.#startSession(options, shared, codexHome);
    } catch (error) {
      await this.#pool.release(codexHome, shared);
      throw options.signal?.aborted ? options.signal.reason : asUnavailable(error);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#sessions].map((session) => session.close()));
    await this.#pool.close();
  }

  async #startSession(options: StartOptions, shared: SharedServer, codexHome: string): Promise<CodexSession> {
    const { client, server } = shared;
    const session = new CodexSession({
      cwd: options.cwd,
      mode: options.mode,
      approval: options.approval,
      ask: options.ask === true,
      approvalTimeoutMs: options.approvalTimeoutMs,
      relayServers: new Set(options.mcp.map(({ name }) => name)),
      isExperimental: client.isExperimental,
      silenceLimitMs: this.#options.silenceLimitMs ?? 60_000,
      release: async () => {
        this.#sessions.delete(session);
        await this.#pool.release(codexHome, shared);
      },
    });
    const thread = await startThread(options, shared, session);
    if (options.signal?.aborted) {
      await thread.unload().catch(() => undefined); // an empty thread has nothing to be stored
      throw options.signal.reason;
    }
    this.#sessions.add(session);
    void server.exited.then(({ code, signal }) => {
      const detail = `The Codex app-server ended (${signal ?? `exit code ${code}`})`;
      session.lose({ reason: signal === null && code === 0 ? 'exited' : 'crashed', detail, ...(code === null ? {} : { exitCode: code }) });
    });
    session.begin(thread, versionOf(client.userAgent));
    return session;
  }

  async #startServer({ codexHome, env, onProcess, signal }: Parameters<StartSharedServer>[0]): Promise<SharedServer> {
    const { command, clientInfo = defaultClientInfo, onError } = this.#options;
    const server = await CodexAppServer.start({ command, env, onProcess, signal, ...this.#home(codexHome) });
    try {
      const client = await CodexClient.connect(server.endpoint, { clientInfo, signal, ...(onError ? { onError } : {}) });
      // A dead server is not waited for: its sessions end at once.
      void server.exited.then(() => client.close());
      return { server, client, env };
    } catch (error) {
      await server.close();
      throw asUnavailable(error);
    }
  }

  /** Only what was asked for here is forced on Codex; else its environment says the same. */
  #home(codexHome: string): { readonly codexHome?: string } {
    return this.#options.codexHome === undefined ? {} : { codexHome };
  }
}

const ownedProcess = ({ pid, startedAt, treeId }: ProcessIdentity): OwnedProcess => ({
  pid,
  startToken: startedAt,
  ...(treeId === undefined ? {} : { treeId }),
  purpose: 'codex app-server',
  shared: true,
});

async function startThread(options: StartOptions, { client, env }: SharedServer, session: CodexSession): Promise<CodexThread> {
  const { mode, approval, ask = false, instructions, mcp, model, cwd } = options;
  const userMcpServers = mode === 'safe' ? await configuredMcpServers(client) : [];
  return await client.startThread(
    {
      cwd,
      ...(model === undefined ? {} : { model }),
      approvalPolicy: 'never',
      // Whatever the mode: a thread that starts with more in a git folder makes Codex write "trusted" into the user's config.toml. Every
      // turn names its own sandbox.
      sandbox: 'read-only',
      developerInstructions: developerInstructions({ instructions, mode, approval, ask }),
      config: threadConfig({ mode, approval, mcp, userMcpServers, environment: threadEnvironment(options.env, env) }),
      threadSource: 'agent_relay',
    },
    { onRequest: session.answerRequest },
  );
}

/** Without this list a safe session still has the read-only tools of the user's own servers, so a failure to get it is one. */
async function configuredMcpServers(client: CodexClient): Promise<readonly string[]> {
  const { config } = await client.ask(ConfigResult, 'config/read', { includeLayers: false });
  return Object.keys(config.mcp_servers ?? {});
}

/** `agent_relay/0.169.0 (…)`: the version is Codex's, the name ours. */
const versionOf = (userAgent: string): string => /\/(\d\S*)/u.exec(userAgent)?.[1] ?? 'unknown';

function asUnavailable(error: unknown): RelayError {
  if (error instanceof RelayError && error.code === 'provider_unavailable') return error;
  const said = error instanceof Error ? error.message : String(error);
  return new RelayError('provider_unavailable', `Codex did not start: ${said}`, { cause: error });
}
