import { DEFAULT_PAGE_SIZE, type Principal, principalName, RELAY_VERSION, RelayError } from 'agent-relay-protocol';
import { postHeaders } from 'agent-relay-wire/node';
import type { Clock } from '../../clock.ts';
import { CALLBACK_LIFETIME_MS, callbackPolicy } from '../../domain/callback-policy.ts';
import { readsWorkspace } from '../../domain/readership.ts';
import { agentOf, assertScope } from '../../domain/scopes.ts';
import type { Logger } from '../../logger.ts';
import type { DueCallback } from '../../store/callback-store.ts';
import type { Store } from '../../store/store.ts';
import type { IntegrationSettings } from '../contract/integration-settings.ts';
import { listed } from '../contract/listed.ts';
import type { HandlersOf } from '../contract/relay-contract.ts';
import { OutboundLane, type PostQueue } from '../outbound/outbound-lane.ts';
import type { PostRequest, PostSender } from '../outbound/post-request.ts';

const BATCH = 200;

export interface CallbacksDeps {
  readonly store: Pick<Store, 'callbacks'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** The integrations'. */
  readonly workspace: string;
  readonly integrations: readonly IntegrationSettings[];
  /** Without one nothing is sent, and everything waits. */
  readonly sender?: PostSender;
  /** A number from 0 to 1: spreads retries. */
  readonly random?: () => number;
}

/** Sends what tasks have to tell the systems they came from: of each task in order, each until it is taken, refused for good, or a day has passed. */
export class Callbacks {
  readonly #deps: CallbacksDeps;
  readonly #lanes: readonly OutboundLane<DueCallback>[];
  readonly #stopListening: () => void;

  constructor(deps: CallbacksDeps) {
    this.#deps = deps;
    const { sender, random = () => 0, integrations } = deps;
    this.#lanes = sender ? integrations.flatMap((integration) => laneOf(integration, { ...deps, sender, random })) : [];
    this.#stopListening = deps.store.callbacks.onWritten(() => this.#wake());
  }

  start(): void {
    this.#wake();
  }

  get handlers(): HandlersOf<'callbacks'> {
    const { store, clock } = this.#deps;
    return {
      'callbacks/list': async ({ limit = DEFAULT_PAGE_SIZE, task: taskId, ...query }, { principal }) => {
        const own = seenBy(principal);
        return listed(await store.callbacks.list({ ...query, taskId, ...own, caller: principalName(principal), limit }));
      },
      'callbacks/count': (query, { principal }) => store.callbacks.count({ ...query, ...seenBy(principal) }),
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

function laneOf(integration: IntegrationSettings, { store, clock, log, workspace, sender, random }: Required<CallbacksDeps>) {
  const { name, callbackUrl: url } = integration;
  if (url === null) return [];
  const onFault = (error: string | null, { id: callbackId }: DueCallback) => {
    if (error === null) log.info('callbacks are taken again', { integration: name });
    else log.warn('callbacks fail', { integration: name, callbackId, error });
  };
  const { callbacks } = store;
  const queue: PostQueue<DueCallback> = {
    due: (now, limit) => callbacks.due(workspace, name, now, limit),
    nextDue: () => callbacks.nextDue(workspace, name),
    settle: (id, outcome) => callbacks.settle(id, outcome),
  };
  const requestFor = (post: DueCallback) => requestOf(post, { url, key: integration.callbackKey, now: clock.now() });
  return [new OutboundLane({ destination: name, queue, policy: callbackPolicy, requestFor, onFault, sender, clock, log, random })];
}

interface To {
  readonly url: string;
  readonly key: string;
  readonly now: number;
}

function requestOf({ event, body }: DueCallback, { url, key, now }: To): PostRequest {
  const userAgent = `agent-relay/${RELAY_VERSION}`;
  return { url, body, headers: { ...postHeaders({ body, key, now, userAgent }), 'x-agent-relay-event': event } };
}

/** What leaves the relay tells of everybody's work: it is for those who read everything, and for the integration it goes to. */
/** Which ones somebody may read. @throws RelayError `forbidden`, `forbidden_scope`. */
function seenBy(principal: Principal): { readonly workspace: string; readonly integration?: string } {
  assertMaySee(principal);
  const { workspace } = principal;
  if (principal.type === 'integration') return { workspace, integration: principal.name };
  assertScope(principal, 'tasks:read');
  return { workspace };
}

function assertMaySee(principal: Principal): void {
  if (principal.type === 'integration' || (agentOf(principal) === null && readsWorkspace(principal))) return;
  throw new RelayError('forbidden', 'Callbacks are for the owner, for tokens with workspace:read, and for the integration they go to');
}
