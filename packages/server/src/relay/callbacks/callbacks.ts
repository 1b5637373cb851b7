import { type Callback, DEFAULT_PAGE_SIZE, DEFAULT_WORKSPACE, type Principal, RELAY_VERSION, RelayError } from 'agent-relay-protocol';
import { Pump } from 'agent-relay-wire';
import { SIGNATURE_HEADER, signBody } from 'agent-relay-wire/node';
import { Alarm } from '../../alarm.ts';
import type { Clock } from '../../clock.ts';
import { CALLBACK_LIFETIME_MS, fateOf, retryAfterMs } from '../../domain/callback-schedule.ts';
import { readsWorkspace } from '../../domain/readership.ts';
import { agentOf, assertScope } from '../../domain/scopes.ts';
import type { Logger } from '../../logger.ts';
import type { DueCallback } from '../../store/callback-store.ts';
import type { Store } from '../../store/store.ts';
import type { IntegrationSettings } from '../contract/integration-settings.ts';
import { listed } from '../contract/listed.ts';
import type { RelayHandlers } from '../contract/relay-contract.ts';
import { type CallbackAnswer, type CallbackSender, idempotencyKeyOf } from './callback-request.ts';

/** How many callbacks of one integration are under way at once; of one task never more than one. */
const CONCURRENCY = 4;
const PAGE = 64;
const RECOVERY_MS = 5_000;
const BATCH = 200;

export interface CallbacksDeps {
  readonly store: Pick<Store, 'callbacks'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly integrations: readonly IntegrationSettings[];
  /** Without one nothing is sent, and everything waits. */
  readonly sender?: CallbackSender;
  /** A number from 0 to 1: spreads retries. */
  readonly random?: () => number;
}

/** Sends what tasks have to tell the systems they came from: of each task in order, each until it is taken, refused for good, or a day has passed. */
export class Callbacks {
  readonly #deps: CallbacksDeps;
  readonly #lanes: readonly Lane[];
  readonly #stopListening: () => void;

  constructor(deps: CallbacksDeps) {
    this.#deps = deps;
    const { sender, random = () => 0, integrations } = deps;
    const served = sender ? integrations.filter(({ callbackUrl }) => callbackUrl !== null) : [];
    this.#lanes = sender ? served.map((integration) => new Lane({ ...deps, sender, random }, integration)) : [];
    this.#stopListening = deps.store.callbacks.onWritten(() => this.#wake());
  }

  start(): void {
    this.#wake();
  }

  get handlers(): Pick<RelayHandlers, 'callbacks/list' | 'callbacks/redeliver'> {
    const { store, clock } = this.#deps;
    return {
      'callbacks/list': async ({ limit = DEFAULT_PAGE_SIZE, ...query }, { principal }) => {
        assertMaySee(principal);
        if (principal.type !== 'integration') assertScope(principal, 'tasks:read');
        const own = principal.type === 'integration' ? { integration: principal.name } : {};
        return listed(await store.callbacks.list({ ...query, ...own, workspace: principal.workspace, limit }));
      },
      'callbacks/redeliver': ({ id }, { principal }) => {
        assertMaySee(principal);
        const now = clock.now();
        return store.callbacks.redeliver(principal.workspace, id, { now, deadlineAt: now + CALLBACK_LIFETIME_MS }, (found) => {
          const isForeign = principal.type === 'integration' && found?.integration !== principal.name;
          if (!found || isForeign) throw new RelayError('not_found', `There is no callback ${id}`);
        });
      },
    };
  }

  /** What nobody sends any more, because its integration is gone from the configuration. */
  async sweep(now: number): Promise<void> {
    const before = now - CALLBACK_LIFETIME_MS;
    while ((await this.#deps.store.callbacks.giveUp(before, 'It was not delivered within a day', BATCH)) === BATCH);
  }

  /** Cuts off what is under way; it is sent again at the next start. Idempotent. */
  async close(): Promise<void> {
    this.#stopListening();
    await Promise.all(this.#lanes.map((lane) => lane.close()));
  }

  #wake(): void {
    for (const lane of this.#lanes) lane.wake();
  }
}

type LaneDeps = Required<CallbacksDeps>;

/** One integration's callbacks. */
class Lane {
  readonly #deps: LaneDeps;
  readonly #integration: IntegrationSettings;
  readonly #alarm: Alarm;
  readonly #closing = new AbortController();
  /** By task: the attempt under way. */
  readonly #sending = new Map<number, Promise<void>>();
  /** The other side asked not to be called before; that holds for all that goes there. */
  #pausedUntil = 0;
  readonly #look: Pump;
  /** Why the receiver took the last callback not; null when it did. */
  #fault: string | null = null;

  constructor(deps: LaneDeps, integration: IntegrationSettings) {
    this.#deps = deps;
    this.#integration = integration;
    this.#alarm = new Alarm(deps.clock, () => this.wake());
    this.#look = new Pump(
      () => this.#beginDue(),
      (error) => deps.log.error('callbacks could not be looked at', { integration: integration.name, error: String(error) }),
    );
  }

  wake(): void {
    this.#look.wake();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#alarm.clear();
    await this.#look.close();
    await Promise.all(this.#sending.values());
  }

  async #beginDue(): Promise<void> {
    const { store, clock, log } = this.#deps;
    const { name } = this.#integration;
    try {
      const now = clock.now();
      if (now < this.#pausedUntil) return this.#alarm.setFor(this.#pausedUntil);
      for (const due of await store.callbacks.due(DEFAULT_WORKSPACE, name, now, PAGE)) this.#begin(due);
      const next = await store.callbacks.nextDue(DEFAULT_WORKSPACE, name);
      // What is due and not begun waits for an attempt to end, which looks again.
      if (next !== null && next > now) this.#setAlarm(next);
    } catch (error) {
      log.error('callbacks could not be read', { integration: name, error: String(error) });
      this.#setAlarm(clock.now() + RECOVERY_MS);
    }
  }

  #setAlarm(at: number): void {
    if (!this.#closing.signal.aborted) this.#alarm.setFor(at);
  }

  #begin(due: DueCallback): void {
    const { taskId } = due.callback;
    if (this.#closing.signal.aborted || this.#sending.size >= CONCURRENCY || this.#sending.has(taskId)) return;
    const { clock, log } = this.#deps;
    const attempt = this.#attempt(due).then(
      () => {
        this.#sending.delete(taskId);
        this.wake();
      },
      (error: unknown) => {
        log.error('a callback could not be settled', { callbackId: due.callback.id, error: String(error) });
        this.#sending.delete(taskId);
        // It is sent again: the other side knows it by its key. Not at once, for the database needs time.
        if (!this.#closing.signal.aborted) this.#alarm.setFor(clock.now() + RECOVERY_MS);
      },
    );
    this.#sending.set(taskId, attempt);
  }

  /** One line when the receiver begins to fail or fails in another way, and one when it takes callbacks again, however many they are. */
  #note({ id: callbackId, integration }: Callback, error: string | null): void {
    if (error === this.#fault) return;
    this.#fault = error;
    if (error === null) this.#deps.log.info('callbacks are taken again', { integration });
    else this.#deps.log.warn('callbacks fail', { integration, callbackId, error });
  }

  async #attempt({ callback, deadlineAt, body }: DueCallback): Promise<void> {
    const { store, clock, sender, random } = this.#deps;
    const answer = await sender.send(this.#requestFor(callback, body), this.#closing.signal);
    if (this.#closing.signal.aborted) return;
    const at = clock.now();
    const retryAfter = answer.error === null ? answer.retryAfter : undefined;
    const attempts = callback.attempts + 1;
    const fate = fateOf({ status: answer.status, retryAfter, attempts, deadlineAt, now: at, chance: random() });
    const lastError = fate.status === 'delivered' ? null : faultOf(answer);
    if (fate.status !== 'delivered') {
      this.#pausedUntil = Math.max(this.#pausedUntil, at + Math.min(retryAfterMs(retryAfter, at), CALLBACK_LIFETIME_MS));
    }
    this.#note(callback, lastError);
    await store.callbacks.settle(callback.id, { ...fate, lastStatus: answer.status, lastError, at });
  }

  #requestFor({ event }: Callback, body: string) {
    const { callbackUrl, callbackKey } = this.#integration;
    return {
      url: callbackUrl ?? '',
      body,
      headers: {
        'user-agent': `agent-relay/${RELAY_VERSION}`,
        'idempotency-key': idempotencyKeyOf(body),
        'x-agent-relay-event': event,
        [SIGNATURE_HEADER]: signBody(body, callbackKey, this.#deps.clock.now()),
      },
    };
  }
}

function faultOf({ status, error }: CallbackAnswer): string {
  if (error !== null) return error;
  return status >= 300 && status < 400 ? `It answered ${status}: redirects are not followed` : `It answered ${status}`;
}

/** What leaves the relay tells of everybody's work: it is for those who read everything, and for the integration it goes to. */
function assertMaySee(principal: Principal): void {
  if (principal.type === 'integration' || (agentOf(principal) === null && readsWorkspace(principal))) return;
  throw new RelayError('forbidden', 'Callbacks are for the owner, for tokens with workspace:read, and for the integration they go to');
}
