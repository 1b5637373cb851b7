import { join } from 'node:path';
import { ConversationIdSchema, parseInput, RelayError } from 'agent-relay-protocol';
import {
  type AgentSession,
  type Provider,
  type ProviderAvailability,
  type SandboxFiles,
  type SandboxPlace,
  SessionEvents,
  type StartOptions,
  type VendorAbilities,
} from 'agent-relay-provider';
import { detectProgram, findProgram, ProviderSessions, type TrackedStart, type VendorProgram } from 'agent-relay-provider/kit';
import { ClaudeOutput } from './claude-output.ts';
import { type LineAgent, lineAgents } from './line-agent.ts';
import { LinesSession } from './lines-session.ts';
import { runInTerminal } from './terminal-run.ts';
import { TextOutput } from './text-output.ts';
import { runOnPipes, type TurnRun } from './turn-run.ts';

export interface LinesProviderOptions {
  /** The program: a path, or a name looked up in the session's `PATH`. Default what the agent's row says. */
  readonly command?: string;
}

/** Linux takes no longer argument. */
const longestArgument = 128 * 1024 - 1;
/** `MAX_CANON` of macOS and Linux, without the line's end. */
const longestTypedLine = process.platform === 'darwin' ? 1023 : 4095;

/** Any command line, by its row: a run of the program for each turn. Nothing holds one to a mode, so that only free sessions start. */
export class LinesProvider implements Provider {
  readonly id: string;
  readonly name: string;
  readonly environment: readonly string[];
  readonly resumes?: true;
  readonly abilities: VendorAbilities;
  readonly sandboxFiles?: (place: SandboxPlace) => SandboxFiles;
  readonly #agent: LineAgent;
  readonly #program: VendorProgram;
  readonly #sessions: ProviderSessions<LinesSession>;

  constructor(agent: LineAgent, { command = agent.command }: LinesProviderOptions = {}) {
    const { id, name, environment, install, homeFiles, resumeArgs, output } = agent;
    this.id = id;
    this.name = name;
    this.environment = environment;
    if (resumeArgs !== undefined) this.resumes = true;
    this.abilities = { steer: 'waits', approvals: false, diffs: output === 'claude-json', modes: ['unrestricted'] };
    if (homeFiles !== undefined) this.sandboxFiles = ({ env }) => below(env['HOME'] ?? '', homeFiles);
    this.#agent = agent;
    this.#program = { name, command, install };
    this.#sessions = new ProviderSessions(name);
  }

  detect(env: Readonly<Record<string, string>>): Promise<ProviderAvailability> {
    return detectProgram(this.#program, env);
  }

  start(options: StartOptions): Promise<AgentSession> {
    return this.#sessions.start(options, (tracked) => this.#start(tracked));
  }

  close(): Promise<void> {
    return this.#sessions.close();
  }

  async #start(options: TrackedStart): Promise<LinesSession> {
    const { cwd, env, mode, approval, ask, model, instructions, resume = null } = options;
    const { name, output: kind, patterns } = this.#agent;
    assertFree(name, options);
    if (model !== undefined && this.#agent.modelArgs === undefined)
      throw new RelayError('provider_unavailable', `${name} takes its model from its own settings; start it without one`);
    const command = await findProgram(this.#program, env);
    const output = kind === 'claude-json' ? new ClaudeOutput(cwd) : new TextOutput(patterns);
    const run = (prompt: string, conversation: string | null) => this.#run(options, command, { prompt, conversation });
    // That it can be kept inside shows now, and not with the first prompt.
    await options.sandbox?.confine({ command, cwd, env });
    const events = new SessionEvents({ cwd });
    // Its own id comes with its first run, where it has one.
    events.emit({ type: 'session.started', vendorSessionId: resume ?? options.sessionId, cwd, ...(model === undefined ? {} : { model }) });
    events.emit({ type: 'session.status', status: 'idle' });
    const rights = { mode, approval, ask, cwd };
    const preamble = instructions === '' ? '' : `${instructions}\n\n`;
    return new LinesSession({ name, events, output, rights, model: model ?? null, resume, preamble, run });
  }

  async #run(
    { cwd, env, model, onProcess, sandbox }: StartOptions,
    command: string,
    { prompt, conversation }: { readonly prompt: string; readonly conversation: string | null },
  ): Promise<TurnRun> {
    const { id, name, args, resumeArgs = [], modelArgs = [], sets, terminal } = this.#agent;
    const isArgument = args.includes('{prompt}');
    if (isArgument && Buffer.byteLength(prompt) > longestArgument)
      throw new RelayError('provider_unavailable', `${name} takes its prompt as an argument, and this one is longer than 128 KiB`);
    if (terminal && !isArgument) assertTypeable(name, prompt);
    const words: Readonly<Record<string, string>> = {
      // One that begins so would be taken for an option.
      '{prompt}': prompt.startsWith('-') ? ` ${prompt}` : prompt,
      ...(model === undefined ? {} : { '{model}': model }),
      ...(conversation === null ? {} : { '{session}': parseInput(ConversationIdSchema, conversation) }),
    };
    const all = [...args, ...(model === undefined ? [] : modelArgs), ...(conversation === null ? [] : resumeArgs)];
    const outside = { command, args: all.map((arg) => words[arg] ?? arg), cwd, env: { ...env, ...sets } };
    const wanted = (await sandbox?.confine(outside)) ?? outside;
    const start = terminal ? runInTerminal : runOnPipes;
    const started = await start({ name, purpose: id, wanted, input: isArgument ? null : prompt });
    try {
      onProcess(started.owned);
    } catch (error) {
      await started.stop();
      throw error;
    }
    return started;
  }
}

/**
 * A terminal cuts longer lines without a word, and takes control characters for keys: one of them ends the program.
 * @throws RelayError `provider_unavailable`.
 */
function assertTypeable(name: string, prompt: string): void {
  const reason = prompt.split('\n').some((line) => Buffer.byteLength(line) > longestTypedLine)
    ? `a line of this one is longer than ${longestTypedLine} bytes`
    : /[^\P{Cc}\t\n\r]/u.test(prompt) && 'this one has control characters';
  if (reason) throw new RelayError('provider_unavailable', `${name} takes its prompt from a terminal, and ${reason}`);
}

/** @throws RelayError `provider_unavailable` where nothing holds the program to what was asked for. */
function assertFree(name: string, { mode, approval }: Pick<StartOptions, 'mode' | 'approval'>): void {
  if (mode === 'unrestricted' && approval === 'open') return;
  const needed = mode === 'unrestricted' ? `the approval ${approval}` : `the mode ${mode}`;
  const message = `${name} starts in unrestricted mode with open approval only: nothing is known that would hold it to ${needed}`;
  throw new RelayError('provider_unavailable', message);
}

function below(home: string, { scratch = [], read = [], write = [] }: SandboxFiles): SandboxFiles {
  const absolute = (names: readonly string[]) => names.map((name) => join(home, name));
  return { scratch: absolute(scratch), read: absolute(read), write: absolute(write) };
}

/** A provider for each row of the catalogue, installed or not. */
export const lineProviders = (): readonly LinesProvider[] => Object.values(lineAgents).map((agent) => new LinesProvider(agent));
