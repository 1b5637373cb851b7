import { RelayError } from 'agent-relay-protocol';
import { type AgentSession, SessionEvents } from 'agent-relay-provider';
import { sleep } from 'agent-relay-wire';
import { isSameProcess, killProcessTree, type ProcessIdentity } from 'agent-relay-wire/node';
import { type ClaudeCommand, stopJob } from './background-jobs.ts';

export interface BackgroundSessionOptions {
  readonly at: ClaudeCommand;
  /** Claude's own short id of the session. */
  readonly jobId: string;
  readonly vendorSessionId: string;
  readonly model: string | null;
  readonly process: ProcessIdentity;
  /** Its files go with it. */
  readonly remove: () => Promise<void>;
}

const LOOK_EVERY_MS = 500;

/**
 * A Claude Code that its own service runs, and that a person may open at a terminal. Its plugin is the agent: what it does and reads goes between that and
 * the relay. This one knows when it is over, and ends it.
 */
export class BackgroundSession implements AgentSession {
  readonly events: SessionEvents;
  readonly vendorSessionId: string;
  readonly model: string | null;
  readonly attach: string;
  readonly #options: BackgroundSessionOptions;
  readonly #over = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(options: BackgroundSessionOptions) {
    const { at, jobId, vendorSessionId, model } = options;
    this.#options = options;
    this.vendorSessionId = vendorSessionId;
    this.model = model;
    this.attach = `claude attach ${jobId}`;
    this.events = new SessionEvents({ cwd: at.cwd });
    this.events.emit({ type: 'session.started', vendorSessionId, cwd: at.cwd, ...(model === null ? {} : { model }) });
    void this.#watch();
  }

  async prompt(): Promise<void> {
    throw new RelayError('unsupported', 'A session in the background takes its prompts from its plugin and its terminal');
  }

  async interrupt(): Promise<boolean> {
    throw new RelayError('unsupported', `It runs in the background: interrupt it at its terminal (${this.attach})`);
  }

  close(): Promise<void> {
    this.#closing ??= this.#end('closed');
    return this.#closing;
  }

  /** A person may end it as well, and it may die. */
  async #watch(): Promise<void> {
    const { process: own } = this.#options;
    while (!this.#over.signal.aborted && (await isSameProcess(own))) await sleep(LOOK_EVERY_MS, { signal: this.#over.signal });
    this.#closing ??= this.#end('exited');
  }

  async #end(reason: 'closed' | 'exited'): Promise<void> {
    const { at, jobId, process: own, remove } = this.#options;
    this.#over.abort();
    // Else Claude's service would begin it anew.
    await stopJob(at, jobId).catch(() => {});
    await killProcessTree(own);
    await remove();
    this.events.end({ reason });
  }
}
