import type { AgentSession, Provider, ProviderAvailability, StartOptions } from 'agent-relay-provider';
import { detectProgram, findProgram, ProviderSessions, type VendorProgram } from 'agent-relay-provider/kit';
import type { ClaudeSession } from './claude-session.ts';
import { claudeProgram } from './program.ts';
import { startDialled } from './start-dialled.ts';
import { startOverStdio } from './start-stdio.ts';

export interface ClaudeProviderOptions {
  /** The program: a path, or a name looked up in the session's `PATH`. Default `claude`. */
  readonly command?: string;
}

/** Claude Code, any version that speaks stream-json over stdio: one process per session, in a process group of its own. */
export class ClaudeProvider implements Provider {
  readonly id = 'claude';
  readonly resumes = true;
  readonly takesDialIns = true;
  readonly environment = [
    ...['ANTHROPIC_*', 'CLAUDE_*', 'CLAUDECODE', 'DISABLE_*', 'ENABLE_*', 'API_TIMEOUT_MS', 'USE_BUILTIN_RIPGREP'],
    ...['BASH_DEFAULT_TIMEOUT_MS', 'BASH_MAX_TIMEOUT_MS', 'BASH_MAX_OUTPUT_LENGTH', 'MAX_THINKING_TOKENS', 'MAX_MCP_OUTPUT_TOKENS'],
    ...['MCP_TIMEOUT', 'MCP_TOOL_TIMEOUT', 'CLOUD_ML_REGION', 'VERTEX_REGION_*'],
  ];
  readonly #program: VendorProgram;
  readonly #sessions = new ProviderSessions<ClaudeSession>('Claude');

  constructor({ command = 'claude' }: ClaudeProviderOptions = {}) {
    this.#program = claudeProgram(command);
  }

  detect(env: Readonly<Record<string, string>>): Promise<ProviderAvailability> {
    return detectProgram(this.#program, env);
  }

  start(options: StartOptions): Promise<AgentSession> {
    return this.#sessions.start(options, async (tracked) => {
      const { dialIn } = tracked;
      return dialIn ? startDialled(dialIn, tracked) : startOverStdio(await findProgram(this.#program, tracked.env), tracked);
    });
  }

  close(): Promise<void> {
    return this.#sessions.close();
  }
}
