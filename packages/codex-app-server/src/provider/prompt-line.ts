import { randomUUID } from 'node:crypto';
import { type ApprovalMode, RelayError, type SpawnMode } from 'agent-relay-protocol';
import { isMail, isMailRestricted, type PromptInput } from 'agent-relay-provider';
import { Bell, RecentSet, Serial } from 'agent-relay-wire';
import type { CodexThread } from '../app-server/codex-thread.ts';
import { isConnectionLost, isQueueFull, isThreadInUse, isUnsupported } from '../app-server/errors.ts';
import type { StartTurnParams } from '../app-server/methods.ts';
import { clientIdOf } from './client-ids.ts';
import type { PromptLedger, Unconfirmed } from './prompt-ledger.ts';
import { turnPolicy } from './session-policy.ts';

export interface PromptLineOptions {
  readonly thread: CodexThread;
  readonly ledger: PromptLedger;
  readonly mode: SpawnMode;
  readonly approval: ApprovalMode;
  readonly ask: boolean;
  /** Whether the server may have a queue of its own. */
  readonly canQueue: boolean;
  /** Told of what Codex refuses of the prompts that it had taken before its server died. */
  readonly onRefused?: (error: unknown) => void;
}

interface Held extends Unconfirmed {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A prompt whose sending Codex has not answered. */
interface Sending {
  readonly abort: AbortController;
  /** The server died before it answered: settles when the prompt has gone again. */
  again?: Promise<void>;
}

const promptOf = (input: PromptInput, promptId?: string): Unconfirmed => ({ input, clientUserMessageId: clientIdOf(input, promptId) });

/** It was the next to be sent, and its thread is written by another program. */
const elsewhere = { isIdle: false, mayHold: 'first' } as const;

/** What a verb of ours leaves to be waited for after the next one may be sent. */
type AfterSending = (() => Promise<void>) | undefined;

/**
 * The prompts of one thread on their way to Codex: one verb at a time, and each at its moment.
 *
 * States: *open* until `end`. What must not join the running turn is *held* until that turn is over, oldest first, a turn each; what comes
 * later waits behind it. An urgent prompt goes ahead of what is held. What a server that died had taken and not repeated is held again, ahead of
 * the rest.
 */
export class PromptLine {
  readonly #options: PromptLineOptions;
  readonly #thread: CodexThread;
  readonly #held: Held[] = [];
  readonly #unanswered = new Map<string, Sending>();
  readonly #queued = new RecentSet<string>(1024);
  #isHeldOnItsWay = false;
  readonly #mailTurns = new RecentSet<string>(256);
  readonly #turnEnds = new Bell();
  readonly #sending = new Serial();
  #canQueue: boolean;
  #mailOnItsWay = 0;
  /** What is held does not slip in between an interrupt and the prompt that asked for it. */
  #urgentWaiting = 0;
  /** Codex's queue took no more, and none of its prompts has run since. */
  #isQueueFull = false;
  #isEnded = false;

  constructor(options: PromptLineOptions) {
    this.#options = options;
    this.#thread = options.thread;
    this.#canQueue = options.canQueue;
  }

  /** At the next turn boundary: at once when idle, else through Codex's queue, else held here. */
  next(input: PromptInput, promptId?: string): Promise<void> {
    return this.#inOrder(() => this.#next(promptOf(input, promptId)));
  }

  /** Starts a turn or joins the one that is running; as `next` where it may not join. */
  now(input: PromptInput, promptId?: string): Promise<void> {
    const prompt = promptOf(input, promptId);
    return this.#inOrder(() => (this.#mayJoin(input) ? this.#startTurn(prompt) : this.#next(prompt)));
  }

  /** Stops the running turn and starts one. */
  async urgent(input: PromptInput, promptId?: string): Promise<void> {
    this.#urgentWaiting += 1;
    let mustWait = false;
    try {
      // A turn that cannot be stopped is joined, by what may join it; the rest waits for its end.
      await this.#stopTurn().catch((error: unknown) => {
        if (isConnectionLost(error)) throw error;
      });
      await this.#inOrder(async () => {
        mustWait = !this.#mayJoin(input);
        return mustWait ? undefined : await this.#startTurn(promptOf(input, promptId));
      });
    } finally {
      this.#urgentWaiting -= 1;
      this.#startHeld();
    }
    if (mustWait) await this.next(input, promptId);
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
    if (wasRunning && this.#canQueue && this.#options.ledger.unconfirmed.length > 0) {
      // What is unconfirmed need not be in the queue, and starting an empty one is refused: the turn is stopped all the same.
      await this.#thread.startQueue().catch(() => undefined);
    }
    return wasRunning;
  }

  /** Tells the line that a turn is over, once everything that belongs to it was told. */
  turnEnded(): void {
    this.#isQueueFull = false;
    this.#turnEnds.ring();
    this.#startHeld();
  }

  /** Takes back what waits in Codex's queue: a person who resumes the thread must not get what the relay delivers again. */
  async takeBack(): Promise<void> {
    const mail = this.#options.ledger.unconfirmed.filter(({ input }) => input.messageIds.length > 0);
    const unconfirmed = new Set(mail.map(({ clientUserMessageId }) => clientUserMessageId));
    if (this.#canQueue && unconfirmed.size > 0)
      await this.#ifSupported(async () => {
        await this.#thread.dequeue(unconfirmed);
      });
  }

  /**
   * The server died: of what it had not repeated, `found` came into the conversation. The rest is held again in the order in which it was sent, under
   * the same ids, until `turnEnded`; an answer that was still awaited is not waited for.
   */
  forgotten(found: ReadonlySet<string>): void {
    const isHeld = new Set(this.#held.map(({ clientUserMessageId }) => clientUserMessageId));
    const lost = this.#options.ledger.unconfirmed.filter(({ clientUserMessageId: id }) => !found.has(id) && !isHeld.has(id));
    // They are in no queue any more: from here each starts a turn of its own, with the rights of this session.
    for (const { clientUserMessageId } of lost) this.#queued.delete(clientUserMessageId);
    this.#isQueueFull = false;
    this.#held.unshift(...lost.map((prompt) => this.#takeOver(prompt)));
  }

  /** Nothing will be sent any more: what is held is refused, and what Codex has not answered is not waited for. */
  end(error: RelayError): void {
    this.#isEnded = true;
    for (const { abort } of this.#unanswered.values()) abort.abort(error);
    for (const { reject } of this.#held.splice(0)) reject(error);
    this.turnEnded();
  }

  /** One verb at a time, so that two prompts for an idle thread become a turn and one that waits for it. */
  async #inOrder(send: () => Promise<AfterSending>): Promise<void> {
    const afterSending = await this.#sending.run(() => {
      if (this.#isEnded) throw new RelayError('connection_closed', 'The Codex session has ended');
      return send();
    });
    await afterSending?.();
  }

  #takeOver(prompt: Unconfirmed): Held {
    const sending = this.#unanswered.get(prompt.clientUserMessageId);
    const { onRefused = () => {} } = this.#options;
    if (!sending) return { ...prompt, resolve: () => {}, reject: (error) => this.#isEnded || onRefused(error) };
    let settle: Pick<Held, 'resolve' | 'reject'> | undefined;
    sending.again = new Promise((resolve, reject) => {
      settle = { resolve, reject };
    });
    sending.again.catch(() => {}); // whoever sent it hears of it
    sending.abort.abort(new RelayError('gone', 'The server died'));
    return { ...prompt, resolve: () => settle?.resolve(), reject: (error) => settle?.reject(error) };
  }

  async #next(prompt: Unconfirmed): Promise<AfterSending> {
    const isFree = this.#held.length === 0 && !this.#isHeldOnItsWay;
    const isIdle = this.#thread.activeTurnId === undefined && !this.#thread.isElsewhere;
    if (isFree && isIdle && !this.#isAnyQueued()) return await this.#startTurn(prompt);
    return isFree ? await this.#enqueue(prompt, { isIdle, mayHold: 'last' }) : () => this.#hold(prompt, 'last');
  }

  /** A queued turn inherits the last turn's rights, which are the right ones only where all turns have the same. */
  get #mayQueue(): boolean {
    return this.#canQueue && !isMailRestricted(this.#options.mode, this.#options.approval);
  }

  /** Into Codex's queue, else held here. */
  async #enqueue(prompt: Unconfirmed, { isIdle, mayHold }: { isIdle: boolean; mayHold: 'first' | 'last' }): Promise<AfterSending> {
    let afterSending: AfterSending;
    const enqueue = async () => {
      this.#queued.add(prompt.clientUserMessageId);
      afterSending = await this.#submit(prompt, (turn) => this.#thread.enqueue(turn));
      // What waits there although nothing runs may have been stopped by an interrupt.
      if (isIdle && !afterSending) await this.#thread.startQueue().catch(() => undefined);
    };
    try {
      if (this.#mayQueue && (await this.#ifSupported(enqueue))) return afterSending;
    } catch (error) {
      if (!isQueueFull(error)) throw error;
      this.#isQueueFull = true;
    }
    return () => this.#hold(prompt, mayHold);
  }

  /** Between two turns Codex is about to start the next of its queue, which nothing may overtake. */
  #isAnyQueued(): boolean {
    return this.#options.ledger.unconfirmed.some(({ clientUserMessageId }) => this.#queued.has(clientUserMessageId));
  }

  #hold(prompt: Unconfirmed, place: 'first' | 'last'): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#held[place === 'first' ? 'unshift' : 'push']({ ...prompt, resolve, reject });
      // The turn may have ended while we asked for a place in the queue.
      this.#startHeld();
    });
  }

  #startHeld(): void {
    const [next] = this.#held;
    // Behind what waits in Codex's queue, and not ahead of it.
    const isBehindQueue = this.#mayQueue && (this.#thread.isElsewhere || this.#isAnyQueued());
    const isBusy = this.#isHeldOnItsWay || this.#urgentWaiting > 0 || (this.#thread.activeTurnId !== undefined && !isBehindQueue);
    const mustWait = (this.#thread.isElsewhere && !this.#mayQueue) || (isBehindQueue && this.#isQueueFull);
    if (!next || this.#isEnded || isBusy || mustWait) return;
    this.#held.shift();
    // What comes later, and is ahead of it in the line, waits behind it all the same.
    this.#isHeldOnItsWay = true;
    const sent = this.#inOrder(async () => {
      try {
        return await (isBehindQueue ? this.#enqueue(next, elsewhere) : this.#startTurn(next));
      } finally {
        this.#isHeldOnItsWay = false;
        // It may be over already, be refused, or be held again.
        this.#startHeld();
      }
    });
    sent.then(next.resolve, next.reject);
  }

  async #startTurn(prompt: Unconfirmed): Promise<AfterSending> {
    const { input } = prompt;
    const { mode, approval, ask } = this.#options;
    const policy = turnPolicy({ mode, approval, ask, isMail: isMail(input) });
    this.#mailOnItsWay += isMail(input) ? 1 : 0;
    try {
      return await this.#submit(prompt, async (turn) => {
        const turnId = await this.#thread.startTurn({ ...turn, ...policy });
        if (isMail(input)) this.#mailTurns.add(turnId);
      });
    } catch (error) {
      if (isThreadInUse(error)) return await this.#enqueue(prompt, elsewhere);
      throw error;
    } finally {
      this.#mailOnItsWay -= isMail(input) ? 1 : 0;
    }
  }

  async #submit({ input, clientUserMessageId }: Unconfirmed, send: (turn: StartTurnParams) => Promise<void>): Promise<AfterSending> {
    const sending: Sending = { abort: new AbortController() };
    this.#unanswered.set(clientUserMessageId, sending);
    // Before it is sent, because the echo may be here before the answer.
    this.#options.ledger.add(clientUserMessageId, input);
    try {
      const imageUrls = input.images?.map(({ mediaType, data }) => `data:${mediaType};base64,${data}`);
      await send({ text: input.text, ...(imageUrls && { imageUrls }), clientUserMessageId, signal: sending.abort.signal });
      return undefined;
    } catch (error) {
      const { again } = sending;
      if (again) return () => again;
      this.#options.ledger.dropped(clientUserMessageId);
      throw error;
    } finally {
      if (this.#unanswered.get(clientUserMessageId) === sending) this.#unanswered.delete(clientUserMessageId);
    }
  }

  /** Restricted mail must not lend itself the rights of another turn, nor another prompt its rights to a turn of mail. */
  #mayJoin(input: PromptInput): boolean {
    const { activeTurnId, isElsewhere } = this.#thread;
    if (isElsewhere) return false;
    if (activeTurnId === undefined || !isMailRestricted(this.#options.mode, this.#options.approval)) return true;
    return isMail(input) === this.#mailTurns.has(activeTurnId);
  }

  /** Resolves when Codex has said that the turn is over. */
  async #stopTurn(): Promise<boolean> {
    // A turn whose start is on its way is a running one.
    await this.#sending.settled();
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
