import { RELAY_VERSION } from 'agent-relay-protocol';
import { Pump } from 'agent-relay-wire';
import type { Clock } from '../../clock.ts';
import { isUnsubscribed, pushPolicy } from '../../domain/push.ts';
import { kindOfPush, pushDigestOf } from '../../domain/push-digest.ts';
import type { Logger } from '../../logger.ts';
import { Recovery } from '../../recovery.ts';
import type { PostOutcome } from '../../store/due-post.ts';
import type { DuePush } from '../../store/push-store.ts';
import type { Store } from '../../store/store.ts';
import { OutboundLane } from '../outbound/outbound-lane.ts';
import type { PostRequest, PostSender } from '../outbound/post-request.ts';
import { authorizePush, encryptPush, type PushKeys, topicOf } from './push-encryption.ts';
import { PushRates } from './push-rates.ts';

/** How long a push waits before it is looked again whether its person still looks at a page. */
const LOOK_AGAIN_MS = 15_000;

export interface PushLanesDeps {
  readonly store: Pick<Store, 'pushes'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly workspace: string;
  readonly sender: PostSender;
  /** A number from 0 to 1: spreads retries. */
  readonly random: () => number;
  readonly keys: () => PushKeys;
  /** Says of each push whether it may go to its browser now; null when its subscription is good no more. Good for one look. */
  readonly mayTell: (now: number) => Promise<(push: DuePush) => boolean | null>;
}

/** Pushes on their way: a lane for each push service to which something waits. */
export class PushLanes {
  readonly #deps: PushLanesDeps;
  readonly #lanes = new Map<string, OutboundLane<DuePush>>();
  /** Being sent at this moment. */
  readonly #underWay = new Map<number, DuePush>();
  readonly #rates = new PushRates();
  readonly #look: Pump;
  readonly #recovery: Recovery;
  readonly #stopListening: () => void;

  constructor(deps: PushLanesDeps) {
    this.#deps = deps;
    const { clock, log } = deps;
    const words = { fault: 'pushes cannot be looked at', recovered: 'pushes are looked at again' };
    this.#recovery = new Recovery({ clock, log, ...words, again: () => this.wake() });
    this.#look = new Pump(
      () => this.#tend(),
      (error) => this.#recovery.failed(error),
    );
    this.#stopListening = deps.store.pushes.onWritten(() => this.wake());
  }

  get underWay(): ReadonlySet<number> {
    return new Set(this.#underWay.keys());
  }

  wake(): void {
    this.#look.wake();
  }

  /** Cuts off what is under way; it is sent again at the next start. Idempotent. */
  async close(): Promise<void> {
    this.#stopListening();
    this.#recovery.close();
    await this.#look.close();
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close()));
  }

  /** Where nothing waits any more, no lane is kept: which services there are, browsers say. */
  async #tend(): Promise<void> {
    const { store, workspace } = this.#deps;
    const origins = new Set(await store.pushes.origins(workspace));
    for (const [origin, lane] of this.#lanes) {
      if (origins.has(origin)) continue;
      this.#lanes.delete(origin);
      await lane.close();
      for (const [id, { subscriber }] of this.#underWay) if (subscriber.origin === origin) this.#underWay.delete(id);
    }
    for (const origin of origins) {
      const lane = this.#lanes.get(origin) ?? this.#laneOf(origin);
      this.#lanes.set(origin, lane);
      lane.wake();
    }
    this.#recovery.succeeded();
  }

  #laneOf(origin: string): OutboundLane<DuePush> {
    const { store, clock, log, workspace, sender, random } = this.#deps;
    const onFault = (error: string | null) => {
      if (error === null) log.info('pushes are taken again', { service: origin });
      else log.warn('pushes fail', { service: origin, error });
    };
    const queue = {
      due: (now: number, limit: number) => this.#due(origin, now, limit),
      nextDue: () => store.pushes.nextDue(workspace, origin),
      settle: (id: number, outcome: PostOutcome) => this.#settle(id, outcome),
    };
    const requestFor = (push: DuePush) => this.#request(push);
    return new OutboundLane({ destination: origin, queue, policy: pushPolicy, requestFor, onFault, sender, clock, log, random });
  }

  /** What may go now. Whatever may not is put off or given up first, so that it keeps nothing that waits behind it. */
  async #due(origin: string, now: number, limit: number): Promise<readonly DuePush[]> {
    const { store, workspace, mayTell } = this.#deps;
    for (;;) {
      const found = await store.pushes.due(workspace, origin, now, limit);
      const news = found.filter(({ id }) => !this.#underWay.has(id));
      if (news.length === 0) return found;
      const may = await mayTell(now);
      const fates = await Promise.all(news.map((push) => this.#isSent(push, may(push), now)));
      if (fates.every((isSent) => isSent)) return found;
      // A pending push is written anew: it is due later, or gone.
    }
  }

  async #isSent(push: DuePush, may: boolean | null, now: number): Promise<boolean> {
    const { store, workspace } = this.#deps;
    if (push.deadlineAt < now)
      await store.pushes.settle(push.id, { status: 'dead', nextAttemptAt: null, lastStatus: null, lastError: null, at: now });
    else if (may === true) return push.type === 'over' || this.#keepsToRate(push, now);
    else if (may === null) await store.pushes.unsubscribe(workspace, push.subscriber.id);
    else await store.pushes.holdBack(push.subscriber.ref, now + LOOK_AGAIN_MS);
    return false;
  }

  /** What is too much for a minute waits until there is room, and is told of by one push then. */
  async #keepsToRate({ tag, subscriber: { ref } }: DuePush, now: number): Promise<boolean> {
    const { pushes } = this.#deps.store;
    const waitMs = this.#rates.waitFor(ref, 1, now);
    if (waitMs !== null) {
      await pushes.holdBack(ref, now + waitMs);
      return false;
    }
    const isGathered = await pushes.gather(ref, (waiting) => {
      const alike = waiting.filter(
        ({ id, nextAt, tag: its }) => nextAt <= now && kindOfPush(its) === kindOfPush(tag) && !this.#underWay.has(id),
      );
      return this.#rates.hasRoom(ref, alike.length, now) ? null : pushDigestOf(alike);
    });
    return !isGathered;
  }

  async #settle(id: number, outcome: PostOutcome): Promise<void> {
    const { store, log, workspace } = this.#deps;
    const push = this.#underWay.get(id);
    this.#underWay.delete(id);
    if (push && isUnsubscribed(outcome.lastStatus)) {
      const { id: subscriptionId, origin } = push.subscriber;
      log.info('a browser is told no more: its push service does not know it', { subscriptionId, service: origin });
      await store.pushes.unsubscribe(workspace, subscriptionId);
    } else await store.pushes.settle(id, outcome);
  }

  #request(push: DuePush): PostRequest<Uint8Array> {
    const { keys, clock } = this.#deps;
    this.#underWay.set(push.id, push);
    const { tag, urgency, deadlineAt, body, subscriber } = push;
    const now = clock.now();
    // One that is tried again may be the same noise once more, and is not counted twice.
    if (push.type === 'news' && push.attempts === 0) this.#rates.note(subscriber.ref, now);
    const headers = {
      authorization: authorizePush(subscriber.origin, keys(), now),
      'content-encoding': 'aes128gcm',
      'content-type': 'application/octet-stream',
      ttl: String(Math.max(0, Math.floor((deadlineAt - now) / 1000))),
      topic: topicOf(tag),
      urgency,
      'user-agent': `agent-relay/${RELAY_VERSION}`,
    };
    return { url: subscriber.endpoint, body: encryptPush(body, subscriber), headers };
  }
}
