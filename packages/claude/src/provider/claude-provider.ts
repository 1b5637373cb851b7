import { RelayError } from 'agent-relay-protocol';
import type { AgentSession, Provider, ProviderAvailability, StartOptions } from 'agent-relay-provider';
import { detectClaude, findClaude, notInstalled } from './claude-program.ts';
import { startOverStdio } from './start-stdio.ts';

export interface ClaudeProviderOptions {
  /** The program: a path, or a name looked up in the session's `PATH`. Default `claude`. */
  readonly command?: string;
}

/** Claude Code, any version that speaks stream-json over stdio: one process per session, in a process group of its own. */
export class ClaudeProvider implements Provider {
  readonly id = 'claude';
  readonly environment = [
    ...['ANTHROPIC_*', 'CLAUDE_*', 'CLAUDECODE', 'DISABLE_*', 'ENABLE_*', 'API_TIMEOUT_MS', 'USE_BUILTIN_RIPGREP'],
    ...['BASH_DEFAULT_TIMEOUT_MS', 'BASH_MAX_TIMEOUT_MS', 'BASH_MAX_OUTPUT_LENGTH', 'MAX_THINKING_TOKENS', 'MAX_MCP_OUTPUT_TOKENS'],
    ...['MCP_TIMEOUT', 'MCP_TOOL_TIMEOUT', 'CLOUD_ML_REGION', 'VERTEX_REGION_*'],
  ];
  readonly #command: string;
  readonly #sessions = new Set<AgentSession>();
  readonly #starts = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();

  constructor({ command = 'claude' }: ClaudeProviderOptions = {}) {
    this.#command = command;
  }

  detect(env: Readonly<Record<string, string>>): Promise<ProviderAvailability> {
    return detectClaude(this.#command, env);
  }

  async start(options: StartOptions): Promise<AgentSession> {
    const signal = options.signal ? AbortSignal.any([options.signal, this.#closing.signal]) : this.#closing.signal;
    signal.throwIfAborted();
    const starting = this.#start({ ...options, signal });
    this.#starts.add(starting);
    try {
      return await starting;
    } finally {
      this.#starts.delete(starting);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new RelayError('connection_closed', 'The Claude provider has been closed'));
    await Promise.allSettled(this.#starts);
    await Promise.all([...this.#sessions].map((session) => session.close()));
  }

  async #start(options: StartOptions): Promise<AgentSession> {
    const command = await findClaude(this.#command, options.env);
    if (command === undefined) throw new RelayError('provider_unavailable', notInstalled(this.#command));
    const session = await startOverStdio(command, options);
    this.#sessions.add(session);
    void session.ended.then(() => this.#sessions.delete(session));
    return session;
  }
}
