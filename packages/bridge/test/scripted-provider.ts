import { randomUUID } from 'node:crypto';
import { RelayError } from 'agent-relay-protocol';
import {
  type AgentSession,
  type ApprovalDecision,
  type PromptInput,
  type Provider,
  type ProviderAvailability,
  type SandboxFiles,
  SessionEvents,
  type StartOptions,
} from 'agent-relay-provider';

/**
 * An agent that does what its prompt says: `say X`, `hang`, `end late X` (a stop ends it only after it has said X), `crash N`, `stream N` (N chunks), `edit PATH`, `ask`,
 * `tools N` (N that begin, with 300 kB each), `mute` (takes the prompt and begins nothing), `deaf` (never says that it has taken it), `echo` (its
 * instructions and model).
 */
export class ScriptedProvider implements Provider {
  readonly id: string;
  readonly resumes = true;
  readonly starts: StartOptions[] = [];
  readonly sessions: ScriptedSession[] = [];
  closedCount = 0;
  detectMs = 0;
  detections = 0;
  isInstalled = true;
  /** It names its conversation with its first turn. */
  isNamedLate = false;
  /** It puts its processes into the sandbox that it is given. */
  isHeld = true;
  sandboxFiles?: () => SandboxFiles;
  /** The ends of its sessions are told as failures. */
  endsBadly = false;
  /** A stop of its turns is never answered. */
  interruptsWait = false;

  constructor(id: string) {
    this.id = id;
  }

  async detect(): Promise<ProviderAvailability> {
    this.detections += 1;
    await new Promise((resolve) => setTimeout(resolve, this.detectMs));
    return this.isInstalled
      ? { available: true, version: '1.0.0', command: this.id }
      : { available: false, reason: `${this.id} is not installed on this machine` };
  }

  async start(options: StartOptions): Promise<AgentSession> {
    this.starts.push(options);
    if (options.model === 'broken') throw new RelayError('provider_unavailable', 'The model is broken');
    if (this.isHeld) await options.sandbox?.confine({ command: 'true', cwd: options.cwd });
    const session = new ScriptedSession(options, {
      isNamedLate: this.isNamedLate,
      onInterrupt: () => (this.interruptsWait ? new Promise(() => {}) : Promise.resolve()),
      onClose: () => {
        this.closedCount += 1;
        if (this.endsBadly) throw new Error('The disk is full');
      },
    });
    this.sessions.push(session);
    return session;
  }

  async close(): Promise<void> {
    await Promise.all(this.sessions.map((session) => session.close()));
  }
}

export class ScriptedSession implements AgentSession {
  readonly events: SessionEvents;
  readonly vendorSessionId: string;
  readonly model: string | null;
  readonly prompts: PromptInput[] = [];
  emitted = 0;
  interrupts = 0;
  readonly #options: StartOptions;
  readonly #onClose: () => void;
  readonly #onInterrupt: () => Promise<unknown>;
  #stop: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    options: StartOptions,
    {
      isNamedLate,
      onClose,
      onInterrupt,
    }: { readonly isNamedLate: boolean; readonly onClose: () => void; readonly onInterrupt: () => Promise<unknown> },
  ) {
    this.#options = options;
    this.#onClose = onClose;
    this.#onInterrupt = onInterrupt;
    this.vendorSessionId = options.resume ?? randomUUID();
    this.model = options.model ?? null;
    this.events = new SessionEvents({ cwd: options.cwd, whenUnread: options.whenUnread });
    if (isNamedLate) this.events.emit({ type: 'session.status', status: 'idle' });
    else this.events.emit({ type: 'session.started', vendorSessionId: this.vendorSessionId, cwd: options.cwd });
  }

  async prompt(input: PromptInput): Promise<void> {
    if (this.events.isEnded) throw new RelayError('connection_closed', 'The session is over');
    this.prompts.push(input);
    if (input.text === 'deaf') await new Promise(() => {});
    if (input.text !== 'mute') void this.#turn(input);
  }

  async interrupt(): Promise<boolean> {
    this.interrupts += 1;
    await this.#onInterrupt();
    this.#stop?.();
    return this.#stop !== undefined;
  }

  async resolveApproval(approvalId: string, decision: ApprovalDecision): Promise<boolean> {
    return this.events.approvals.resolve(approvalId, decision);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.events.end({ reason: 'closed' });
    this.#onClose();
  }

  async #turn({ text, images = [], messageIds }: PromptInput): Promise<void> {
    const turnId = randomUUID();
    const item = { turnId, itemId: randomUUID() };
    this.events.emit({ type: 'turn.started', turnId });
    this.events.emit({ type: 'user.message', turnId, text, messageIds: [...messageIds] });
    const [verb, ...rest] = text.split(' ');
    const words = rest.join(' ');
    if (verb === 'hang' || verb === 'end') {
      await new Promise<void>((resolve) => {
        this.#stop = resolve;
      });
      this.#stop = undefined;
      if (verb === 'end') {
        await new Promise((resolve) => setTimeout(resolve, 150));
        this.events.emit({ type: 'text.delta', ...item, text: words });
      }
      this.events.emit({ type: 'turn.completed', turnId, outcome: 'interrupted' });
      return;
    }
    if (verb === 'crash') {
      this.events.end({ reason: 'crashed', detail: `Claude Code exited with code ${words}: out of luck`, exitCode: Number(words) });
      return;
    }
    if (verb === 'stream') await this.#stream(Number(words), item);
    if (verb === 'tools') await this.#tools(Number(words), turnId);
    if (verb === 'edit') this.events.emit({ type: 'file.changed', turnId, changes: [{ path: words, change: 'updated' }] });
    if (verb === 'ask') await this.#ask(turnId);
    const { instructions, model = 'none' } = this.#options;
    if (verb === 'echo') this.events.emit({ type: 'text.completed', ...item, text: `${model}|${instructions}|${images.length}` });
    if (verb === 'say') {
      this.events.emit({ type: 'text.delta', ...item, text: words });
      this.events.emit({ type: 'text.completed', ...item, text: words });
    }
    this.events.emit({ type: 'turn.completed', turnId, outcome: 'finished', ...(verb === 'say' ? { text: words } : {}) });
  }

  async #stream(count: number, item: { turnId: string; itemId: string }): Promise<void> {
    for (let index = 0; index < count && !this.events.isEnded; index++) {
      this.events.emit({ type: 'text.delta', ...item, text: `${index} ${'x'.repeat(1000)}\n` });
      this.emitted += 1;
      await this.events.room();
      if (index % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #tools(count: number, turnId: string): Promise<void> {
    for (let index = 0; index < count && !this.events.isEnded; index++) {
      const input = { command: `${index} ${'x'.repeat(300_000)}` };
      this.events.emit({ type: 'tool.started', turnId, itemId: `t${index}`, name: 'Bash', kind: 'execute', title: 'Bash', input });
      this.emitted += 1;
      await this.events.room();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #ask(turnId: string): Promise<void> {
    const verdict = await this.events.approvals.ask({ turnId, kind: 'execute', title: 'Run ls', input: { command: 'ls' } });
    this.events.emit({ type: 'text.completed', turnId, itemId: randomUUID(), text: verdict.outcome });
  }
}
