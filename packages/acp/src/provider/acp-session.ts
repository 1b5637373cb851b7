import { randomUUID } from 'node:crypto';
import { RelayError } from 'agent-relay-protocol';
import {
  type AgentSession,
  type ApprovalDecision,
  deliveryOf,
  type EndOfSession,
  type LiveEvent,
  type PromptInput,
  type PromptOptions,
  type SessionEvents,
} from 'agent-relay-provider';
import type { SessionRights } from 'agent-relay-provider/kit';
import { settlesWithin } from 'agent-relay-wire';
import type { AcpConnection, PromptBlock } from '../acp/acp-connection.ts';
import type { AcpToolGate, GatedTurn } from './tool-gate.ts';
import type { AcpTranslator } from './translator.ts';

export interface AcpSessionOptions {
  readonly connection: AcpConnection;
  readonly translator: AcpTranslator;
  readonly gate: AcpToolGate;
  readonly events: SessionEvents;
  readonly rights: SessionRights;
  readonly name: string;
  readonly vendorSessionId: string;
  readonly model: string | null;
  /** What goes ahead of the first prompt: the protocol has no other place for standing instructions. */
  readonly preamble: readonly PromptBlock[];
  /** How long a turn may take to stop. */
  readonly stopGraceMs: number;
  /** Ends what runs the session; resolves when it is gone. */
  readonly end: () => Promise<void>;
  /** Why a connection ended that nobody closed. */
  readonly explainEnd: () => Promise<EndOfSession>;
}

interface RunningTurn extends GatedTurn {
  readonly stop: AbortController;
  /** Resolves when the agent has answered the prompt. */
  readonly over: Promise<void>;
}

interface Held {
  readonly input: PromptInput;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One agent. A prompt at a time: some agents queue a second one, some drop the first for it, so what comes during a turn is held here, oldest
 * first, a turn each.
 */
export class AcpSession implements AgentSession {
  readonly events: SessionEvents;
  readonly vendorSessionId: string;
  readonly model: string | null;
  readonly #options: AcpSessionOptions;
  readonly #held: Held[] = [];
  #preamble: readonly PromptBlock[];
  #turn: RunningTurn | undefined;
  #stopFailure: EndOfSession | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: AcpSessionOptions) {
    this.#options = options;
    this.#preamble = options.preamble;
    this.events = options.events;
    this.vendorSessionId = options.vendorSessionId;
    this.model = options.model;
    void this.#watch();
  }

  /** What the agent's questions are answered for. */
  get turn(): GatedTurn | undefined {
    return this.#turn;
  }

  async prompt(input: PromptInput, { mode }: PromptOptions): Promise<void> {
    this.#assertOpen();
    const isUrgent = deliveryOf(input, mode, this.#options.rights) === 'urgent';
    const sent = new Promise<void>((resolve, reject) => {
      if (isUrgent) this.#held.unshift({ input, resolve, reject });
      else this.#held.push({ input, resolve, reject });
    });
    sent.catch(() => {}); // whoever prompts hears of it below
    if (isUrgent) await this.#stopTurn();
    this.#startHeld();
    await sent;
  }

  async interrupt(): Promise<boolean> {
    this.#assertOpen();
    return this.#stopTurn();
  }

  async resolveApproval(approvalId: string, decision: ApprovalDecision): Promise<boolean> {
    this.#assertOpen();
    return this.events.approvals.resolve(approvalId, decision);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#refuseHeld();
    if (this.#turn && !this.events.isEnded) {
      await this.#askToStop(this.#turn).catch(() => {}); // the process is ended all the same
      await settlesWithin(this.#turn?.over ?? Promise.resolve(), this.#options.stopGraceMs);
    }
    await this.#options.end();
    await this.events.ended;
  }

  #startHeld(): void {
    const next = this.#turn || this.#closing || this.events.isEnded ? undefined : this.#held.shift();
    if (!next) return;
    const stop = new AbortController();
    const turnId = randomUUID();
    this.#emit(this.#options.translator.begin(turnId, next.input));
    const answer = this.#options.connection.prompt([...this.#preamble, ...blocksOf(next.input)]);
    this.#preamble = [];
    this.#turn = { turnId, stop, signal: stop.signal, over: this.#follow(answer, stop.signal) };
    next.resolve();
  }

  async #follow(answer: ReturnType<AcpConnection['prompt']>, stopped: AbortSignal): Promise<void> {
    const { translator, gate } = this.#options;
    let end: readonly LiveEvent[];
    try {
      end = translator.end(await answer, stopped.aborted);
    } catch (error) {
      // How the process ended is told with the end of the session.
      if (error instanceof RelayError && error.code === 'connection_closed') return;
      end = translator.fail(error, stopped.aborted);
    }
    this.#turn = undefined;
    gate.turnEnded();
    this.#emit(end);
    this.#startHeld();
  }

  /** False when no turn was running. An agent that goes on all the same is ended: what was stopped must not go on. */
  async #stopTurn(): Promise<boolean> {
    const turn = this.#turn;
    if (!turn) return false;
    const { name, stopGraceMs, end } = this.#options;
    await this.#askToStop(turn);
    if (await settlesWithin(Promise.race([turn.over, this.events.ended]), stopGraceMs)) return true;
    this.#stopFailure = { reason: 'crashed', detail: `${name} did not stop its turn within ${stopGraceMs / 1000} s and was ended` };
    await end();
    return true;
  }

  /** Agents do not answer a prompt while a question of theirs is open, so those are answered first. */
  async #askToStop(turn: RunningTurn): Promise<void> {
    turn.stop.abort();
    await this.#options.connection.cancel();
  }

  async #watch(): Promise<void> {
    await this.#options.connection.closed;
    const end: EndOfSession = this.#closing ? { reason: 'closed' } : (this.#stopFailure ?? (await this.#options.explainEnd()));
    this.#turn?.stop.abort();
    this.events.end(end);
    this.#refuseHeld();
  }

  #refuseHeld(): void {
    for (const { reject } of this.#held.splice(0)) reject(this.#endedError());
  }

  #assertOpen(): void {
    if (this.#closing !== undefined || this.events.isEnded) throw this.#endedError();
  }

  #endedError(): RelayError {
    return new RelayError('connection_closed', `The ${this.#options.name} session has ended`);
  }

  #emit(events: readonly LiveEvent[]): void {
    for (const event of events) this.events.emit(event);
  }
}

const blocksOf = ({ text, images = [] }: PromptInput): readonly PromptBlock[] => [
  ...images.map(({ mediaType: mimeType, data }) => ({ type: 'image', mimeType, data }) as const),
  { type: 'text', text },
];
