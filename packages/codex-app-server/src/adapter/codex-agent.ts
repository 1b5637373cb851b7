import { randomUUID } from 'node:crypto';
import { RelayError } from 'agent-relay-protocol';
import type { CodexThread } from '../app-server/codex-thread.ts';
import { isConnectionLost } from '../app-server/errors.ts';
import type { SandboxPolicy } from '../app-server/methods.ts';
import { type KnownNotification, parseNotification } from '../app-server/notifications.ts';

export interface CodexAgentOptions {
  readonly sandboxPolicy: SandboxPolicy;
  readonly onResponse: (response: string) => void;
  /** A turn that failed, and the end of the connection. */
  readonly onError: (error: RelayError) => void;
}

/** One agent of a `CodexAdapter`: a thread of the app-server. */
export class CodexAgent {
  readonly name: string;
  readonly #thread: CodexThread;
  readonly #options: CodexAgentOptions;
  #hasWorked = false;
  #hasLeft = false;
  #response = '';

  constructor(name: string, thread: CodexThread, options: CodexAgentOptions) {
    this.name = name;
    this.#thread = thread;
    this.#options = options;
    void this.#read();
  }

  get threadId(): string {
    return this.#thread.id;
  }

  /** `idle` before its first turn, `completed` between turns. */
  get status(): 'idle' | 'processing' | 'completed' {
    if (this.#thread.activeTurnId !== undefined) return 'processing';
    return this.#hasWorked ? 'completed' : 'idle';
  }

  /**
   * Starts a turn with this text, or adds it to the turn that runs; resolves when Codex has it. What comes of it goes to `onResponse`.
   * @throws RelayError `connection_closed` once the agent is destroyed or the adapter disconnected.
   */
  async sendTurn(input: string): Promise<void> {
    if (this.#hasLeft) throw new RelayError('connection_closed', `The agent ${this.name} is no longer there`);
    const { sandboxPolicy } = this.#options;
    await this.#thread.startTurn({ text: input, clientUserMessageId: randomUUID(), approvalPolicy: 'never', sandboxPolicy });
    this.#hasWorked = true;
  }

  /** Stops the running turn, and the command that it runs. */
  async interrupt(): Promise<void> {
    if (await this.#thread.interrupt()) await this.#thread.cleanBackgroundTerminals();
  }

  /** Adds to the running turn; where it has just ended, this is a turn of its own. */
  steer(input: string): Promise<void> {
    return this.sendTurn(input);
  }

  /** Stops it and lets the server drop it from memory; what was said stays on disk. Idempotent. */
  async destroy(): Promise<void> {
    if (this.#hasLeft) return;
    this.leave();
    await this.interrupt();
    // One that has had no turn is not stored, and cannot be archived.
    await this.#thread.unload().catch((error: unknown) => {
      if (this.#hasWorked && !isConnectionLost(error)) throw error;
    });
  }

  /** Its adapter leaves the server: nothing is told of it any more. */
  leave(): void {
    this.#hasLeft = true;
  }

  async #read(): Promise<void> {
    try {
      for await (const notification of this.#thread.notifications) {
        const known = parseNotification(notification);
        if (known) this.#observe(known);
      }
      if (!this.#hasLeft) this.#options.onError(new RelayError('connection_closed', 'The connection to the Codex app-server has ended'));
    } catch (cause) {
      this.#options.onError(new RelayError('connection_closed', `The agent ${this.name} is lost`, { cause }));
    }
  }

  #observe({ method, params }: KnownNotification): void {
    if (method === 'turn/started') this.#response = '';
    if (method === 'item/completed' && params.item.known?.type === 'agentMessage') this.#response = params.item.known.text ?? '';
    if (method !== 'turn/completed') return;
    this.#hasWorked = true;
    const { status, error } = params.turn;
    if (status === 'completed') this.#options.onResponse(this.#response);
    else if (status !== 'interrupted') this.#options.onError(new RelayError('provider_unavailable', error?.message ?? 'The turn failed'));
  }
}
