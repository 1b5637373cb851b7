import { randomUUID } from 'node:crypto';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import {
  type AgentEvent,
  assertFieldsOf,
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
  understood,
  withRecentRun,
} from 'agent-relay-protocol';
import { editRefusal, pathInside } from 'agent-relay-provider';
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
  #isTrying = false;

  constructor(options: HooksOptions) {
    this.#options = options;
  }

  /** The last runs, oldest first. */
  get recent(): readonly RecentHookResult[] {
    return this.#recent;
  }

  /** Those that this occurrence sets off, in the order of the file. */
  matching(
    { agentId, provider, cwd }: Pick<HookedSession, 'agentId' | 'provider' | 'cwd'>,
    { trigger }: Occurrence,
  ): readonly ConfiguredHook[] {
    const whom = ['*', provider, `agent:${agentId}`];
    const hooks = this.#options.current().filter((hook) => hook.trigger === trigger && whom.includes(hook.agents));
    // The files of one that works elsewhere are not here: a command would find others in their place.
    return cwd === null ? hooks.filter(({ action }) => action.type !== 'command') : hooks;
  }

  runFor(hook: ConfiguredHook, session: HookedSession, occurrence: Occurrence, isFed: boolean): Run {
    const { agentId: agent, sessionId, provider, cwd } = session;
    const fields = fieldsOf(occurrence.trigger, { ...occurrence.said, agent, provider, session: sessionId, cwd: cwd ?? '' });
    return { hook, session, occurrence, fields, isFed };
  }

  /** Begins a run when its turn comes; tells what came of it. */
  begin(run: Run, onDone: (result: HookResult) => void): void {
    this.#enqueue(run, (result) => {
      this.#recent = withRecentRun(this.#recent, { ...result, at: this.#options.now(), agentId: run.session.agentId });
      onDone(result);
    });
  }

  #enqueue(run: Run, done: (result: HookResult) => void): void {
    const { hook } = run;
    const lane = this.#lanes.get(hook.name) ?? new HookLane();
    this.#lanes.set(hook.name, lane);
    const concurrency = hook.action.type === 'command' ? hook.action.concurrency : 1;
    const isTaken = lane.run(concurrency, async () => done(await this.#perform(run)));
    if (!isTaken) done({ ...told(hook), outcome: 'skipped', durationMs: 0, detail: 'Too many runs of this hook were waiting' });
  }

  /**
   * Tries a hook with an example, or with what is said: a command, a notification and a webhook really run; a message is not sent. It waits for its
   * turn as any run does, and runs in the hook's own folder or the home folder, whatever is said.
   * @throws RelayError `not_found` when this machine's configuration holds none of that name, `busy` while another is tried here,
   * `validation_failed` for a path outside of that folder.
   */
  async test(name: string, said: HookFields): Promise<HookResult> {
    const hook = this.#options.current().find((each) => each.name === name && each.agents !== 'relay');
    if (!hook) throw new RelayError('not_found', `This machine has no hook called ${name}`);
    assertFieldsOf(hook.trigger, said);
    const result = await this.#trial(hook, said);
    this.#recent = withRecentRun(this.#recent, { ...result, at: this.#options.now(), agentId: null, isTrial: true });
    return result;
  }

  async #trial(hook: ConfiguredHook, said: HookFields): Promise<HookResult> {
    if (hook.action.type === 'approve')
      return { ...told(hook), outcome: 'skipped', durationMs: 0, detail: describeTrial(hook.action.approve, said).slice(0, 1000) };
    const cwd = trialFolder(hook);
    assertPathsIn(cwd, said);
    const fields: HookFields = { ...exampleFields(hook.trigger), ...said, cwd };
    const session: HookedSession = {
      agentId: fields['agent'] ?? '',
      sessionId: fields['session'] ?? '',
      provider: fields['provider'] ?? '',
      cwd: null,
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
    return this.#try({ hook, session, occurrence: { trigger: hook.trigger, said: fields }, fields: known, isFed: false });
  }

  async #try(run: Run): Promise<HookResult> {
    if (this.#isTrying) throw new RelayError('busy', 'A hook of this machine is being tried: try again when that is over');
    this.#isTrying = true;
    try {
      return await new Promise<HookResult>((done) => {
        const { signal } = this.#closing;
        const over = () => done({ ...told(run.hook), outcome: 'skipped', durationMs: 0, detail: 'Its machine is closing' });
        // What waits is not begun any more then; what runs ends by itself.
        signal.addEventListener('abort', over, { once: true });
        this.#enqueue(run, (result) => {
          signal.removeEventListener('abort', over);
          done(result);
        });
      });
    } finally {
      this.#isTrying = false;
    }
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

const trialFolder = ({ action }: ConfiguredHook): string => resolve(homedir(), (action.type === 'command' ? action.cwd : undefined) ?? '.');

/** Who asks for a trial chooses no files of this machine beyond the hook's folder. */
function assertPathsIn(folder: string, said: HookFields): void {
  for (const name of ['file', 'movedTo']) {
    const path = said[name] ?? '';
    if (path === '' || pathInside(folder, path) !== null) continue;
    const message = `must lie in ${folder}, where the hook is tried`;
    throw new RelayError('validation_failed', `fields.${name}: ${message}`, { issues: [{ path: `fields.${name}`, message }] });
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

type StandingYes = Extract<HookAction, { type: 'approve' }>['approve'];

const allows = ({ command, folder }: StandingYes, asked: Parameters<typeof understood>[0]): boolean =>
  questionAllowedBy({ kind: command ? 'execute' : 'edit', command: command ?? null, folder }, asked) &&
  // By its name it lies in the folder; a link there may lead anywhere.
  (command !== undefined || understood(asked)?.files.every((file) => editRefusal(folder, file) === null) === true);

/** What it would answer: to the question whose command, or file, is the title; else to the plainest that it is for. */
function describeTrial(rule: StandingYes, { kind = rule.command ? 'execute' : 'edit', title, cwd = rule.folder }: HookFields): string {
  const what = title ?? rule.command?.join(' ') ?? resolve(rule.folder, 'a.ts');
  const input = kind === 'edit' ? { file_path: what } : { command: what };
  const isAllowed = (kind === 'edit' || kind === 'execute') && allows(rule, { kind, cwd, input });
  return `A trial answers nothing. ${what} in ${cwd} would be ${isAllowed ? 'allowed' : 'left to a person'}`;
}

async function approve(
  { hook, session, occurrence }: Run,
  { approve: rule }: Extract<HookAction, { type: 'approve' }>,
): Promise<CommandResult> {
  const asked: AgentEvent | undefined = occurrence.asked;
  if (asked === undefined || !allows(rule, asked))
    return { outcome: 'skipped', detail: 'It does not allow this, or does not understand it whole: a person is asked' };
  const isTaken = await session.allow(asked.approvalId, `hook:${hook.name}`);
  return isTaken ? { outcome: 'succeeded', detail: 'It was allowed' } : { outcome: 'skipped', detail: 'It was answered already' };
}
