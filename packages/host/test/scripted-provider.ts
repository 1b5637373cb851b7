import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type AgentEvent, RelayError } from 'agent-relay-protocol';
import {
  type AgentSession,
  type ApprovalDecision,
  type PromptInput,
  type PromptOptions,
  type Provider,
  SessionEvents,
  type StartOptions,
} from 'agent-relay-provider';
import { decodeNdjson, encodeNdjson } from 'agent-relay-wire';
import { type ChildHandle, spawnProcess } from 'agent-relay-wire/node';

const program = fileURLToPath(new URL('./scripted-agent.mjs', import.meta.url));

export interface ScriptedProviderOptions {
  readonly id?: string;
  /** Throws what a runtime would: called before each prompt is handed over. */
  readonly refuse?: (input: PromptInput) => RelayError | null;
  /** Default: it is. */
  readonly isInstalled?: () => boolean;
  /** The first session also starts a server for all sessions, which runs a command for that session. */
  readonly hasSharedServer?: boolean;
  /** Its sessions say that their program had been spoken to before. */
  readonly isContinued?: boolean;
  /** What they say of which program it is. */
  readonly program?: string;
}

/** A provider over `scripted-agent.mjs`, a real process that does what the prompts' commands say. Keeps what each session was started with. */
export class ScriptedProvider implements Provider {
  readonly id: string;
  resumes?: true;
  findsPrompts?: true;
  readonly started: StartOptions[] = [];
  readonly prompts: (PromptInput & PromptOptions & { readonly agentId: string })[] = [];
  /** The shared server and its command. */
  readonly sharedPids: number[] = [];
  readonly #options: ScriptedProviderOptions;
  readonly #sessions = new Set<ScriptedSession>();

  constructor(options: ScriptedProviderOptions = {}) {
    this.id = options.id ?? 'scripted';
    this.#options = options;
  }

  async detect() {
    if (this.#options.isInstalled?.() === false) return { available: false, reason: 'The script is not installed' } as const;
    return { available: true, version: '1.0.0', command: program } as const;
  }

  async start(options: StartOptions): Promise<AgentSession> {
    const child = await spawnProcess({ command: process.execPath, args: [program], cwd: options.cwd, env: options.env });
    options.onProcess({ pid: child.pid, startToken: child.identity.startedAt, purpose: 'scripted agent' });
    this.started.push(options);
    if (this.#options.hasSharedServer && this.sharedPids.length === 0) await this.#startSharedServer(options);
    const session = new ScriptedSession(child, options, (input, how) => {
      const refusal = this.#options.refuse?.(input);
      if (refusal) throw refusal;
      this.prompts.push({ ...input, agentId: options.agentId, ...how });
    });
    options.dialIn?.greeting();
    options.dialIn?.greeted({ isContinued: this.#options.isContinued ?? false, program: this.#options.program ?? null, isSame: false });
    this.#sessions.add(session);
    return session;
  }

  async #startSharedServer({ env, onProcess }: StartOptions): Promise<void> {
    const { AGENT_RELAY_SESSION_ID: sessionId, AGENT_RELAY_AGENT_ID: _agent, ...sharedEnv } = env;
    const script = `const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'],
      { env: { ...process.env, AGENT_RELAY_SESSION_ID: process.argv[1] }, stdio: 'ignore' }); console.log(child.pid); setInterval(() => {}, 1000);`;
    const server = await spawnProcess({ command: process.execPath, args: ['-e', script, sessionId ?? ''], env: sharedEnv });
    onProcess({ pid: server.pid, startToken: server.identity.startedAt, purpose: 'shared server', shared: true });
    const [said] = await once(server.stdout, 'data');
    this.sharedPids.push(server.pid, Number(String(said)));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.close()));
  }
}

interface Asked {
  readonly type: 'scripted.ask';
  readonly turnId: string;
  readonly title: string;
}

class ScriptedSession implements AgentSession {
  readonly vendorSessionId: string;
  readonly model = null;
  readonly events: SessionEvents;
  readonly #child: ChildHandle;
  readonly #onPrompt: (input: PromptInput, options: PromptOptions) => void;
  #isClosing = false;

  constructor(
    child: ChildHandle,
    { cwd, approvalTimeoutMs }: StartOptions,
    onPrompt: (input: PromptInput, options: PromptOptions) => void,
  ) {
    this.#child = child;
    this.#onPrompt = onPrompt;
    this.vendorSessionId = `scripted-${child.pid}`;
    this.events = new SessionEvents({ cwd, approvalTimeoutMs });
    void this.#read();
  }

  async prompt(input: PromptInput, options: PromptOptions): Promise<void> {
    if (this.#child.hasExited) throw new RelayError('connection_closed', 'The scripted agent has ended');
    this.#onPrompt(input, options);
    this.#child.stdin.write(encodeNdjson({ type: 'prompt', ...input, ...options }));
  }

  async interrupt(): Promise<boolean> {
    const isRunning = this.events.openTurnId !== null;
    this.#child.stdin.write(encodeNdjson({ type: 'interrupt' }));
    return isRunning;
  }

  async resolveApproval(approvalId: string, decision: ApprovalDecision): Promise<boolean> {
    return this.events.approvals.resolve(approvalId, decision);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#child.kill({ graceMs: 100 });
  }

  async #ask({ turnId, title }: Asked): Promise<void> {
    const { outcome } = await this.events.approvals.ask({ turnId, kind: 'execute', title, input: { command: title } });
    if (outcome !== 'cancelled') this.#child.stdin.write(encodeNdjson({ type: 'answer', outcome }));
  }

  async #read(): Promise<void> {
    for await (const line of decodeNdjson(this.#child.stdout)) {
      if (!('message' in line)) continue;
      // The script is ours: it says agent events, and what it wants to be allowed.
      const said = line.message as Exclude<AgentEvent, { type: 'session.ended' }> | Asked;
      if (said.type === 'scripted.ask') void this.#ask(said);
      else this.events.emit(said);
    }
    const { code } = await this.#child.exited;
    this.events.end(this.#isClosing ? { reason: 'closed' } : { reason: 'crashed', ...(code === null ? {} : { exitCode: code }) });
  }
}
