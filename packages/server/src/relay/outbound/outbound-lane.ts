import { asText } from 'agent-relay-protocol';
import { askedWaitMs, fateOfPost, type PostPolicy, Pump, postFault } from 'agent-relay-wire';
import { Alarm } from '../../alarm.ts';
import type { Clock } from '../../clock.ts';
import type { Logger } from '../../logger.ts';
import { Recovery } from '../../recovery.ts';
import type { DuePost, PostOutcome } from '../../store/due-post.ts';
import type { PostAnswer, PostRequest, PostSender } from './post-request.ts';

/** How many posts to one destination are under way at once; of one subject never more than one. */
const CONCURRENCY = 4;
const PAGE = 64;
const RECOVERY_MS = 5_000;
/** A post waits for as long as it was told; what else goes there is held for so long at most. */
const LONGEST_PAUSE_MS = 300_000;

/** What waits on disk for one destination. */
export interface PostQueue<Post extends DuePost> {
  /** What is to be sent by `now`, oldest first: of each subject only the next one. */
  due(now: number, limit: number): Promise<readonly Post[]>;
  nextDue(): Promise<number | null>;
  /** Writes down an attempt; settling a post lets the next of its subject go. */
  settle(id: number, outcome: PostOutcome): Promise<void>;
}

export interface OutboundLaneOptions<Post extends DuePost> {
  /** What the log calls the other side. */
  readonly destination: string;
  readonly queue: PostQueue<Post>;
  readonly policy: PostPolicy;
  readonly requestFor: (post: Post) => PostRequest<string | Uint8Array>;
  /** Told when the other side begins to fail, fails in another way, or takes posts again (null), however many there are. */
  readonly onFault: (fault: string | null, post: Post) => void;
  readonly sender: PostSender;
  readonly clock: Clock;
  readonly log: Logger;
  /** A number from 0 to 1: spreads retries. */
  readonly random: () => number;
}

/**
 * The posts to one destination, from a queue on disk: several at a time, those about one subject in order. Each is tried until it is taken, or dead by
 * its policy; an attempt that was cut off is made again under the same key. A destination has a lane of its own, so that a slow one holds up nobody else.
 * Nothing is held here but what is under way: the rest waits in the queue, and is given up there at its deadline.
 */
export class OutboundLane<Post extends DuePost> {
  readonly #options: OutboundLaneOptions<Post>;
  readonly #alarm: Alarm;
  readonly #closing = new AbortController();
  /** By subject: the attempt under way. */
  readonly #sending = new Map<number, Promise<void>>();
  /** The other side asked not to be called before; that holds for all that goes there. */
  #pausedUntil = 0;
  readonly #look: Pump;
  readonly #recovery: Recovery;
  /** Why the other side did not take the last post; null when it did. */
  #fault: string | null = null;

  constructor(options: OutboundLaneOptions<Post>) {
    const { clock, log, destination } = options;
    this.#options = options;
    this.#alarm = new Alarm(clock, () => this.wake());
    const words = { fault: 'posts cannot be read', recovered: 'posts are read again', fields: { destination } };
    this.#recovery = new Recovery({ clock, log, ...words, again: () => this.wake() });
    this.#look = new Pump(
      () => this.#beginDue(),
      (error) => this.#recovery.failed(error),
    );
  }

  /** Something was written to the queue, or this is the start. */
  wake(): void {
    this.#look.wake();
  }

  /** Cuts off what is under way. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#alarm.clear();
    this.#recovery.close();
    await this.#look.close();
    await Promise.all(this.#sending.values());
  }

  async #beginDue(): Promise<void> {
    const { queue, clock } = this.#options;
    const now = clock.now();
    if (now < this.#pausedUntil) return this.#alarm.setFor(this.#pausedUntil);
    for (const post of await queue.due(now, PAGE)) this.#begin(post);
    const next = await queue.nextDue();
    // What is due and not begun waits for an attempt to end, which looks again.
    if (next !== null && next > now) this.#setAlarm(next);
    this.#recovery.succeeded();
  }

  #setAlarm(at: number): void {
    if (!this.#closing.signal.aborted) this.#alarm.setFor(at);
  }

  #begin(post: Post): void {
    const { id, subjectId } = post;
    if (this.#closing.signal.aborted || this.#sending.size >= CONCURRENCY || this.#sending.has(subjectId)) return;
    const { clock, log, destination } = this.#options;
    const attempt = this.#attempt(post).then(
      () => {
        this.#sending.delete(subjectId);
        this.wake();
      },
      (error: unknown) => {
        log.error('a post could not be settled', { destination, id, error: asText(error) });
        this.#sending.delete(subjectId);
        // It is sent again: the other side knows it by its key. Not at once, for the database needs time.
        this.#setAlarm(clock.now() + RECOVERY_MS);
      },
    );
    this.#sending.set(subjectId, attempt);
  }

  async #attempt(post: Post): Promise<void> {
    const { queue, policy, clock, sender, random, requestFor } = this.#options;
    const answer = await sender.send(requestFor(post), this.#closing.signal);
    if (this.#closing.signal.aborted) return;
    const at = clock.now();
    const retryAfter = answer.error === null ? answer.retryAfter : undefined;
    const { deadlineAt } = post;
    const made = { status: answer.status, retryAfter, attempts: post.attempts + 1, deadlineAt, now: at, chance: random() };
    const { status, nextAttemptAt } = fateOfPost(policy, made);
    const lastError = status === 'delivered' ? null : faultOf(answer);
    if (status === 'delivered') this.#pausedUntil = 0;
    if (status === 'pending')
      this.#pausedUntil = Math.max(this.#pausedUntil, at + Math.min(LONGEST_PAUSE_MS, askedWaitMs(policy, retryAfter, at)));
    this.#note(lastError, post);
    await queue.settle(post.id, { status, nextAttemptAt, lastStatus: answer.status, lastError, at });
  }

  #note(fault: string | null, post: Post): void {
    if (fault === this.#fault) return;
    this.#fault = fault;
    this.#options.onFault(fault, post);
  }
}

const faultOf = ({ status, error }: PostAnswer): string => error ?? postFault(status);
