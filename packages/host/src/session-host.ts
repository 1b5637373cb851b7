import { type HookResult, type InboxItem, type NodeProvider, type RecentHookResult, RelayError } from 'agent-relay-protocol';
import { type AgentSession, type ApprovalDecision, type DialIn, isMailRestricted, type Provider } from 'agent-relay-provider';
import { withTimeout } from 'agent-relay-wire';
import { ActivityBuffer } from './activity-buffer.ts';
import { Catalogue } from './catalogue.ts';
import { Hooks } from './hooks/hooks.ts';
import type { AnsweredApproval, Host, HostOptions, RunningSession, StartedSession, StartRequest } from './host-contract.ts';
import { HostedSession, type HostedSessionOptions } from './hosted-session.ts';
import { standingInstructions } from './instructions.ts';
import type { ProcessRegister } from './process-register.ts';
import { type AgentPromptIds, PromptIds } from './prompt-ids.ts';
import { reservedFiles } from './reserved-files.ts';
import { heldProcesses } from './sandbox/held-processes.ts';
import { Surroundings } from './surroundings.ts';

/** Runs sessions: from the start that is asked for to the last process that is gone. */
export class SessionHost implements Host {
  readonly #options: HostOptions;
  readonly #register: ProcessRegister;
  readonly #sessions = new Map<string, HostedSession>();
  readonly #buffers = new Map<string, ActivityBuffer>();
  readonly #promptIds: PromptIds;
  readonly #catalogue: Catalogue;
  readonly #surroundings: Surroundings;
  readonly #hooks: Hooks;
  readonly #starting = new Map<string, { readonly abort: AbortController; readonly done: Promise<unknown> }>();
  #closing: Promise<void> | null = null;

  constructor(options: HostOptions, register: ProcessRegister, leftBehind: readonly ActivityBuffer[]) {
    this.#options = options;
    this.#register = register;
    this.#promptIds = new PromptIds(options.stateDir, options.log);
    const { clock } = options;
    const surroundings = new Surroundings(options, register.mark);
    this.#surroundings = surroundings;
    const kindsOf = (provider: Provider) => surroundings.sandboxes.kinds(provider);
    this.#catalogue = new Catalogue({ clock, kindsOf, environmentFor: (provider) => surroundings.environmentFor(provider) });
    this.#hooks = new Hooks({
      current: options.hooks ?? (() => []),
      env: () => surroundings.ofHooks(),
      now: () => clock.now(),
      log: options.log,
    });
    for (const buffer of leftBehind) this.#buffers.set(buffer.owner.sessionId, buffer);
  }

  get running(): readonly RunningSession[] {
    return [...this.#sessions.values()].map(({ identity, presence, fetchesItsMail, buffer }) => ({
      ...identity,
      presence,
      fetchesItsMail,
      lastSeq: buffer.lastSeq,
    }));
  }

  get load(): number {
    return new Set([...this.#sessions.keys(), ...this.#starting.keys()]).size;
  }

  has(sessionId: string): boolean {
    return this.#sessions.has(sessionId) || this.#starting.has(sessionId);
  }

  get buffers(): readonly ActivityBuffer[] {
    return [...this.#buffers.values()];
  }

  async detect(maxAgeMs = 0): Promise<readonly NodeProvider[]> {
    return Promise.all(this.#options.providers.map((provider) => this.#catalogue.look(provider, maxAgeMs)));
  }

  async detectOne(id: string): Promise<NodeProvider> {
    const provider = this.#options.providers.find((each) => each.id === id);
    if (!provider) throw new RelayError('not_found', `This machine has no provider ${id}`);
    return this.#catalogue.look(provider, 0);
  }

  async start(request: StartRequest): Promise<StartedSession> {
    const { sessionId } = request.session;
    if (this.#closing !== null) throw new RelayError('node_unavailable', 'This machine is ending its agents');
    if (this.has(sessionId)) throw new RelayError('name_taken', `The session ${sessionId} runs here already`);
    const abort = new AbortController();
    const limitMs = this.#options.startLimitMs ?? 80_000;
    const done = withTimeout((signal) => this.#start(request, signal), limitMs, { signal: abort.signal, what: 'start of the agent' });
    this.#starting.set(sessionId, { abort, done });
    try {
      return await done;
    } catch (error) {
      await this.#register.endSession(sessionId);
      throw error;
    } finally {
      this.#starting.delete(sessionId);
    }
  }

  forget(sessionId: string): void {
    if (this.#sessions.has(sessionId)) return;
    this.#buffers.get(sessionId)?.remove();
    this.#buffers.delete(sessionId);
  }

  deliver(sessionId: string, items: readonly InboxItem[]): void {
    this.#sessions.get(sessionId)?.offer(items);
  }

  wake(sessionId: string): void {
    this.#sessions.get(sessionId)?.wake();
  }

  interrupt(sessionId: string): Promise<boolean> {
    const session = this.#sessions.get(sessionId);
    if (!session) return Promise.reject(new RelayError('not_found', `The session ${sessionId} does not run here`));
    return session.interrupt();
  }

  async resolveApproval({ sessionId, approvalId, limit }: AnsweredApproval, decision: ApprovalDecision): Promise<boolean> {
    return (await this.#sessions.get(sessionId)?.resolveApproval(approvalId, decision, limit)) ?? false;
  }

  get recentHookRuns(): readonly RecentHookResult[] {
    return this.#hooks.recent;
  }

  testHook(name: string, fields: Readonly<Record<string, string>>): Promise<HookResult> {
    return this.#hooks.test(name, fields);
  }

  async release(sessionId: string, reason: string): Promise<void> {
    const starting = this.#starting.get(sessionId);
    starting?.abort.abort(new RelayError('gone', reason));
    await starting?.done.catch(() => {});
    await this.#sessions.get(sessionId)?.close(reason);
    await this.#register.endSession(sessionId);
  }

  close(reason: string): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: string): Promise<void> {
    const ids = new Set([...this.#starting.keys(), ...this.#sessions.keys()]);
    await Promise.all([...ids].map((sessionId) => this.release(sessionId, reason)));
    this.#hooks.close();
    await Promise.all(
      this.#options.providers.map((provider) =>
        withTimeout(() => provider.close(), 4_000, { what: `end of ${provider.id}` }).catch((error: unknown) =>
          this.#options.log.warn('a provider could not be closed', { provider: provider.id, error }),
        ),
      ),
    );
    await this.#register.endAll();
    for (const buffer of this.#buffers.values()) buffer.close();
  }

  async #start(request: StartRequest, signal: AbortSignal): Promise<StartedSession> {
    const { session, mode, approval, model, resume, fork = false, mcp, dialIn, agentAccess } = request;
    const { sessionId, agentId } = session;
    const { stateDir, log, relay, approvalTimeoutMs, activityLimitBytes } = this.#options;
    const provider = this.#providerFor(request);
    const { cwd, env, sandbox, reason } = await this.#surroundings.placeFor(request, provider);
    const held = heldProcesses(sandbox, { provider: provider.id, onProcess: (owned) => this.#register.add(sessionId, owned, provider.id) });
    const promptIds = dialIn || provider.findsPrompts ? this.#promptIds.of(agentId, { isAsked: dialIn === undefined }) : undefined;
    const runtime = await provider.start({
      agentId,
      sessionId,
      cwd,
      mode,
      approval,
      ask: session.ask,
      reservedAgainst: reservedFiles(relay, session, { isElsewhere: dialIn !== undefined }),
      ...(approvalTimeoutMs === undefined ? {} : { approvalTimeoutMs }),
      ...(model === null ? {} : { model }),
      ...(resume === undefined ? {} : { resume, fork }),
      ...(agentAccess && { background: { task: request.task, relay: agentAccess } }),
      ...(dialIn && promptIds ? { dialIn: dialledBy(dialIn, promptIds) } : {}),
      instructions: standingInstructions({ agentId, spawnedBy: session.spawnedBy, mode }),
      mcp,
      ...(held.sandbox && { sandbox: held.sandbox }),
      env,
      onProcess: held.onProcess,
      signal,
    });
    try {
      signal.throwIfAborted();
      held.assertHeld();
    } catch (error) {
      await runtime.close();
      throw error;
    }
    const buffer = ActivityBuffer.create(stateDir, session, {
      ...(activityLimitBytes === undefined ? {} : { limitBytes: activityLimitBytes }),
      onFault: (error) => log.warn('activity cannot be written to disk and is kept in memory', { sessionId, error }),
    });
    this.#buffers.set(sessionId, buffer);
    const hosted = new HostedSession({
      ...this.#shared,
      session,
      cwd,
      runtime,
      buffer,
      isMailRestricted: isMailRestricted(mode, approval),
      isElsewhere: dialIn !== undefined,
      promptIds,
    });
    this.#sessions.set(sessionId, hosted);
    void hosted.ended.then(() => this.#sessions.delete(sessionId));
    if (request.task !== null && !agentAccess) await this.#giveTask(hosted, request.task, session.spawnedBy);
    const inside = sandbox?.kind ?? 'none';
    log.info('agent started', { sessionId, agentId, provider: provider.id, mode, sandbox: inside });
    if (reason !== undefined) log.warn('an agent was started without a sandbox', { sessionId, agentId, reason });
    // What nobody can go on with is no conversation to remember.
    const vendorSessionId = provider.resumes ? runtime.vendorSessionId : null;
    const about = { sandbox: inside, ...(reason === undefined ? {} : { sandboxReason: reason.slice(0, 1000) }) } as const;
    return { cwd, vendorSessionId, model: runtime.model, ...about, ...attachOf(runtime), resumed: resume !== undefined, forked: fork };
  }

  /** What every session gets. */
  get #shared(): Pick<HostedSessionOptions, 'register' | 'relay' | 'log' | 'progress' | 'now' | 'hooks'> {
    const { relay, log, clock, progress = {} } = this.#options;
    return { register: this.#register, relay, log, progress, now: () => clock.now(), hooks: this.#hooks };
  }

  #providerFor({ session, resume, fork, dialIn, agentAccess }: StartRequest): Provider {
    const provider = this.#options.providers.find(({ id }) => id === session.provider);
    if (!provider) throw new RelayError('provider_unavailable', `This machine has no provider ${session.provider}`);
    if (resume !== undefined && provider.resumes !== true)
      throw new RelayError('unsupported', `${provider.id} cannot go on with an earlier conversation: start it without resuming`);
    if (fork && provider.abilities?.fork !== true)
      throw new RelayError('unsupported', `${provider.id} cannot go on with a copy of an earlier conversation: resume it without forking`);
    if (agentAccess !== undefined && provider.abilities?.background !== true)
      throw new RelayError('unsupported', `${provider.id} cannot run in the background`);
    if (dialIn !== undefined && provider.takesDialIns !== true)
      throw new RelayError('unsupported', `${provider.id} takes no programs that dial in`);
    return provider;
  }

  async #giveTask(hosted: HostedSession, task: string, spawnedBy: string | null): Promise<void> {
    try {
      await hosted.promptTask(task, spawnedBy);
    } catch (error) {
      await hosted.close('It did not take its task');
      throw error;
    }
  }
}

const dialledBy = ({ links }: Pick<DialIn, 'links'>, promptIds: AgentPromptIds): DialIn => ({
  links,
  greeting: () => promptIds.greeting(),
  greeted: (program) => promptIds.greeted(program),
});

const attachOf = ({ attach }: AgentSession) => (attach === undefined ? {} : { attach });
