import { RelayError } from 'agent-relay-protocol';
import {
  type AgentSession,
  deliveryOf,
  isMail,
  type LiveEvent,
  type PromptImage,
  type PromptInput,
  type PromptOptions,
  SessionEvents,
  type StartOptions,
} from 'agent-relay-provider';
import { processEnd } from 'agent-relay-provider/kit';
import { settlesWithin } from 'agent-relay-wire';
import { type ChildHandle, lastWords } from 'agent-relay-wire/node';
import { parseExecEvent } from '../../exec/exec-events.ts';
import type { ExecRun } from '../../exec/run-exec.ts';
import type { ExecRights } from './exec-policy.ts';
import { ExecTranslator } from './exec-translator.ts';

export interface ExecTurnRequest {
  readonly prompt: string;
  readonly images: readonly PromptImage[];
  readonly isMail: boolean;
  readonly threadId: string | undefined;
}

export interface ExecSessionOptions extends ExecRights {
  readonly cwd: string;
  readonly model: string | null;
  readonly version: string;
  readonly relayServers: ReadonlySet<string>;
  /** The thread that it goes on with. */
  readonly resume: string | undefined;
  readonly whenUnread: StartOptions['whenUnread'];
  /** Starts the process of one turn. */
  readonly run: (turn: ExecTurnRequest) => Promise<ExecRun>;
  /** Gives back what the session was started with. */
  readonly release: () => Promise<void>;
}

interface Waiting {
  readonly input: PromptInput;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Running {
  readonly over: Promise<void>;
  run?: ExecRun;
  isStopped: boolean;
}

const stopGraceMs = 1_500;
const lingerMs = 2_000;
const runtime = 'codex exec, a process for each prompt';

/**
 * One agent whose prompts each are a `codex exec` of one thread. Nothing can join a turn that runs: what comes meanwhile waits here, oldest first.
 *
 * States: *open* from construction; *ended* by `close()`. A process that dies fails its turn only: the next one goes on with the thread.
 */
export class ExecSession implements AgentSession {
  readonly events: SessionEvents;
  readonly #options: ExecSessionOptions;
  readonly #translator: ExecTranslator;
  readonly #waiting: Waiting[] = [];
  #threadId: string | undefined;
  #turnCount = 0;
  #running: Running | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: ExecSessionOptions) {
    this.#options = options;
    const { cwd, whenUnread, relayServers, resume } = options;
    this.events = new SessionEvents({ cwd, whenUnread });
    this.#translator = new ExecTranslator({ relayServers, isResumed: resume !== undefined });
    if (resume !== undefined) this.#tellThread(resume);
    this.events.emit({ type: 'session.status', status: 'idle' });
  }

  get vendorSessionId(): string | null {
    return this.#threadId ?? null;
  }

  get model(): string | null {
    return this.#options.model;
  }

  async prompt(input: PromptInput, { mode }: PromptOptions): Promise<void> {
    this.#assertOpen();
    const isUrgent = deliveryOf(input, mode, this.#options) === 'urgent';
    const taken = new Promise<void>((resolve, reject) => {
      this.#waiting[isUrgent ? 'unshift' : 'push']({ input, resolve, reject });
    });
    if (isUrgent) await this.#stop();
    this.#startNext();
    await taken;
  }

  async interrupt(): Promise<boolean> {
    this.#assertOpen();
    return await this.#stop();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const { reject } of this.#waiting.splice(0)) reject(endedError());
    try {
      await this.#stop();
    } finally {
      this.events.end({ reason: 'closed' });
      await this.#options.release();
    }
  }

  /** Ends the process of the running turn with whatever it started; `false` when none was running. */
  async #stop(): Promise<boolean> {
    const running = this.#running;
    if (!running) return false;
    running.isStopped = true;
    await running.run?.child.kill({ graceMs: stopGraceMs });
    await running.over;
    return true;
  }

  #startNext(): void {
    if (this.#running || this.#closing) return;
    const next = this.#waiting.shift();
    if (!next) return;
    let settle = () => {};
    const running: Running = { isStopped: false, over: new Promise((resolve) => (settle = resolve)) };
    this.#running = running;
    void this.#run(running, next)
      .catch(next.reject)
      .finally(() => {
        this.#running = undefined;
        settle();
        this.#startNext();
      });
  }

  async #run(running: Running, { input, resolve }: Waiting): Promise<void> {
    const isNew = this.#threadId === undefined;
    const run = await this.#start(running, input);
    this.#turnCount += 1;
    const turnId = `exec-${this.#turnCount}`;
    this.#translator.begin({ turnId, text: input.text, messageIds: input.messageIds });
    let hasBegun = false;
    let lingering: Promise<void> | undefined;
    for await (const line of run.lines) {
      const event = parseExecEvent(line);
      if (event?.type === 'thread.started') this.#tellThread(event.thread_id);
      if (event?.type === 'turn.started') {
        hasBegun = true;
        resolve();
      }
      for (const each of this.#translator.translate(line)) this.events.emit(each);
      if (this.#translator.hasEnded) lingering ??= endLingering(run.child);
      await this.events.room();
    }
    await lingering;
    if (hasBegun) return await this.#ended(running, run, turnId);
    await run.child.kill({ graceMs: stopGraceMs });
    this.#translator.forget(turnId);
    if (running.isStopped)
      throw this.#closing ? endedError() : new RelayError('provider_unavailable', 'The prompt was stopped before Codex took it');
    const words = lastWords(run.child);
    if (!isNew && /no rollout found/u.test(words)) return await this.#runAnew(running, { input, resolve });
    throw new RelayError('provider_unavailable', `Codex did not take the prompt${words === '' ? '' : `: ${words}`}`);
  }

  /** A thread that was stopped before it was stored has nothing to go on with. */
  async #runAnew(running: Running, waiting: Pick<Waiting, 'input' | 'resolve'>): Promise<void> {
    this.#threadId = undefined;
    await this.#run(running, { ...waiting, reject: () => {} });
  }

  async #start(running: Running, input: PromptInput): Promise<ExecRun> {
    const { run: begin } = this.#options;
    const { text: prompt, images = [] } = input;
    const run = await begin({ prompt, images, isMail: isMail(input), threadId: this.#threadId });
    running.run = run;
    // Whoever stopped it meanwhile found no process to end.
    if (running.isStopped) await run.child.kill({ graceMs: stopGraceMs });
    return run;
  }

  async #ended(running: Running, { child }: ExecRun, turnId: string): Promise<void> {
    if (!this.#translator.hasEnded) {
      this.#translator.forget(turnId);
      const end = running.isStopped ? undefined : await processEnd(child, 'codex exec');
      this.events.emit(end === undefined ? { type: 'turn.completed', turnId, outcome: 'interrupted' } : crashed(turnId, end.detail));
    }
    // A command that went on in the background ends with its turn.
    await child.kill({ graceMs: stopGraceMs });
    this.events.emit({ type: 'session.status', status: 'idle' });
  }

  #tellThread(threadId: string): void {
    if (threadId === this.#threadId) return;
    this.#threadId = threadId;
    const { cwd, version, model } = this.#options;
    this.events.emit({ type: 'session.started', vendorSessionId: threadId, cwd, version, runtime, ...(model === null ? {} : { model }) });
  }

  #assertOpen(): void {
    if (this.#closing) throw endedError();
  }
}

/** It exits by itself a moment after its turn; one that stays would keep the next prompt. */
async function endLingering(child: ChildHandle): Promise<void> {
  await settlesWithin(child.exited, lingerMs);
  await child.kill({ graceMs: stopGraceMs });
}

const endedError = (): RelayError => new RelayError('connection_closed', 'The Codex session has ended');

const crashed = (turnId: string, detail = 'codex exec ended during the turn'): LiveEvent => ({
  type: 'turn.failed',
  turnId,
  error: { code: 'agent_crashed', message: detail, retryable: true },
});
