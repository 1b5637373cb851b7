import { randomUUID } from 'node:crypto';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import {
  type AgentEvent,
  type ConfiguredHook,
  type DeliveryMode,
  describeOccurrence,
  exampleFields,
  fieldsOf,
  fillText,
  HOOK_MESSAGE_KIND,
  type HookAction,
  type HookFields,
  type HookResult,
  hookMailMode,
  type Message,
  questionAllowedBy,
  type RecentHookResult,
  RelayError,
  withRecentRun,
} from 'agent-relay-protocol';
import type { Log } from 'agent-relay-wire';
import { HookLane } from './hook-lane.ts';
import type { Occurrence } from './hook-occurrences.ts';
import { notifyDesktop } from './notify.ts';
import { postWebhook } from './post-webhook.ts';
import { type CommandResult, runHookCommand } from './run-command.ts';

/** What hooks know of the session that sets them off, and may do in its name. */
export interface HookedSession {
  readonly agentId: string;
  readonly sessionId: string;
  readonly provider: string;
  /** Null where it works on another machine. */
  readonly cwd: string | null;
  readonly send: (message: {
    readonly to: string;
    readonly body: string;
    readonly idempotencyKey: string;
    readonly kind: string;
    readonly mode: DeliveryMode;
    readonly meta: NonNullable<Message['meta']>;
  }) => Promise<{ readonly matched: number }>;
  /** Answers what it asks with a yes; false when that is answered already. */
  readonly allow: (approvalId: string, by: string) => Promise<boolean>;
}

export interface HooksOptions {
  /** The hooks as they are now: asked each time something happens, so that a changed file counts at once. */
  readonly current: () => readonly ConfiguredHook[];
  /** The complete environment of their commands. */
  readonly env: () => Readonly<Record<string, string>>;
  readonly now: () => number;
  readonly log: Log;
}

/** One occurrence for one hook. */
interface Run {
  readonly hook: ConfiguredHook;
  readonly session: HookedSession;
  readonly occurrence: Occurrence;
  readonly fields: HookFields;
  /** It would answer mail that a hook sent. */
  readonly isFed: boolean;
}

/** Runs what this machine's own configuration says. Nobody else can add to it: the relay may name a hook, never bring one. */
export class Hooks {
  readonly #options: HooksOptions;
  readonly #lanes = new Map<string, HookLane>();
  readonly #closing = new AbortController();
  #recent: readonly RecentHookResult[] = [];

  constructor(options: HooksOptions) {
    this.#options = options;
  }

  /** The last runs, oldest first. */
  get recent(): readonly RecentHookResult[] {
    return this.#recent;
  }

  /** Those that this occurrence sets off, in the order of the file. */
  matching({ agentId, provider }: Pick<HookedSession, 'agentId' | 'provider'>, { trigger }: Occurrence): readonly ConfiguredHook[] {
    const whom = ['*', provider, `agent:${agentId}`];
    return this.#options.current().filter((hook) => hook.trigger === trigger && whom.includes(hook.agents));
  }

  runFor(hook: ConfiguredHook, session: HookedSession, occurrence: Occurrence, isFed: boolean): Run {
    const { agentId: agent, sessionId, provider, cwd } = session;
    const fields = fieldsOf(occurrence.trigger, { ...occurrence.said, agent, provider, session: sessionId, cwd: cwd ?? '' });
    return { hook, session, occurrence, fields, isFed };
  }

  /** Begins a run when its turn comes; tells what came of it. */
  begin(run: Run, onDone: (result: HookResult) => void): void {
    const { hook } = run;
    const lane = this.#lanes.get(hook.name) ?? new HookLane();
    this.#lanes.set(hook.name, lane);
    const concurrency = hook.action.type === 'command' ? hook.action.concurrency : 1;
    const done = (result: HookResult) => {
      this.#recent = withRecentRun(this.#recent, { ...result, at: this.#options.now(), agentId: run.session.agentId });
      onDone(result);
    };
    const isTaken = lane.run(concurrency, async () => done(await this.#perform(run)));
    if (!isTaken) done({ ...told(hook), outcome: 'skipped', durationMs: 0, detail: 'Too many runs of this hook were waiting' });
  }

  /**
   * Tries a hook with an example, or with what is said: a command, a notification and a webhook really run; a message is not sent.
   * @throws RelayError `not_found` when this machine's configuration holds none of that name.
   */
  async test(name: string, said: HookFields): Promise<HookResult> {
    const hook = this.#options.current().find((each) => each.name === name && each.agents !== 'relay');
    if (!hook) throw new RelayError('not_found', `This machine has no hook called ${name}`);
    const fields = { ...exampleFields(hook.trigger), ...said };
    const session: HookedSession = {
      agentId: fields['agent'] ?? '',
      sessionId: fields['session'] ?? '',
      provider: fields['provider'] ?? '',
      cwd: said['cwd'] ?? null,
      send: () => Promise.reject(new RelayError('unsupported', 'A trial sends no message')),
      allow: async () => false,
    };
    const known = fieldsOf(hook.trigger, fields);
    if (hook.action.type === 'relay')
      return {
        ...told(hook),
        outcome: 'skipped',
        durationMs: 0,
        detail: `A trial sends no message. To ${hook.action.relay}: ${bodyOf(hook, hook.action.body, known)}`.slice(0, 1000),
      };
    return this.#perform({ hook, session, occurrence: { trigger: hook.trigger, said: fields }, fields: known, isFed: false });
  }

  /** Ends what runs. */
  close(): void {
    for (const lane of this.#lanes.values()) lane.clear();
    this.#closing.abort();
  }

  async #perform(run: Run): Promise<HookResult> {
    const begun = performance.now();
    let result: CommandResult;
    try {
      result = await this.#act(run);
    } catch (error) {
      const reason = error instanceof RelayError ? error.message : 'it failed inside the host';
      result = { outcome: 'failed', detail: reason.slice(0, 1000) };
    }
    const durationMs = Math.round(performance.now() - begun);
    const { log } = this.#options;
    if (result.outcome === 'failed' || result.outcome === 'timed_out')
      log.info('a hook failed', { hook: run.hook.name, agentId: run.session.agentId, outcome: result.outcome });
    return { ...told(run.hook), ...result, durationMs };
  }

  async #act(run: Run): Promise<CommandResult> {
    const { hook, session, fields } = run;
    const { action } = hook;
    switch (action.type) {
      case 'command':
        return runHookCommand(action, fields, this.#place(run, action.cwd));
      case 'relay':
        return this.#send(run, action);
      case 'webhook': {
        const body = JSON.stringify({ ...about(run), id: randomUUID(), at: this.#options.now() });
        const { now } = this.#options;
        return postWebhook(
          { url: action.webhook, secret: action.secret, event: `hook.${hook.trigger}`, body },
          { now, signal: this.#closing.signal },
        );
      }
      case 'notify':
        return notifyDesktop(fillText(action.notify, fields), session.agentId, this.#place(run, undefined));
      case 'approve':
        return approve(run, action);
    }
  }

  #place(run: Run, cwd: string | undefined) {
    const folder = resolve(run.session.cwd ?? homedir(), cwd ?? '.');
    return { cwd: folder, env: this.#options.env(), stdin: `${JSON.stringify(about(run))}\n`, signal: this.#closing.signal };
  }

  async #send({ hook, session, fields, isFed }: Run, action: Extract<HookAction, { type: 'relay' }>): Promise<CommandResult> {
    if (isFed) return { outcome: 'skipped', detail: 'Mail of a hook began this turn: another message about it could go round for ever' };
    const { matched } = await session.send({
      to: action.relay,
      body: bodyOf(hook, action.body, fields),
      idempotencyKey: `hook:${randomUUID()}`,
      kind: HOOK_MESSAGE_KIND,
      mode: action.mode ?? hookMailMode(action.relay),
      meta: { hook: hook.name, trigger: hook.trigger, agentId: session.agentId, sessionId: session.sessionId },
    });
    return { outcome: 'succeeded', detail: `It reached ${matched} ${matched === 1 ? 'agent' : 'agents'}` };
  }
}

const told = ({ name, trigger, action }: ConfiguredHook): Pick<HookResult, 'hook' | 'trigger' | 'action'> => ({
  hook: name,
  trigger,
  action: action.type,
});

const about = ({ hook, fields }: Run) => ({ hook: hook.name, trigger: hook.trigger, fields });

const bodyOf = ({ trigger }: ConfiguredHook, template: string | undefined, fields: HookFields): string =>
  (template === undefined ? '' : fillText(template, fields)) || describeOccurrence(trigger, fields);

async function approve(
  { hook, session, occurrence }: Run,
  { approve: rule }: Extract<HookAction, { type: 'approve' }>,
): Promise<CommandResult> {
  const asked: AgentEvent | undefined = occurrence.asked;
  const { command, folder } = rule;
  const isAllowed =
    asked !== undefined && questionAllowedBy({ kind: command ? 'execute' : 'edit', command: command ?? null, folder }, asked);
  if (!isAllowed) return { outcome: 'skipped', detail: 'It does not allow this, or does not understand it whole: a person is asked' };
  const isTaken = await session.allow(asked.approvalId, `hook:${hook.name}`);
  return isTaken ? { outcome: 'succeeded', detail: 'It was allowed' } : { outcome: 'skipped', detail: 'It was answered already' };
}
