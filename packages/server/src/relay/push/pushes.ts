import { randomUUID } from 'node:crypto';
import {
  ANSWERED_AT_ONCE_MS,
  type Principal,
  type PushSubscription,
  principalName,
  RelayError,
  type RelayEvent,
  type RouteInput,
} from 'agent-relay-protocol';
import { Pump } from 'agent-relay-wire';
import { mayReadEvent, unread } from '../../domain/event-readers.ts';
import type { ReaderRights } from '../../domain/event-table.ts';
import { assertMayBePushed, type PushNews, pushOf } from '../../domain/push.ts';
import { digestOfMost } from '../../domain/push-digest.ts';
import { isOwner } from '../../domain/scopes.ts';
import type { EventStream } from '../../events/event-stream.ts';
import { LogFollower } from '../../events/log-follower.ts';
import { Recovery } from '../../recovery.ts';
import type { DuePush, GatherPushes, NewPush, PushSubscriber } from '../../store/push-store.ts';
import { listedById } from '../contract/listed.ts';
import type { HandlersOf } from '../contract/relay-contract.ts';
import type { PostSender } from '../outbound/post-request.ts';
import type { RelayCore } from '../relay-core.ts';
import { Lookers } from './lookers.ts';
import { makeRoom } from './make-room.ts';
import { isPublicKey, type PushKeys } from './push-encryption.ts';
import { PushLanes } from './push-lanes.ts';

/** What is older than this when it is read was missed, and nobody is called for it. */
const FRESH_MS = 600_000;
/** So far back the log is read at a start, at most. */
const MOST_MISSED = 10_000;
const MOST_WAITING = 50;
/** What takes the place of a notice is worth nothing later. */
const END_LIFETIME_MS = 3_600_000;
const FORGOTTEN_AT_A_TIME = 200;

/** How pushes leave the relay. */
export interface PushOutlet {
  readonly sender: PostSender;
  /** A number from 0 to 1: spreads retries. */
  readonly random: () => number;
  /** Made when they are first asked for. */
  readonly keys: () => PushKeys;
  /** What is wrong with an address that pushes are to go to; null when nothing is. */
  readonly endpointFault: (endpoint: string) => string | null;
}

export interface PushesDeps extends Pick<RelayCore, 'store' | 'clock' | 'log' | 'tokens'> {
  readonly workspace: string;
  readonly outlet: PushOutlet;
  /** The log after a number, or from now on, as its owner reads it. */
  readonly follow: (after: number | undefined, signal: AbortSignal) => EventStream;
  /** What a caller may know of. */
  readonly rightsOf: (principal: Principal) => ReaderRights;
}

type PushHandlers = HandlersOf<'push'>;

const noPushes = (): never => {
  throw new RelayError('unsupported', 'This relay pushes nothing');
};

/** Of a relay that has no way out for them. */
export const withoutPushes: PushHandlers = {
  'push/key': noPushes,
  'push/subscribe': noPushes,
  'push/list': () => ({ data: [], cursor: 0 }),
  'push/unsubscribe': noPushes,
  'push/look': ({ isLookedAt }) => ({ isLookedAt }),
};

/** Tells people's browsers of what does not go on without them while its page is closed. The log is followed from where it was left. */
export class Pushes {
  readonly #deps: PushesDeps;
  readonly #lanes: PushLanes;
  readonly #lookers = new Lookers();
  /** Of what may have to be replaced once it is over: most events of the log are about nothing that was pushed. */
  #tags: ReadonlySet<string> = new Set();
  /** Those that were written since they were read anew. */
  readonly #newTags = new Set<string>();
  readonly #beginning: Pump;
  readonly #recovery: Recovery;
  /** Null before there is somebody to tell. */
  #follower: LogFollower | null = null;

  constructor(deps: PushesDeps) {
    this.#deps = deps;
    const { store, clock, log, workspace, outlet } = deps;
    const { sender, random, keys } = outlet;
    this.#lanes = new PushLanes({ store, clock, log, workspace, sender, random, keys, mayTell: (now) => this.#mayTell(now) });
    const words = { fault: 'pushes cannot be begun', recovered: 'pushes are begun' };
    this.#recovery = new Recovery({ clock, log, ...words, again: () => this.#beginning.wake() });
    this.#beginning = new Pump(
      () => this.#begin(),
      (error) => this.#recovery.failed(error),
    );
  }

  start(): void {
    this.#beginning.wake();
    this.#lanes.wake();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#recovery.close();
    await this.#beginning.close();
    await this.#follower?.close();
    await this.#lanes.close();
  }

  async sweep(now: number): Promise<void> {
    await this.#endOfNobody();
    while ((await this.#deps.store.pushes.forget(now, FORGOTTEN_AT_A_TIME)) === FORGOTTEN_AT_A_TIME);
    await this.#readTags();
  }

  get handlers(): PushHandlers {
    const { store, clock, log, outlet } = this.#deps;
    return {
      'push/key': (_input, { principal }) => {
        assertMayBePushed(principal);
        return { publicKey: outlet.keys().publicKey };
      },
      'push/subscribe': async (input, { principal }) => describe(await this.#subscribe(input, principal)),
      'push/list': async (page, { principal }) => {
        const cursor = store.log.head;
        return { ...listedById(this.#told(await this.#ownOf(principal)).map(describe), ({ id }) => id, page), cursor };
      },
      'push/unsubscribe': async ({ id }, { principal }) => {
        const isOwn = (await this.#ownOf(principal)).some((subscriber) => subscriber.id === id);
        if (!isOwn || !(await store.pushes.unsubscribe(principal.workspace, id)))
          throw new RelayError('not_found', `There is no device ${id} that is told`);
        log.info('a browser is told no more', { subscriptionId: id, by: principalName(principal) });
        return { unsubscribed: true };
      },
      'push/look': ({ page, isLookedAt }, { principal }) => {
        this.#lookers.note(personOf(principal, this.#holderOf(principal)), page, { isLookedAt, now: clock.now() });
        return { isLookedAt };
      },
    };
  }

  async #subscribe({ endpoint, keys, topics, label }: RouteInput<'push/subscribe'>, principal: Principal): Promise<PushSubscriber> {
    const holder = this.#holderOf(principal);
    const { store, clock, log, outlet } = this.#deps;
    const fault = outlet.endpointFault(endpoint);
    if (fault !== null) throw invalid('endpoint', fault);
    if (!isPublicKey(keys.p256dh)) throw invalid('keys.p256dh', 'is no point of P-256');
    const subscriber = {
      id: randomUUID(),
      workspace: principal.workspace,
      holder,
      createdBy: principalName(principal),
      origin: new URL(endpoint).origin,
      endpoint,
      ...keys,
      serverKey: outlet.keys().publicKey,
      topics: [...new Set(topics)],
      label: label ?? null,
      createdAt: clock.now(),
    };
    const kept = await store.pushes.subscribe(subscriber, (all) => makeRoom(all, subscriber));
    this.#beginning.wake();
    await this.#beginning.settled();
    log.info('a browser is told while its page is closed', { subscriptionId: kept.id, service: kept.origin, by: kept.createdBy });
    return kept;
  }

  /** @throws RelayError `forbidden`. */
  #holderOf(principal: Principal): string {
    assertMayBePushed(principal);
    const holder = this.#deps.tokens.holderOf(principal);
    if (holder === null) throw new RelayError('forbidden', 'Only who came with a token of this relay has devices that are told');
    return holder;
  }

  async #ownOf(principal: Principal): Promise<readonly PushSubscriber[]> {
    const holder = this.#holderOf(principal);
    const all = await this.#deps.store.pushes.subscribers(principal.workspace);
    return isOwner(principal) ? all : all.filter((subscriber) => subscriber.holder === holder);
  }

  /** Those that were subscribed to the key that the relay has now: what is pushed to the others is refused. */
  #told(subscribers: readonly PushSubscriber[]): readonly PushSubscriber[] {
    if (subscribers.length === 0) return subscribers;
    const { publicKey } = this.#deps.outlet.keys();
    return subscribers.filter(({ serverKey }) => serverKey === publicKey);
  }

  /** The log is followed once there is somebody to tell. */
  async #begin(): Promise<void> {
    const { store, workspace, follow: open, clock, log } = this.#deps;
    if (this.#follower !== null) return;
    const isAnybodyTold = (await store.pushes.subscribers(workspace)).length > 0;
    if (isAnybodyTold) {
      await this.#readTags();
      const { head, floor } = store.log;
      const left = await store.pushes.readThrough(workspace);
      const after = left === null || left > head ? undefined : Math.max(left, floor, head - MOST_MISSED);
      const taker = () => (event: RelayEvent) => this.#occur(event);
      this.#follower = new LogFollower({ follower: 'pushes', open, taker, check: () => store.check(), clock, log });
      this.#follower.start(after);
    }
    this.#recovery.succeeded();
  }

  /** A token may end while it subscribes, and the owner's credential is another after a restart. */
  async #endOfNobody(): Promise<void> {
    const { store, tokens, workspace } = this.#deps;
    const subscribers = await store.pushes.subscribers(workspace);
    if (subscribers.length === 0) return;
    const holders = await tokens.holders(workspace);
    for (const { id, holder } of subscribers) if (!holders.has(holder)) await store.pushes.unsubscribe(workspace, id);
  }

  async #readTags(): Promise<void> {
    const { store, workspace } = this.#deps;
    this.#newTags.clear();
    this.#tags = new Set(await store.pushes.tags(workspace));
  }

  async #occur(event: RelayEvent): Promise<void> {
    const occurrence = pushOf(event);
    if (occurrence === null) return;
    const { store, clock, workspace } = this.#deps;
    const { underWay } = this.#lanes;
    const gather: GatherPushes = (waiting) => digestOfMost(waiting.filter(({ id }) => !underWay.has(id)));
    const step = { through: event.seq, underWay, mostWaiting: MOST_WAITING, gather };
    if ('topic' in occurrence) {
      const news = clock.now() - event.at > FRESH_MS ? [] : await this.#newsOf(event, occurrence);
      if (news.length === 0) return;
      await store.pushes.take(workspace, { ...step, news, ends: [] });
      this.#newTags.add(occurrence.message.tag);
    } else if (this.#tags.has(occurrence.tag) || this.#newTags.has(occurrence.tag)) {
      const at = clock.now();
      const end = { tag: occurrence.tag, at, deadlineAt: at + END_LIFETIME_MS, body: JSON.stringify(occurrence) };
      await store.pushes.take(workspace, { ...step, news: [], ends: [end] });
    }
  }

  /** One for each browser that wants to know, and whose person may. What a rule answers at once is over before it is sent. */
  async #newsOf(event: RelayEvent, { topic, urgency, deadlineAt, message }: PushNews): Promise<readonly NewPush[]> {
    const { store, tokens, clock, workspace, rightsOf, outlet } = this.#deps;
    const wanting = (await store.pushes.subscribers(workspace)).filter(({ topics }) => topics.includes(topic));
    if (wanting.length === 0) return [];
    const [holders, serverKey] = [await tokens.holders(workspace), outlet.keys().publicKey];
    const nextAt = clock.now() + ANSWERED_AT_ONCE_MS;
    return wanting.flatMap((subscriber) => {
      const principal = holders.get(subscriber.holder);
      const isTold =
        principal !== undefined && subscriber.serverKey === serverKey && mayReadEvent(event, rightsOf(principal), aboutOf(event));
      return isTold ? [{ subscriber: subscriber.ref, tag: message.tag, urgency, nextAt, deadlineAt, body: JSON.stringify(message) }] : [];
    });
  }

  async #mayTell(now: number): Promise<(push: DuePush) => boolean | null> {
    const holders = await this.#deps.tokens.holders(this.#deps.workspace);
    return ({ type, subscriber: { holder } }) => {
      const principal = holders.get(holder);
      if (principal === undefined) return null;
      return type === 'over' || !this.#lookers.isLooking(personOf(principal, holder), now);
    };
  }
}

const aboutOf = (event: RelayEvent) => (event.type === 'message.new' ? { ...unread, message: event.message } : unread);

/** Who looks at one page needs no call on another device. */
const personOf = (principal: Principal, holder: string): string => `${principal.workspace}\n${isOwner(principal) ? 'owner' : holder}`;

const describe = ({ id, topics, label, endpoint, createdAt, createdBy }: PushSubscriber): PushSubscription => ({
  id,
  topics: [...topics],
  label,
  service: new URL(endpoint).hostname,
  createdAt,
  createdBy,
});

const invalid = (path: string, message: string): RelayError =>
  new RelayError('validation_failed', `${path}: ${message}`, { issues: [{ path, message }] });
