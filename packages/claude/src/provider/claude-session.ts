import { randomUUID } from 'node:crypto';
import { type DeliveryMode, RelayError } from 'agent-relay-protocol';
import {
  type AgentSession,
  type ApprovalDecision,
  deliveryOf,
  type EndOfSession,
  type PromptInput,
  type PromptOptions,
  type SessionEvents,
} from 'agent-relay-provider';
import { sleep } from 'agent-relay-wire';
import type { ClaudeConnection, ClaudePrompt } from '../stream-json/claude-connection.ts';
import type { ClaudeFrame } from '../stream-json/frames.ts';
import type { ClaudePermissionMode } from '../stream-json/permission-mode.ts';
import type { ToolGateOptions } from './tool-gate.ts';
import type { ClaudeTranslator } from './translator.ts';

export interface ClaudeSessionOptions {
  readonly connection: ClaudeConnection;
  readonly translator: ClaudeTranslator;
  readonly events: SessionEvents;
  /** What mail may do; nothing but what everything else may where no mail comes. */
  readonly gate?: Pick<ToolGateOptions, 'mode' | 'approval'> | undefined;
  /** Resolves when Claude may be handed what is about to be said to it. */
  readonly beforePrompt?: (() => Promise<void>) | undefined;
  readonly vendorSessionId: string | null;
  readonly model: string | null;
  /** See `ClaudeSession`. */
  readonly isContinued?: boolean;
  /** Ends what runs the session; resolves when it is gone. */
  readonly end: () => Promise<void>;
  /** How long the end of a turn may follow its interrupt. Default 5 000. */
  readonly stopGraceMs?: number;
  /** Why a connection ended that nobody closed. */
  readonly explainEnd: () => Promise<EndOfSession>;
}

/**
 * Claude joins a plain prompt to the running turn at its next tool result, so `next` must say `later`. `now` cannot cut into a sentence that
 * the model is saying: it reaches the model with the next tool result, or right after the answer.
 */
const priorities: Readonly<Record<DeliveryMode, NonNullable<ClaudePrompt['priority']>>> = {
  next: 'later',
  now: 'next',
  urgent: 'now',
  fyi: 'later',
};

/**
 * A running Claude Code, whether its process is ours or it dialled in: hands prompts over, and tells in `AgentEvent`s what it does. A permission
 * that it asks for is an `approval.requested`, and waits for `resolveApproval`.
 */
export class ClaudeSession implements AgentSession {
  readonly events: SessionEvents;
  /** Its CLI, which dialled in, had been spoken to before this session began. */
  readonly isContinued: boolean;
  readonly #options: ClaudeSessionOptions;
  #isClosing = false;
  #closing: Promise<void> | undefined;

  constructor(options: ClaudeSessionOptions) {
    this.#options = options;
    this.events = options.events;
    this.isContinued = options.isContinued ?? false;
    void this.#watch();
  }

  get vendorSessionId(): string | null {
    return this.#options.translator.sessionId ?? this.#options.vendorSessionId;
  }

  get model(): string | null {
    return this.#options.translator.model ?? this.#options.model;
  }

  /**
   * Hands a prompt over; resolves when it is written, between two links of a CLI that dials on the next one. A session of the relay's says which of its messages the text carries.
   * @throws RelayError `connection_closed`.
   */
  async prompt(said: string | PromptInput, options: PromptOptions = { mode: 'next' }): Promise<void> {
    this.#assertOpen();
    const { mode: asked, promptId: uuid = randomUUID(), isRepeat = false } = options;
    const { connection, translator, beforePrompt, gate = { mode: 'unrestricted', approval: 'open' } } = this.#options;
    const input = typeof said === 'string' ? { text: said, messageIds: [] } : said;
    const mode = deliveryOf(input, asked, gate);
    if (mode === 'urgent') await this.#interruptFirst();
    translator.sent({ ...input, uuid, isRepeat, isContext: mode === 'fyi' });
    try {
      if (beforePrompt) await beforePrompt();
      await connection.prompt({
        uuid,
        isRepeat,
        waitsForLink: true,
        content: contentOf(input),
        priority: priorities[mode],
        ...(mode === 'fyi' ? { shouldQuery: false } : {}),
      });
    } catch (error) {
      translator.ledger.dropped(uuid);
      throw error;
    }
  }

  async interrupt(): Promise<boolean> {
    this.#assertOpen();
    const { connection, translator } = this.#options;
    if (translator.turnId === null && !translator.ledger.hasWaiting) return false;
    const { turnId } = translator;
    try {
      await connection.interrupt();
    } catch (error) {
      if (turnId === null || (error instanceof RelayError && error.code === 'connection_closed')) throw error;
    }
    if (turnId !== null) await this.#endStopped(turnId);
    return true;
  }

  /** For this session from its next request on. @throws RelayError `unsupported`, `connection_closed`, `timeout`. */
  async setModel(model: string): Promise<void> {
    this.#assertOpen();
    await this.#options.connection.setModel(model);
  }

  /**
   * What Claude does without asking from now on. In a session of the relay's its mode holds all the same.
   * @throws RelayError `validation_failed` for a mode that is none, `unsupported` for one that the CLI was not started for.
   */
  async setPermissionMode(mode: ClaudePermissionMode): Promise<void> {
    this.#assertOpen();
    await this.#options.connection.setPermissionMode(mode);
  }

  /** A person's answer to an `approval.requested`; false when nothing of this id waits (any more). */
  async resolveApproval(approvalId: string, decision: ApprovalDecision): Promise<boolean> {
    this.#assertOpen();
    return this.events.approvals.resolve(approvalId, decision);
  }

  close(): Promise<void> {
    this.#isClosing = true;
    this.#closing ??= this.#options.end().then(() => this.events.ended);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #watch(): Promise<void> {
    await this.#options.connection.closed;
    this.events.end(this.#isClosing ? { reason: 'closed' } : await this.#options.explainEnd());
  }

  /**
   * The end of a stopped turn follows the interrupt within 30 ms. Where it does not come the turn is ended here: a turn without an end would keep
   * its agent, and an interrupt is always a way out.
   */
  async #endStopped(turnId: string): Promise<void> {
    const { translator, connection, stopGraceMs = 5_000 } = this.#options;
    const until = performance.now() + stopGraceMs;
    while (translator.turnId === turnId && performance.now() < until && !connection.isClosed) await sleep(10);
    for (const event of translator.stopped(turnId)) this.events.emit(event);
  }

  /** A refusal or silence does not matter: a prompt with the priority `now` interrupts as well, it only loses the half answer. */
  async #interruptFirst(): Promise<void> {
    try {
      await this.interrupt();
    } catch (error) {
      if (error instanceof RelayError && error.code === 'connection_closed') throw error;
    }
  }

  #assertOpen(): void {
    if (this.#isClosing || this.#options.connection.isClosed)
      throw new RelayError('connection_closed', 'The Claude Code session has ended');
  }
}

function contentOf({ text, images = [] }: PromptInput): ClaudePrompt['content'] {
  if (images.length === 0) return text;
  const pictures = images.map(({ mediaType, data }) => ({ type: 'image', source: { type: 'base64', media_type: mediaType, data } }));
  const words = { type: 'text', text };
  return [...pictures, words];
}

/** What a connection does with each frame: translate, emit, and wait while nobody reads. */
export function emitFrames(translator: ClaudeTranslator, events: SessionEvents): (frame: ClaudeFrame) => Promise<void> {
  return (frame) => {
    for (const event of translator.translate(frame)) events.emit(event);
    return events.room();
  };
}
