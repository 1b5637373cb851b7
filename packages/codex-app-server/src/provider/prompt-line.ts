import { randomUUID } from 'node:crypto';
import { type ApprovalMode, RelayError, type SpawnMode } from 'agent-relay-protocol';
import { isMail, isMailRestricted, type PromptInput } from 'agent-relay-provider';
import { Bell, RecentSet } from 'agent-relay-wire';
import type { CodexThread } from '../app-server/codex-thread.ts';
import { isConnectionLost, isUnsupported } from '../app-server/errors.ts';
import type { PromptLedger } from './prompt-ledger.ts';
import { turnPolicy } from './session-policy.ts';

export interface PromptLineOptions {
  readonly thread: CodexThread;
  readonly ledger: PromptLedger;
  readonly mode: SpawnMode;
  readonly approval: ApprovalMode;
  readonly ask: boolean;
  /** Whether the server may have a queue of its own. */
  readonly canQueue: boolean;
}

interface Held {
  readonly input: PromptInput;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What a verb of ours leaves to be waited for after the next one may be sent. */
type AfterSending = (() => Promise<void>) | undefined;

/**
 * The prompts of one thread on their way to Codex: one verb at a time, and each at its moment.
 *
 * States: *open* until `end`. What must not join the running turn is *held* until that turn is over, oldest first, a turn each; what comes
 * later waits behind it. An urgent prompt goes ahead of what is held.
 */
export class PromptLine {
  readonly #options: PromptLineOptions;
  readonly #thread: CodexThread;
  readonly #held: Held[] = [];
  readonly #mailTurns = new RecentSet<string>(256);
  readonly #turnEnds = new Bell();
  #sending: Promise<unknown> = Promise.resolve();
  #canQueue: boolean;
  #mailOnItsWay = 0;
  /** What is held does not slip in between an interrupt and the prompt that asked for it. */
  #urgentWaiting = 0;
  #isEnded = false;

  constructor(options: PromptLineOptions) {
    this.#options = options;
    this.#thread = options.thread;
    this.#canQueue = options.canQueue;
  }

  /** At the next turn boundary: at once when idle, else through Codex's queue, else held here. */
  next(input: PromptInput): Promise<void> {
    return this.#inOrder(() => this.#next(input));
  }

  /** Starts a turn or joins the one that is running; as `next` where it may not join. */
  now(input: PromptInput): Promise<void> {
    return this.#inOrder(() => (this.#mayJoin(input) ? this.#startTurn(input) : this.#next(input)));
  }

  /** Stops the running turn and starts one. */
  async urgent(input: PromptInput): Promise<void> {
    this.#urgentWaiting += 1;
    let mustWait = false;
    try {
      // A turn that cannot be stopped is joined, by what may join it; the rest waits for its end.
      await this.#stopTurn().catch((error: unknown) => {
        if (isConnectionLost(error)) throw error;
      });
      await this.#inOrder(async () => {
        mustWait = !this.#mayJoin(input);
        return mustWait ? undefined : await this.#startTurn(input);
      });
    } finally {
      this.#urgentWaiting -= 1;
      this.#startHeld();
    }
    if (mustWait) await this.next(input);
  }

  /** Adds to the context; resolves when Codex has it. */
  inject(input: PromptInput): Promise<void> {
    return this.#inOrder(async () => {
      await this.#thread.injectUserText(input.text);
      return undefined;
    });
  }

  /** Whether mail is known to have begun this turn, or joined it. */
  isMailTurn(turnId: string): boolean {
    return this.#mailTurns.has(turnId);
  }

  /** Also while mail is on its way, and Codex has not said yet into which turn. */
  mayBeMailTurn(turnId: string): boolean {
    return this.#mailOnItsWay > 0 || this.isMailTurn(turnId);
  }

  /** Adds a word of ours to the running turn, in which no mail comes. Nothing waits for it: a turn that ends meanwhile needs it no more. */
  async remark(text: string): Promise<void> {
    const turnId = this.#thread.activeTurnId;
    if (turnId === undefined) return;
    await this.#thread.steer(turnId, { text, clientUserMessageId: `relay-${randomUUID()}` }).catch(() => undefined);
  }

  /** Stops the running turn and its command; `false` when none was running. */
  async interrupt(): Promise<boolean> {
    const wasRunning = await this.#stopTurn();
    // An interrupt stops Codex's queue as well, and nothing but another turn would start it again.
    if (wasRunning && this.#canQueue && this.#options.ledger.unconfirmedClientIds.size > 0) {
      // What is unconfirmed need not be in the queue, and starting an empty one is refused: the turn is stopped all the same.
      await this.#thread.startQueue().catch(() => undefined);
    }
    return wasRunning;
  }

  /** Tells the line that a turn is over, once everything that belongs to it was told. */
  turnEnded(): void {
    this.#turnEnds.ring();
    this.#startHeld();
  }

  /** Takes back what waits in Codex's queue: a person who resumes the thread must not get what the relay delivers again. */
  async takeBack(): Promise<void> {
    const unconfirmed = this.#options.ledger.unconfirmedClientIds;
    if (this.#canQueue && unconfirmed.size > 0) await this.#ifSupported(() => this.#thread.dequeue(unconfirmed));
  }

  /** Nothing will be sent any more: what is held is refused. */
  end(error: RelayError): void {
    this.#isEnded = true;
    for (const { reject } of this.#held.splice(0)) reject(error);
    this.turnEnded();
  }

  /** One verb at a time, so that two prompts for an idle thread become a turn and one that waits for it. */
  async #inOrder(send: () => Promise<AfterSending>): Promise<void> {
    const sent = this.#sending.then(() => {
      if (this.#isEnded) throw new RelayError('connection_closed', 'The Codex session has ended');
      return send();
    });
    this.#sending = sent.catch(() => {});
    const afterSending = await sent;
    await afterSending?.();
  }

  async #next(input: PromptInput): Promise<AfterSending> {
    const isFree = this.#held.length === 0;
    if (isFree && this.#thread.activeTurnId === undefined) return await this.#startTurn(input);
    // A queued turn inherits the last turn's rights, which are the right ones only where all turns have the same.
    const mayQueue = isFree && this.#canQueue && !isMailRestricted(this.#options.mode, this.#options.approval);
    if (mayQueue && (await this.#ifSupported(() => this.#submit(input, (turn) => this.#thread.enqueue(turn))))) return undefined;
    return () => this.#hold(input);
  }

  #hold(input: PromptInput): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#held.push({ input, resolve, reject });
      // The turn may have ended while we asked for a place in the queue.
      this.#startHeld();
    });
  }

  #startHeld(): void {
    const [next] = this.#held;
    if (!next || this.#isEnded || this.#urgentWaiting > 0 || this.#thread.activeTurnId !== undefined) return;
    this.#held.shift();
    this.#inOrder(() => this.#startTurn(next.input)).then(next.resolve, next.reject);
  }

  async #startTurn(input: PromptInput): Promise<undefined> {
    const { mode, approval, ask } = this.#options;
    const policy = turnPolicy({ mode, approval, ask, isMail: isMail(input) });
    this.#mailOnItsWay += isMail(input) ? 1 : 0;
    try {
      await this.#submit(input, async (turn) => {
        const turnId = await this.#thread.startTurn({ ...turn, ...policy });
        if (isMail(input)) this.#mailTurns.add(turnId);
      });
    } finally {
      this.#mailOnItsWay -= isMail(input) ? 1 : 0;
    }
    return undefined;
  }

  async #submit(input: PromptInput, send: (turn: { text: string; clientUserMessageId: string }) => Promise<void>): Promise<void> {
    const clientUserMessageId = `relay-${randomUUID()}`;
    // Before it is sent, because the echo may be here before the answer.
    this.#options.ledger.add(clientUserMessageId, input.messageIds);
    try {
      await send({ text: input.text, clientUserMessageId });
    } catch (error) {
      this.#options.ledger.dropped(clientUserMessageId);
      throw error;
    }
  }

  /** Restricted mail must not lend itself the rights of another turn, nor another prompt its rights to a turn of mail. */
  #mayJoin(input: PromptInput): boolean {
    const { activeTurnId } = this.#thread;
    if (activeTurnId === undefined || !isMailRestricted(this.#options.mode, this.#options.approval)) return true;
    return isMail(input) === this.#mailTurns.has(activeTurnId);
  }

  /** Resolves when Codex has said that the turn is over. */
  async #stopTurn(): Promise<boolean> {
    // A turn whose start is on its way is a running one.
    await this.#sending;
    if (!(await this.#thread.interrupt())) return false;
    if (this.#thread.activeTurnId !== undefined && !this.#isEnded) await this.#turnEnds.next();
    await this.#thread.cleanBackgroundTerminals();
    return true;
  }

  async #ifSupported(ask: () => Promise<void>): Promise<boolean> {
    try {
      await ask();
      return true;
    } catch (error) {
      if (!isUnsupported(error)) throw error;
      this.#canQueue = false;
      return false;
    }
  }
}
