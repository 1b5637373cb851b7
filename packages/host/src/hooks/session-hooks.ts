import {
  type AgentEvent,
  ANSWERED_AT_ONCE_MS,
  type ConfiguredHook,
  fillText,
  HOOK_MESSAGE_KIND,
  type HookResult,
  type InboxItem,
} from 'agent-relay-protocol';
import { modelText, settlesWithin } from 'agent-relay-wire';
import { HookOccurrences, type Occurrence, receivedOf } from './hook-occurrences.ts';
import type { HookedSession, Hooks } from './hooks.ts';

export interface SessionHooksOptions {
  readonly hooks: Hooks;
  readonly session: HookedSession;
  /** Into the session's log. */
  readonly record: (event: AgentEvent) => void;
  /** What a failed hook wrote, for the agent: begins a turn. */
  readonly feedBack: (text: string) => void;
}

/** An agent that cannot satisfy a hook is not told of it for ever: so often, then a person or another agent has to speak first. */
const MAX_FEEDBACK = 3;
/** So many runs of one hook that would do different things wait for quiet; what comes then is told as skipped, once until all of them have begun. */
const MAX_DEBOUNCED = 100;

/** The hooks of one session: reads what happens, gathers what comes in bursts, and keeps hooks from feeding themselves. */
export class SessionHooks {
  readonly #options: SessionHooksOptions;
  readonly #occurrences = new HookOccurrences();
  readonly #running = new Set<Promise<void>>();
  readonly #debounced = new Map<string, { readonly hook: string; readonly timer: NodeJS.Timeout; readonly begin: () => void }>();
  readonly #overflowing = new Set<string>();
  /** Hooks that tell of a question begin when nobody has answered it at once. */
  readonly #asked = new Map<string, NodeJS.Timeout[]>();
  /** The turn that runs, or is about to, was begun by mail of hooks alone. */
  #isFed = false;
  #isTurnRunning = false;
  #feedbacks = 0;

  constructor(options: SessionHooksOptions) {
    this.#options = options;
  }

  observe(event: AgentEvent): void {
    for (const occurrence of this.#occurrences.of(event)) this.#occur(occurrence);
    if (event.type === 'turn.started') this.#isTurnRunning = true;
    if (event.type === 'turn.completed' || event.type === 'turn.failed') {
      this.#isFed = false;
      this.#isTurnRunning = false;
    }
    if (event.type === 'approval.resolved') this.#answered(event.approvalId);
    if (event.type === 'session.ended') for (const approvalId of this.#asked.keys()) this.#answered(approvalId);
    if (event.type === 'session.ended') for (const { begin } of [...this.#debounced.values()]) begin();
  }

  /** Mail was handed to the agent. */
  received(items: readonly InboxItem[]): void {
    const isHooks = items.every(({ message }) => message.kind === HOOK_MESSAGE_KIND);
    // What comes into a turn that somebody else began does not make it a hook's.
    if (!isHooks || !this.#isTurnRunning) this.#isFed = isHooks;
    if (!isHooks) this.#feedbacks = 0;
    for (const item of items) if (item.message.kind !== HOOK_MESSAGE_KIND) this.#occur(receivedOf(item));
  }

  /** Resolves when what runs is done, or the time is over. */
  async settled(limitMs: number): Promise<void> {
    await settlesWithin(Promise.all(this.#running), limitMs);
  }

  #occur(occurrence: Occurrence): void {
    const { hooks, session } = this.#options;
    for (const hook of hooks.matching(session, occurrence)) {
      if (hook.action.type === 'approve') this.#begin(hook, occurrence, this.#isFed);
      else if (occurrence.asked) this.#ask(occurrence.asked.approvalId, () => this.#begins(hook, occurrence));
      else this.#begins(hook, occurrence);
    }
  }

  #begins(hook: ConfiguredHook, occurrence: Occurrence): void {
    const debounceMs = hook.action.type === 'approve' ? undefined : hook.action.debounce;
    if (debounceMs === undefined) this.#begin(hook, occurrence, this.#isFed);
    else this.#debounce(hook, occurrence, debounceMs);
  }

  #ask(approvalId: string, begin: () => void): void {
    const timer = setTimeout(begin, ANSWERED_AT_ONCE_MS);
    this.#asked.set(approvalId, [...(this.#asked.get(approvalId) ?? []), timer]);
  }

  #answered(approvalId: string): void {
    for (const timer of this.#asked.get(approvalId) ?? []) clearTimeout(timer);
    this.#asked.delete(approvalId);
  }

  /** Runs that would do the same become one, when nothing has asked for it for so long. */
  #debounce(hook: ConfiguredHook, occurrence: Occurrence, debounceMs: number): void {
    const { hooks, session } = this.#options;
    const isFed = this.#isFed;
    const { fields } = hooks.runFor(hook, session, occurrence, isFed);
    const key = `${hook.name}\n${fillText(JSON.stringify(hook.action), fields)}`;
    if (!this.#debounced.has(key) && this.#debouncedOf(hook.name) >= MAX_DEBOUNCED) {
      this.#overflow(hook);
      return;
    }
    clearTimeout(this.#debounced.get(key)?.timer);
    const begin = () => {
      clearTimeout(this.#debounced.get(key)?.timer);
      this.#debounced.delete(key);
      if (this.#debouncedOf(hook.name) === 0) this.#overflowing.delete(hook.name);
      this.#begin(hook, occurrence, isFed);
    };
    this.#debounced.set(key, { hook: hook.name, begin, timer: setTimeout(begin, debounceMs) });
  }

  #debouncedOf(name: string): number {
    return [...this.#debounced.values()].filter(({ hook }) => hook === name).length;
  }

  #overflow({ name: hook, trigger, action }: ConfiguredHook): void {
    if (this.#overflowing.has(hook)) return;
    this.#overflowing.add(hook);
    const detail = `More than ${MAX_DEBOUNCED} different runs of this hook wait for quiet: others are left out until these have begun`;
    this.#options.record({ type: 'hook.completed', hook, trigger, action: action.type, outcome: 'skipped', durationMs: 0, detail });
  }

  #begin(hook: ConfiguredHook, occurrence: Occurrence, isFed: boolean): void {
    const { hooks, session, record } = this.#options;
    const done = new Promise<void>((resolve) => {
      hooks.begin(hooks.runFor(hook, session, occurrence, isFed), (result) => {
        record({ type: 'hook.completed', ...result });
        this.#feedBack(hook, result);
        resolve();
      });
    }).finally(() => this.#running.delete(done));
    this.#running.add(done);
  }

  #feedBack({ action }: ConfiguredHook, { hook, outcome, exitCode, output = '', detail }: HookResult): void {
    if (action.type !== 'command' || !action.feedback || (outcome !== 'failed' && outcome !== 'timed_out')) return;
    if (this.#feedbacks >= MAX_FEEDBACK) return;
    this.#feedbacks += 1;
    const how = exitCode === undefined ? (detail ?? outcome) : `exit code ${exitCode}`;
    const last = this.#feedbacks === MAX_FEEDBACK ? '\nYou are not told again until somebody writes to you.' : '';
    this.#options.feedBack(`[agent-relay] ${modelText`The hook ${hook} failed after what you did (${how}):\n${output}`.text}${last}`);
  }
}
