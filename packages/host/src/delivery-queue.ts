import { randomUUID } from 'node:crypto';
import { type AgentEvent, type DeliveryReport, type InboxItem, RelayError } from 'agent-relay-protocol';
import type { AgentSession, PromptOptions } from 'agent-relay-provider';
import { formatEnvelope, type Log, Pump, RecentMap, settlesWithin } from 'agent-relay-wire';
import { afterFailure, type MailBatch, nextBatch, retryDelayMs, type WaitingPiece } from './delivery-policy.ts';
import { MailEvidence } from './mail-evidence.ts';
import type { AgentPromptIds } from './prompt-ids.ts';

export interface DeliveryQueueOptions {
  readonly session: Pick<AgentSession, 'prompt'> & Partial<Pick<AgentSession, 'vendorSessionId'>>;
  /** Marks them dispatched at the relay; answers which of them may still be handed over. Rejects while the relay is away. */
  readonly dispatch: (messageIds: readonly number[]) => Promise<readonly number[]>;
  /** Resolves when the relay has them. */
  readonly report: (reports: readonly DeliveryReport[]) => Promise<void>;
  readonly log: Log;
  /** Told of mail just before the runtime gets it. */
  readonly onHandedOver?: (items: readonly InboxItem[]) => void;
  /** False where mail may do less than a person: an `fyi` must not slip into a person's turn. Default true. */
  readonly hasContext?: boolean;
  /** How long a turn may take to begin after a prompt, before the next mail stops waiting for it. Default 60 000. */
  readonly turnStartLimitMs?: number;
  /** Of a program that may outlive this process, or a conversation that does. */
  readonly promptIds?: AgentPromptIds | undefined;
}

const KNOWN_LIMIT = 10_000;
const LAST_REFUSAL_MS = 1_000;

const lostOf = (messageId: number): DeliveryReport => ({
  messageId,
  state: 'failed',
  reason: 'The program that was handed this ended before it said that it had it: nobody knows whether the agent has read it',
});

/**
 * An agent's mail on its way into its session, each message handed over at most once per session, in the order of the log within its mode.
 * The far half of this is `Inbox` in the relay; a piece is in one of these states here:
 *
 * - *unknown*: never offered, or refused. Left when the relay offers it.
 * - *waiting*: offered. Left for *asked* when its turn comes.
 * - *asked*: the relay was asked whether it may still be handed over, because the agent may have read it through its tools meanwhile. Granted, it
 *   goes to the runtime; refused, it is unknown again, or waiting where the relay offered it anew before its refusal was read; with the link lost,
 *   it is waiting.
 * - *with the runtime*: the prompt that carries it is on its way. Taken, it is settled; not taken, it waits again, or has failed.
 * - *settled*: taken or failed; never handed over again. Whoever offers it again is told what is known of it, so that a relay that lost that word
 *   has it once more.
 */
export class DeliveryQueue {
  readonly #options: DeliveryQueueOptions;
  #waiting: WaitingPiece[] = [];
  /** What is known of each settled piece. */
  readonly #settled = new RecentMap<number, DeliveryReport>(KNOWN_LIMIT);
  /** Asked or with the runtime. */
  #inHand: readonly WaitingPiece[] = [];
  /** Of those in hand, what the relay offered once more. */
  readonly #offeredAgain = new Map<number, InboxItem>();
  readonly #evidence = new MailEvidence();
  #notices: string[] = [];
  #isTurnRunning = false;
  #turnExpected: ReturnType<typeof setTimeout> | null = null;
  #retryTimer: ReturnType<typeof setTimeout> | null = null;
  readonly #pump: Pump;
  #isClosed = false;

  constructor(options: DeliveryQueueOptions) {
    this.#options = options;
    this.#pump = new Pump(
      () => this.#handOverWaiting(),
      (error) => options.log.error('handing mail over failed', { error }),
    );
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  get isTurnRunning(): boolean {
    return this.#isTurnRunning;
  }

  /** Mail from the relay. What is known already is not taken twice; a waiting piece takes over its newer nonce. */
  offer(items: readonly InboxItem[]): void {
    const known: DeliveryReport[] = [];
    for (const item of items) {
      const { id } = item.message;
      const report = this.#settled.get(id) ?? (this.#options.promptIds?.wasLost(item) ? lostOf(id) : undefined);
      if (report) known.push(report);
      else if (this.#inHand.some((piece) => piece.item.message.id === id)) this.#offeredAgain.set(id, item);
      else this.#takeUp(item);
    }
    if (known.length > 0) this.#tell(known);
    this.wake();
  }

  /** Tells what a program that outlives this process did not confirm, and now never will. */
  async programGone(): Promise<void> {
    const { promptIds } = this.#options;
    if (!promptIds) return;
    // A prompt that it did not take any more is refused first.
    await settlesWithin(this.#pump.settled(), LAST_REFUSAL_MS);
    for (const messageId of promptIds.programGone()) {
      const known = this.#settled.get(messageId);
      if (known === undefined || known.state === 'dispatched') this.#say(lostOf(messageId));
    }
  }

  #takeUp(item: InboxItem): void {
    const known = this.#waiting.findIndex((piece) => piece.item.message.id === item.message.id);
    const before = this.#waiting[known] ?? { attempts: 0, isAlone: false, promptId: this.#options.promptIds?.idOf(item) ?? null };
    if (known === -1) this.#waiting.push({ ...before, item });
    else this.#waiting[known] = { ...before, item };
  }

  /** A sentence for the agent, said at the beginning of its next prompt. */
  addNotice(text: string): void {
    this.#notices = [...this.#notices, text].slice(-20);
  }

  /** A prompt that is no relay mail, such as the task a session begins with. */
  async promptTask(text: string, { isMail }: { readonly isMail: boolean }): Promise<void> {
    this.#expectTurn();
    await this.#options.session.prompt({ text, messageIds: [], isMail }, { mode: 'next' });
  }

  /** Follows the session's turns and the runtime's evidence. */
  observe(event: AgentEvent): void {
    for (const report of this.#evidence.observe(event)) this.#say(report);
    const hasEnded = event.type === 'turn.completed' || event.type === 'turn.failed';
    if (!hasEnded && event.type !== 'turn.started') return;
    this.#isTurnRunning = !hasEnded;
    this.#clearExpectation();
    if (hasEnded) this.wake();
  }

  /** Tries again what waits: the relay is back, a turn has ended, mail has come. */
  wake(): void {
    if (!this.#isClosed && this.#retryTimer === null) this.#pump.wake();
  }

  /** What still waits stays with the relay, which offers it to the next session. */
  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
    this.#clearExpectation();
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
  }

  async #handOverWaiting(): Promise<void> {
    while (!this.#isClosed && this.#retryTimer === null) {
      const batch = nextBatch(this.#waiting, {
        isTurnRunning: this.#isTurnRunning || this.#turnExpected !== null,
        hasContext: this.#options.hasContext ?? true,
      });
      if (batch === null) return;
      this.#inHand = batch.mail;
      this.#waiting = this.#waiting.filter((piece) => !batch.mail.includes(piece));
      const goesOn = await this.#handOver(batch);
      this.#inHand = [];
      for (const [id, item] of this.#offeredAgain) if (!this.#settled.has(id)) this.#takeUp(item);
      this.#offeredAgain.clear();
      if (!goesOn) return;
    }
  }

  /** False when the rest has to wait: the relay is away, or a retry is due later. */
  async #handOver({ mode, mail }: MailBatch): Promise<boolean> {
    let offered: readonly number[];
    try {
      offered = await this.#options.dispatch(mail.map(({ item }) => item.message.id));
    } catch {
      // The link's owner knows why and calls `wake` when it is back.
      this.#putBack(mail);
      return false;
    }
    const allowed = mail.filter(({ item }) => offered.includes(item.message.id));
    if (allowed.length === 0) return true;
    // What a program drops that has it already must not hold what is new, nor does a turn begin with it.
    const isRepeat = allowed.some(({ promptId }) => promptId !== null);
    const notices = isRepeat ? [] : this.#notices.splice(0);
    const text = [...notices, ...allowed.map(({ item }) => formatEnvelope(item))].join('\n\n');
    // Before the prompt: its turn may begin before the prompt's own answer has come.
    if (mode !== 'fyi' && !isRepeat && !this.#isTurnRunning) this.#expectTurn();
    // Before the prompt as well, for what it says of the turn that begins; a second attempt tells nothing new.
    const fresh = allowed.filter(({ attempts }) => attempts === 0);
    if (fresh.length > 0) this.#options.onHandedOver?.(fresh.map(({ item }) => item));
    try {
      await this.#options.session.prompt(
        { text, messageIds: allowed.map(({ item }) => item.message.id) },
        { mode, ...this.#identify(allowed, mode === 'fyi') },
      );
      // Its evidence may have come before the prompt's own answer, and says more.
      for (const { item } of allowed) {
        if (!this.#settled.has(item.message.id)) this.#remember({ messageId: item.message.id, state: 'dispatched' });
      }
      return true;
    } catch (error) {
      this.#notices = [...notices, ...this.#notices];
      if (!this.#isTurnRunning) this.#clearExpectation();
      return this.#refused(allowed, error);
    }
  }

  /** Written down before the program gets it. */
  #identify(mail: readonly WaitingPiece[], isContext: boolean): Pick<PromptOptions, 'promptId' | 'isRepeat' | 'handedTo'> {
    const { promptIds, session } = this.#options;
    if (!promptIds) return {};
    const known = mail[0]?.promptId ?? null;
    const promptId = known ?? randomUUID();
    const conversation = session.vendorSessionId ?? null;
    const handedTo = promptIds.conversationsOf(promptId).filter((each) => each !== conversation);
    promptIds.add(
      promptId,
      mail.map(({ item }) => item),
      { isContext, conversation },
    );
    return known === null ? { promptId } : { promptId, isRepeat: true, ...(handedTo.length > 0 && { handedTo }) };
  }

  #refused(mail: readonly WaitingPiece[], error: unknown): boolean {
    const isOver = error instanceof RelayError && error.code === 'connection_closed';
    // What an earlier process handed over may have been read all the same.
    const fresh = mail.filter(({ promptId }) => promptId === null).map(({ item }) => item.message.id);
    if (isOver) this.#options.promptIds?.notHandedOver(fresh);
    if (this.#isClosed || isOver) return false;
    const { retry, failed } = afterFailure(mail, error);
    const reason = error instanceof Error ? error.message.slice(0, 1000) : 'The agent could not take it';
    for (const { item } of failed) {
      this.#say({ messageId: item.message.id, state: 'failed', reason: reason === '' ? 'The agent refused it' : reason });
    }
    this.#putBack(retry);
    if (retry.length === 0 || retry.some(({ isAlone, attempts }) => isAlone && attempts === 1)) return true;
    this.#options.log.warn('the agent could not take its mail, trying again', { messages: retry.length, reason });
    this.#retryTimer = setTimeout(
      () => {
        this.#retryTimer = null;
        this.wake();
      },
      retryDelayMs(Math.max(...retry.map(({ attempts }) => attempts))),
    );
    return false;
  }

  #putBack(mail: readonly WaitingPiece[]): void {
    if (!this.#isClosed) this.#waiting = [...mail, ...this.#waiting];
  }

  #say(report: DeliveryReport): void {
    this.#remember(report);
    this.#tell([report]);
  }

  #tell(reports: readonly DeliveryReport[]): void {
    const { report, promptIds } = this.#options;
    void report(reports).then(() => {
      // That it was handed over is no word of the program's: until there is one, the next process needs its id.
      for (const { messageId, state } of reports) if (state !== 'dispatched') promptIds?.settled(messageId);
    });
  }

  #remember(report: DeliveryReport): void {
    this.#settled.set(report.messageId, report);
  }

  #expectTurn(): void {
    this.#clearExpectation();
    this.#turnExpected = setTimeout(() => {
      this.#turnExpected = null;
      this.wake();
    }, this.#options.turnStartLimitMs ?? 60_000);
  }

  #clearExpectation(): void {
    if (this.#turnExpected !== null) clearTimeout(this.#turnExpected);
    this.#turnExpected = null;
  }
}
