import { AsyncQueue, Bell } from 'agent-relay-wire';
import { HeardTurns } from './heard-turns.ts';
import { crashedTurn, isOver, type LostEnd, turnEnd } from './lost-end.ts';
import type { ItemEntry } from './methods.ts';
import { type CodexNotification, type KnownNotification, parseNotification, type Turn } from './notifications.ts';
import { idle, nextThreadState, type ThreadState } from './thread-state.ts';
import { TurnWatch } from './turn-watch.ts';

export interface ThreadFeedOptions {
  /** A thread that was never stored gets another id with another server. */
  readonly threadId: () => string;
  /** It has had no turn yet. */
  readonly isNew: boolean;
  readonly turnEndGraceMs: number;
  /** What the server has recorded of a turn. */
  readonly recorded: (turnId: string) => Promise<Turn | undefined>;
  readonly onHeard: (known: KnownNotification) => void;
}

/** Beyond this many unread notifications deltas are left out (the completed item holds the text); at the limit the thread is lost. */
const deltasUntil = 10_000;
const notificationLimit = 200_000;

/**
 * What happens in a thread, in order, and what is known of the thread from it. Every turn that began ends here once: where its own word does not come, or
 * cannot be read, as the server has recorded it, else as failed.
 */
export class ThreadFeed {
  readonly #options: ThreadFeedOptions;
  readonly #queue = new AsyncQueue<CodexNotification>({ limit: notificationLimit, overflow: 'error' });
  readonly #openTurn: TurnWatch;
  readonly #heard: HeardTurns;
  readonly #news = new Bell();
  #stoppedTurnId: string | undefined;
  #receivedCount = 0;
  #state: ThreadState = idle;

  constructor(options: ThreadFeedOptions) {
    this.#options = options;
    this.#heard = new HeardTurns(options.isNew ? '' : undefined);
    this.#openTurn = new TurnWatch({ graceMs: options.turnEndGraceMs, onOverdue: (turnId) => void this.settle(turnId, 'untold') });
  }

  /** Iterated once. */
  get notifications(): AsyncIterable<CodexNotification> {
    return this.#queue;
  }

  get state(): ThreadState {
    return this.#state;
  }

  /** The turn whose end has not been told; the state may say that another is active. */
  get openTurnId(): string | undefined {
    return this.#openTurn.turnId;
  }

  get receivedCount(): number {
    return this.#receivedCount;
  }

  receive(received: CodexNotification): void {
    const notification = this.#withReadableEnd(received);
    const known = parseNotification(notification);
    // An end that was told here already, and now comes after all.
    if (known?.method === 'turn/completed' && this.#heard.hasEnded(known.params.turn.id)) return;
    if (known) this.#follow(known);
    if (this.#queue.size > deltasUntil && /delta$/iu.test(notification.method)) return;
    if (this.#queue.push(notification)) this.#receivedCount += 1;
  }

  /** Codex answered that this turn runs, which may come before the turn's own first word or the last of the one before it, or after its own last. */
  begun(turnId: string): void {
    const isKnown = this.#state.status === 'active' && this.#state.turnId === turnId;
    if (turnId === '' || isKnown || this.#heard.hasEnded(turnId)) return;
    this.#state = { status: 'active', turnId, waitsFor: [] };
    this.#openTurn.open(turnId);
  }

  /** Whether the turn's own first word was heard: before it Codex may not know the turn that it has answered. */
  hasBegun(turnId: string): boolean {
    return this.#heard.openTurnId === turnId;
  }

  /** Waits for the turn's first word; `false` when it ended first, or did not begin within this time. */
  async beginsWithin(turnId: string, ms: number): Promise<boolean> {
    const signal = AbortSignal.timeout(ms);
    while (!this.hasBegun(turnId) && this.openTurnId === turnId && !signal.aborted) await this.#news.next({ signal });
    return this.hasBegun(turnId) && this.openTurnId === turnId;
  }

  /** Codex took the order to stop this turn: its end follows at once, or is told here. */
  stopped(turnId: string): void {
    this.#stoppedTurnId = turnId;
    this.#openTurn.expectEnd();
  }

  /** Nothing runs any more, as the server says: an open turn's end follows, or is told here. */
  nothingRuns(): void {
    this.#openTurn.expectEnd();
  }

  /** Tells the end of the open turn: as Codex has recorded it, else as `otherwise` says. */
  async settle(turnId: string, otherwise: LostEnd): Promise<void> {
    const isStopped = this.#stoppedTurnId === turnId;
    const turn = await this.#options.recorded(turnId);
    // It was told to stop and has not yet, so that what came next would join it; or it is about to begin.
    if (turn && !isOver(turn) && (isStopped || !this.hasBegun(turnId))) return this.#openTurn.expectEndAgain();
    const end = turn && isOver(turn) ? turn : isStopped ? 'stopped' : otherwise;
    if (this.openTurnId === turnId) this.receive(turnEnd(this.#options.threadId(), turnId, end));
  }

  /** The turn that a message of ours entered, as far as it was told. */
  turnOfMessage(clientUserMessageId: string): string | undefined {
    return this.#heard.turnOfMessage(clientUserMessageId);
  }

  /** The turn from which on something may have been missed. */
  missedSince(activeTurnId: string | undefined): string | undefined {
    return this.#heard.missedSince(activeTurnId);
  }

  /** Of the newest turns, those of which something may have been missed, oldest first. */
  maybeMissed(newest: readonly Turn[], activeTurnId: string | undefined): readonly Turn[] {
    return this.#heard.maybeMissed(newest, activeTurnId);
  }

  /** Hands over what happened in these turns while nobody was connected; `activeTurnId` was open then. */
  catchUp(turns: readonly Turn[], itemsByTurn: ReadonlyMap<string, readonly ItemEntry[]>, activeTurnId: string | undefined): void {
    const threadId = this.#options.threadId();
    for (const notification of this.#heard.missed({ threadId, activeTurnId, turns, itemsByTurn })) this.receive(notification);
  }

  /** The server is gone, and the open turn with it. */
  serverDied(message: string): void {
    const turnId = this.openTurnId;
    if (turnId !== undefined) this.receive(turnEnd(this.#options.threadId(), turnId, crashedTurn({ id: turnId }, message)));
    this.#state = idle;
  }

  /** Tells of an item that is stored in a turn whose end was told without it. */
  recovered({ turnId, item }: ItemEntry): void {
    if (!this.#heard.hasEnded(turnId) || this.#heard.hasItem(item.id)) return;
    this.receive({ method: 'item/completed', params: { threadId: this.#options.threadId(), turnId, item: item.raw } });
  }

  /** Nobody listens any more, or the thread is gone with its server: what was handed over is the last. */
  end(): void {
    this.#state = { status: 'unloaded' };
    this.#openTurn.close();
    this.#queue.end();
    this.#news.ring();
  }

  #follow(known: KnownNotification): void {
    this.#state = nextThreadState(this.#state, known);
    this.#openTurn.observe(known);
    this.#heard.observe(known);
    this.#news.ring();
    this.#options.onHeard(known);
  }

  /** A turn that has ended is over, also where how it ended cannot be read. */
  #withReadableEnd(notification: CodexNotification): CodexNotification {
    const turnId = this.openTurnId;
    const isReadable = notification.method !== 'turn/completed' || turnId === undefined || parseNotification(notification) !== undefined;
    return isReadable ? notification : turnEnd(this.#options.threadId(), turnId, 'unreadable');
  }
}
