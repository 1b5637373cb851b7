import type { PushTopic } from 'agent-relay-protocol';
import type { PushDigest, WaitingPush } from '../domain/push-digest.ts';
import type { DuePost, PostOutcome } from './due-post.ts';

/** A browser that is told while its page is closed. */
export interface PushSubscriber {
  /** What its pushes are kept under; `id` is what the outside calls it. */
  readonly ref: number;
  readonly id: string;
  readonly workspace: string;
  /** With what it ends: the id of a token, or one of the owner's credentials. */
  readonly holder: string;
  readonly createdBy: string;
  /** Of its push service. */
  readonly origin: string;
  readonly endpoint: string;
  readonly p256dh: string;
  readonly auth: string;
  /** The public key that it was subscribed with: pushes signed with another are refused. */
  readonly serverKey: string;
  readonly topics: readonly PushTopic[];
  readonly label: string | null;
  readonly createdAt: number;
}

export type PushUrgency = 'normal' | 'high';

/** A push that is written; `subscriber` is a `ref`. */
export interface NewPush {
  readonly subscriber: number;
  readonly tag: string;
  readonly urgency: PushUrgency;
  readonly nextAt: number;
  readonly deadlineAt: number;
  readonly body: string;
}

/** What has happened is over: what was not sent of it is not, and what was is replaced by this. */
export interface PushEnd {
  readonly tag: string;
  readonly at: number;
  readonly deadlineAt: number;
  readonly body: string;
}

/** What one entry of the log means for pushes. */
export interface PushStep {
  /** The log was read up to here. */
  readonly through: number;
  readonly news: readonly NewPush[];
  readonly ends: readonly PushEnd[];
  /** Being sent at this moment: they may have arrived. */
  readonly underWay: ReadonlySet<number>;
  /** So many wait for one browser at most: of more, `gather` says what goes, and in the place of it. */
  readonly mostWaiting: number;
  readonly gather: GatherPushes;
}

/** Shown what is new and waits for one browser, oldest first. */
export type GatherPushes = (waiting: readonly WaitingPush[]) => PushDigest | null;

/** A push whose turn it is; its subject is its subscriber. */
export interface DuePush extends DuePost {
  readonly tag: string;
  readonly type: 'news' | 'over';
  readonly urgency: PushUrgency;
  readonly subscriber: PushSubscriber;
}

/** Subscriptions to pushes, and pushes on their way. A subscription is gone in the commit that ends the token it was made with. */
export interface PushStore {
  subscribers(workspace: string): Promise<readonly PushSubscriber[]>;
  /** `choose` is shown all, and answers those that go for it, or throws what refuses it; what has the same endpoint and stays is replaced and keeps its id. With the first, the log is read from now on. */
  subscribe(
    subscriber: Omit<PushSubscriber, 'ref'>,
    choose: (all: readonly PushSubscriber[]) => readonly PushSubscriber[],
  ): Promise<PushSubscriber>;
  /** False when it is not there any more. */
  unsubscribe(workspace: string, id: string): Promise<boolean>;
  /** Up to where the log was read for pushes; null when it never was. */
  readThrough(workspace: string): Promise<number | null>;
  take(workspace: string, step: PushStep): Promise<void>;
  /** Of what waits, or was taken and may have to be replaced. */
  tags(workspace: string): Promise<readonly string[]>;
  /** Where something waits. */
  origins(workspace: string): Promise<readonly string[]>;
  /** What is to be sent by `now`, what waits longest first: of each subscriber only the next one. */
  due(workspace: string, origin: string, now: number, limit: number): Promise<readonly DuePush[]>;
  nextDue(workspace: string, origin: string): Promise<number | null>;
  /** What is new and waits for a browser (its `ref`) waits until then at least. */
  holdBack(subscriber: number, until: number): Promise<void>;
  /** Puts one push in the place of others; false where `decide` finds nothing to gather. */
  gather(subscriber: number, decide: GatherPushes): Promise<boolean>;
  settle(id: number, outcome: PostOutcome): Promise<void>;
  /** Forgets what is past its deadline, sent or not; at most `limit`. Answers how many. */
  forget(now: number, limit: number): Promise<number>;
  /** Rung after each commit after which something waits. */
  onWritten(listener: () => void): () => void;
}
