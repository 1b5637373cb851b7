import { randomUUID } from 'node:crypto';
import {
  ANSWERED_AT_ONCE_MS,
  assertFieldsOf,
  type ConfiguredHook,
  describeOccurrence,
  fieldsOf,
  fillText,
  HOOK_MESSAGE_KIND,
  type HookFields,
  type HookResult,
  hookMailMode,
  OWNER_AGENT_ID,
  type Principal,
  RELAY_HOOKS,
  RELAY_VERSION,
  type RecentHookResult,
  RelayError,
  type RelayEvent,
  type RouteOutput,
  type SetHook,
  withRecentRun,
} from 'agent-relay-protocol';
import { type PostPolicy, postFault, postUntilSettled, sleep } from 'agent-relay-wire';
import { postHeaders } from 'agent-relay-wire/node';
import { readAddress, resolveAddress } from '../../domain/address.ts';
import { exampleOfOccurrence, hookOccurrence, type RelayOccurrence } from '../../domain/hook-occurrence.ts';
import type { EventStream } from '../../events/event-stream.ts';
import { LogFollower } from '../../events/log-follower.ts';
import type { Messages } from '../mail/messages.ts';
import type { PostSender } from '../outbound/post-request.ts';
import type { RelayCore } from '../relay-core.ts';
import { describeOwnHook, ownHooksOf, type RelayHooksFile, removeOwnHook, setOwnHook } from './own-hooks.ts';

export interface RelayHooksDeps extends Pick<RelayCore, 'store' | 'clock' | 'log'> {
  readonly workspace: string;
  readonly messages: Pick<Messages, 'sendOwn'>;
  readonly file: RelayHooksFile;
  /** Without one webhooks fail. */
  readonly sender: PostSender | undefined;
  /** The log after a number, or from now on, as its owner reads it. */
  readonly follow: (after: number | undefined, signal: AbortSignal) => EventStream;
}

/** So many runs are under way at once; what comes then is told as skipped. */
const MAX_RUNNING = 100;
/** A hook is of the moment: what the other side does not take within a minute is told as failed. */
const LIFETIME_MS = 60_000;
const policy: PostPolicy = {
  firstDelayMs: 1_000,
  longestDelayMs: 15_000,
  longestAskedMs: 30_000,
  attemptsAt: (status) => (status < 500 && status !== 408 && status !== 429 ? 1 : 4),
};

type Result = Pick<HookResult, 'outcome' | 'detail'>;

/** What the relay itself does when something happens: sends messages and webhooks, for what happens while it runs. */
export class RelayHooks {
  readonly #deps: RelayHooksDeps;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #recent: readonly RecentHookResult[] = [];
  readonly #follower: LogFollower;

  constructor(deps: RelayHooksDeps) {
    this.#deps = deps;
    const { store, clock, log, follow: open } = deps;
    const taker = () => {
      // Once for all of a batch: it looks at the file, and what an event tells is not worked out where nobody asks.
      const own = this.#own;
      return own.length === 0 ? null : (event: RelayEvent) => this.#occur(event, own);
    };
    this.#follower = new LogFollower({ follower: 'hooks', open, taker, check: () => store.check(), clock, log });
  }

  start(): void {
    this.#follower.start();
  }

  /** Ends what is under way. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#follower.close();
    await Promise.all(this.#running);
  }

  describe(): RouteOutput<'hooks/describe'> {
    const { file } = this.#deps;
    const hooks = this.#own.map(describeOwnHook);
    const { fault, ...state } = file.state;
    return {
      hooks,
      sources: [{ nodeId: null, name: RELAY_HOOKS, ...state, fault: fault?.slice(0, 2000) ?? null, recent: [...this.#recent] }],
    };
  }

  /**
   * @throws RelayError as a message to that address would: `not_found`, `ambiguous_target`. One where the hook went before is not looked at, and of a kind
   * of agent one may be there when it happens.
   */
  async set(hook: SetHook): Promise<RouteOutput<'hooks/set'>> {
    const { relay: to, replaces } = hook;
    const goesThere = this.#own.some(({ name, action }) => name === replaces && action.type === 'relay' && action.relay === to);
    if (to !== undefined && !goesThere) await this.#assertMayReach(to);
    return setOwnHook(this.#deps.file, hook);
  }

  remove(name: string): void {
    removeOwnHook(this.#deps.file, name);
  }

  has(name: string): boolean {
    return this.#own.some((hook) => hook.name === name);
  }

  /** A webhook is really posted; a message is not sent. */
  async test(name: string, said: HookFields): Promise<HookResult> {
    const hook = this.#own.find((each) => each.name === name);
    if (!hook) throw new RelayError('not_found', `The relay has no hook called ${name}`);
    assertFieldsOf(hook.trigger, said);
    const result = await this.#trial(hook, said);
    this.#recent = withRecentRun(this.#recent, { ...result, at: this.#deps.clock.now(), agentId: null, isTrial: true });
    return result;
  }

  async #trial(hook: ConfiguredHook, said: HookFields): Promise<HookResult> {
    const fields = fieldsOf(hook.trigger, { ...exampleOfOccurrence(hook.trigger), ...said });
    if (hook.action.type === 'relay') {
      const fault = this.#faultOf(hook.action.relay);
      if (fault !== null) return { ...told(hook), outcome: 'failed', durationMs: 0, detail: fault.slice(0, 1000) };
      const detail = `A trial sends no message. To ${hook.action.relay}: ${bodyOf(hook, fields)}`.slice(0, 1000);
      return { ...told(hook), outcome: 'skipped', durationMs: 0, detail };
    }
    return this.#perform(hook, { trigger: hook.trigger, agentId: null, from: OWNER_AGENT_ID, fields });
  }

  async #assertMayReach(to: string): Promise<void> {
    try {
      this.#resolve(to);
    } catch (error) {
      if (!(error instanceof RelayError) || error.code !== 'not_found' || !(await this.#isKind(to))) throw error;
    }
  }

  /** Whether a machine offers such agents, now or when it was last here, or one is known. */
  async #isKind(word: string): Promise<boolean> {
    const { store, workspace } = this.#deps;
    for (const { agent } of store.agents.index.in(workspace).agents()) if (agent?.provider === word) return true;
    return (await store.nodes.list(workspace)).some(({ providers }) => providers.some(({ id }) => id === word));
  }

  /** Why a message would go nowhere now; null where it would. */
  #faultOf(to: string): string | null {
    try {
      this.#resolve(to);
      return null;
    } catch (error) {
      if (error instanceof RelayError) return error.message;
      throw error;
    }
  }

  #resolve(to: string): void {
    const { store, workspace } = this.#deps;
    resolveAddress(readAddress(to, 'relay'), store.agents.index.in(workspace), OWNER_AGENT_ID);
  }

  get #own(): readonly ConfiguredHook[] {
    return ownHooksOf(this.#deps.file);
  }

  get #owner(): Principal {
    return { type: 'owner', workspace: this.#deps.workspace };
  }

  async #occur(event: RelayEvent, own: readonly ConfiguredHook[]): Promise<void> {
    const occurrence = hookOccurrence(event);
    if (occurrence === null) return;
    const hooks = own.filter(({ trigger }) => trigger === occurrence.trigger);
    if (hooks.length === 0 || (await this.#answersHook(event))) return;
    for (const hook of hooks) {
      const work = this.#isNews(event)
        .then((isNews) => (isNews ? this.#run(hook, occurrence, event.seq) : undefined))
        .catch((error: unknown) => this.#deps.log.warn('a hook could not run', { hook: hook.name, error }))
        .finally(() => this.#running.delete(work));
      this.#running.add(work);
    }
  }

  /** A question is one for a person when nobody has answered it at once. */
  async #isNews(event: RelayEvent): Promise<boolean> {
    if (event.type !== 'approval.requested') return true;
    const { store, workspace } = this.#deps;
    const { agentId, approvalId } = event.approval;
    const { signal } = this.#closing;
    await sleep(ANSWERED_AT_ONCE_MS, { signal });
    // Whether somebody answers at once nobody knows yet.
    if (signal.aborted) return false;
    return (await store.approvals.find(workspace, agentId, approvalId))?.status === 'pending';
  }

  /** Whoever answers what a hook sent would be answered by it again, and so on. */
  async #answersHook(event: RelayEvent): Promise<boolean> {
    if (event.type !== 'message.new' || event.message.replyTo === null) return false;
    const { store, workspace } = this.#deps;
    const answered = await store.messages.get(workspace, event.message.replyTo);
    return answered?.message.kind === HOOK_MESSAGE_KIND;
  }

  async #run(hook: ConfiguredHook, occurrence: RelayOccurrence, eventSeq: number): Promise<void> {
    const { store, clock, log, workspace } = this.#deps;
    const run =
      this.#running.size < MAX_RUNNING
        ? await this.#perform(hook, occurrence)
        : { ...told(hook), outcome: 'skipped' as const, durationMs: 0, detail: 'Too many runs were under way' };
    const at = clock.now();
    this.#recent = withRecentRun(this.#recent, { ...run, at, agentId: occurrence.agentId });
    const event = { type: 'hook.completed' as const, at, ...run, agentId: occurrence.agentId, eventSeq };
    await store.records
      .begin(workspace, () => ({ answer: null, change: { at, events: [event] } }))
      .catch((error: unknown) => log.warn('what a hook did could not be written', { hook: hook.name, error }));
  }

  async #perform(hook: ConfiguredHook, occurrence: RelayOccurrence): Promise<HookResult> {
    const begun = performance.now();
    const result = await this.#act(hook, occurrence).catch(
      (error: unknown): Result => ({
        outcome: 'failed',
        detail: error instanceof RelayError ? error.message.slice(0, 1000) : 'It failed inside the relay',
      }),
    );
    return { ...told(hook), ...result, durationMs: Math.round(performance.now() - begun) };
  }

  #act(hook: ConfiguredHook, occurrence: RelayOccurrence): Promise<Result> {
    const { action } = hook;
    if (action.type === 'relay') return this.#send(hook, action, occurrence);
    if (action.type === 'webhook') return this.#post(action, hook, occurrence);
    return Promise.reject(new RelayError('unsupported', 'The relay itself sends messages and webhooks only'));
  }

  /** In the name of the agent whose event it was, as far as its owner may say so: it does not get it, and the loop guard counts it. */
  async #send(
    hook: ConfiguredHook,
    { relay: to, mode = hookMailMode(to) }: Extract<ConfiguredHook['action'], { type: 'relay' }>,
    { agentId, from, fields }: RelayOccurrence,
  ): Promise<Result> {
    const meta = { hook: hook.name, trigger: hook.trigger, agentId };
    const message = { from, to, mode, meta, body: bodyOf(hook, fields), kind: HOOK_MESSAGE_KIND };
    const { matched } = await this.#deps.messages.sendOwn(message, { principal: this.#owner, signal: this.#closing.signal });
    return { outcome: 'succeeded', detail: `It reached ${matched} ${matched === 1 ? 'agent' : 'agents'}` };
  }

  async #post(
    { webhook: url, secret }: Extract<ConfiguredHook['action'], { type: 'webhook' }>,
    { name, trigger }: ConfiguredHook,
    { fields }: RelayOccurrence,
  ): Promise<Result> {
    const { sender, clock } = this.#deps;
    if (!sender) throw new RelayError('unsupported', 'This relay posts nothing');
    const { signal } = this.#closing;
    const body = JSON.stringify({ hook: name, trigger, fields, id: randomUUID(), at: clock.now() });
    const attempt = () => {
      const headers = postHeaders({ body, key: secret, now: clock.now(), userAgent: `agent-relay/${RELAY_VERSION}` });
      return sender.send({ url, body, headers: { ...headers, 'x-agent-relay-event': `hook.${trigger}` } }, signal);
    };
    const terms = { policy, lifetimeMs: LIFETIME_MS, now: () => clock.now(), chance: () => 0.5, signal };
    const { answer, fate } = await postUntilSettled(attempt, terms);
    if (fate.status === 'delivered') return { outcome: 'succeeded', detail: `It answered ${answer.status}` };
    return { outcome: 'failed', detail: (answer.error ?? postFault(answer.status)).slice(0, 1000) };
  }
}

const told = ({ name, trigger, action }: ConfiguredHook): Pick<HookResult, 'hook' | 'trigger' | 'action'> => ({
  hook: name,
  trigger,
  action: action.type,
});

function bodyOf({ trigger, action }: ConfiguredHook, fields: HookFields): string {
  const said = action.type === 'relay' && action.body !== undefined ? fillText(action.body, fields) : '';
  return said || describeOccurrence(trigger, fields);
}
