import { homedir } from 'node:os';
import { RelayError } from 'agent-relay-protocol';
import type {
  AgentSession,
  Provider,
  ProviderAvailability,
  SandboxFiles,
  SandboxPlace,
  StartOptions,
  VendorAbilities,
} from 'agent-relay-provider';
import { detectProgram, findProgram, ProviderSessions, type VendorProgram } from 'agent-relay-provider/kit';
import { stopJob } from './background/background-jobs.ts';
import type { BackgroundSession } from './background/background-session.ts';
import { serviceEnvironment, startInBackground } from './background/start-background.ts';
import type { ClaudeSession } from './claude-session.ts';
import { claudeProgram } from './program.ts';
import { claudeSandboxFiles } from './sandbox-files.ts';
import { startDialled } from './start-dialled.ts';
import { type AgenticOptions, startOverStdio } from './start-stdio.ts';

export interface ClaudeProviderOptions {
  /** The program: a path, or a name looked up in the session's `PATH`. Default `claude`. */
  readonly command?: string;
  /** The only tools of its own that Claude offers its model in `agentic` sessions: with `['Read', 'Write', 'Edit', 'Glob', 'Grep']` there is no shell. Default all. */
  readonly agenticTools?: readonly string[];
  /** `Read`, `Grep` and `Glob` of `agentic` sessions look into files of the session's folder alone; name `agenticTools` without a shell besides. Default false: anywhere. */
  readonly looksInside?: boolean;
}

type Running = ClaudeSession | BackgroundSession;

/** Claude Code, any version that speaks stream-json over stdio: one process per session, in a process group of its own. */
export class ClaudeProvider implements Provider {
  readonly id = 'claude';
  readonly name = 'Claude Code';
  readonly resumes = true;
  readonly takesDialIns = true;
  readonly abilities: VendorAbilities = {
    ...{ steer: 'joins', approvals: true, diffs: true, reserves: true, fork: true, background: true },
    modes: ['safe', 'agentic', 'unrestricted'],
  };
  readonly environment = [
    ...['ANTHROPIC_*', 'CLAUDE_*', 'CLAUDECODE', 'DISABLE_*', 'ENABLE_*', 'API_TIMEOUT_MS', 'USE_BUILTIN_RIPGREP'],
    ...['BASH_DEFAULT_TIMEOUT_MS', 'BASH_MAX_TIMEOUT_MS', 'BASH_MAX_OUTPUT_LENGTH', 'MAX_THINKING_TOKENS', 'MAX_MCP_OUTPUT_TOKENS'],
    ...['MCP_TIMEOUT', 'MCP_TOOL_TIMEOUT', 'CLOUD_ML_REGION', 'VERTEX_REGION_*'],
  ];
  readonly #agentic: AgenticOptions;
  readonly #program: VendorProgram;
  /** By session, which agent has it. */
  readonly #open = new Map<Running, string>();
  /** By conversation, which agent is about to go on with it. */
  readonly #writers = new Map<string, string>();
  readonly #sessions = new ProviderSessions<Running>('Claude');

  constructor({ command = 'claude', agenticTools, looksInside }: ClaudeProviderOptions = {}) {
    this.#agentic = { agenticTools, looksInside };
    this.#program = claudeProgram(command);
  }

  sandboxFiles(place: SandboxPlace): SandboxFiles {
    return claudeSandboxFiles(place);
  }

  detect(env: Readonly<Record<string, string>>): Promise<ProviderAvailability> {
    return detectProgram(this.#program, env);
  }

  start(options: StartOptions): Promise<AgentSession> {
    return this.#sessions.start(options, async (tracked) => {
      const { dialIn, resume, fork, agentId } = tracked;
      if (resume !== undefined && fork !== true) return this.#continue(resume, agentId, () => this.#startHere(tracked));
      return this.#keep(dialIn ? await startDialled(dialIn, tracked) : await this.#startHere(tracked), agentId);
    });
  }

  async #startHere(options: StartOptions): Promise<Running> {
    const command = await findProgram(this.#program, options.env);
    if (options.background) return startInBackground(command, options, options.background);
    return startOverStdio(command, options, this.#agentic);
  }

  /**
   * Two that write one conversation lose what each other said.
   * @throws RelayError `busy` while another session goes on with it.
   */
  async #continue(conversation: string, agentId: string, start: () => Promise<Running>): Promise<Running> {
    const holder = this.#writers.get(conversation) ?? [...this.#open].find(([session]) => session.vendorSessionId === conversation)?.[1];
    if (holder !== undefined)
      throw new RelayError('busy', `${holder} goes on with the conversation ${conversation} already: end it first, or continue a copy`);
    this.#writers.set(conversation, agentId);
    try {
      return this.#keep(await start(), agentId);
    } finally {
      this.#writers.delete(conversation);
    }
  }

  #keep(session: Running, agentId: string): Running {
    this.#open.set(session, agentId);
    void session.events.ended.then(() => this.#open.delete(session));
    return session;
  }

  async endJob(jobId: string, env: Readonly<Record<string, string>>): Promise<void> {
    const command = await findProgram(this.#program, env);
    await stopJob({ command, cwd: homedir(), env: serviceEnvironment(env) }, jobId);
  }

  close(): Promise<void> {
    return this.#sessions.close();
  }
}
