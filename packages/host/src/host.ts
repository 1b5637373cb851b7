import { join } from 'node:path';
import {
  type ApprovalMode,
  type ConfiguredHook,
  type DeliveryReport,
  type HookResult,
  type InboxItem,
  type NodeProvider,
  type RecentHookResult,
  RelayError,
  type SandboxRequest,
  type Session,
  type SpawnMode,
} from 'agent-relay-protocol';
import {
  type AgentSession,
  type ApprovalDecision,
  type BackgroundStart,
  type DialIn,
  isMailRestricted,
  type McpEndpoint,
  type Provider,
} from 'agent-relay-provider';
import { type Log, withTimeout } from 'agent-relay-wire';
import { ActivityBuffer } from './activity-buffer.ts';
import { agentEnvironment, hookEnvironment, namesInBoth } from './agent-environment.ts';
import { Catalogue } from './catalogue.ts';
import { isWithin, resolveFolder } from './folders.ts';
import { Hooks } from './hooks/hooks.ts';
import type { HostRelay, SessionIdentity } from './host-relay.ts';
import { HostedSession, type HostedSessionOptions } from './hosted-session.ts';
import { standingInstructions } from './instructions.ts';
import { MailEvidence } from './mail-evidence.ts';
import { type EndJob, ProcessRegister } from './process-register.ts';
import type { ProgressLimits } from './progress-watch.ts';
import { PromptIds } from './prompt-ids.ts';
import { reservedFiles } from './reserved-files.ts';
import { heldProcesses } from './sandbox/held-processes.ts';
import { Sandboxes } from './sandbox/sandboxes.ts';
import { stricter } from './sandbox/strictness.ts';

export interface HostOptions {
  readonly providers: readonly Provider[];
  /** Where the process register, unsent activity and fresh working folders live. One host at a time. */
  readonly stateDir: string;
  /** Folders agents may work in; empty allows any that exists. Fresh folders of the host's own are always allowed. */
  readonly allowedFolders: readonly string[];
  readonly relay: HostRelay;
  readonly log: Log;
  readonly clock: { now(): number };
  /** What the agents' environment is made from: what every program needs, what their provider names, and `allowedEnvironment`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Further variables that every agent of this machine gets; `X_*` is every name that begins so. */
  readonly allowedEnvironment?: readonly string[];
  /** How long a start may take. Default 80 000. */
  readonly startLimitMs?: number;
  readonly progress?: ProgressLimits;
  /** How long agents wait for a person's answer. Default ten minutes. */
  readonly approvalTimeoutMs?: number;
  /** What every agent of this machine is put in at least. Default none. */
  readonly sandbox?: SandboxRequest;
  /** Files and folders that agents in a sandbox may read besides. */
  readonly sandboxRead?: readonly string[];
  /** What this machine does when something happens to its agents, as it stands now. Default nothing. */
  readonly hooks?: () => readonly ConfiguredHook[];
}

/** What the owner of a machine keeps a start to, beside what the host was made with: the stricter counts. */
export interface OwnerLimits {
  /** Agents work there and below, or in a fresh folder; `where` is said when one is refused. */
  readonly folders?: { readonly allowed: readonly string[]; readonly where: string };
  readonly sandbox?: SandboxRequest;
  /** Variables that agents get besides; `X_*` is every name that begins so. */
  readonly environment?: readonly string[];
}

export interface StartRequest {
  readonly session: Session;
  readonly task: string | null;
  readonly cwd: string | null;
  readonly within: string | null;
  readonly mode: SpawnMode;
  readonly approval: ApprovalMode;
  readonly model: string | null;
  /** The vendor's own id of a stored conversation that the session goes on with. */
  readonly resume?: string | undefined;
  /** With `resume`: a copy is gone on with. */
  readonly fork?: boolean | undefined;
  /** With a session in the background: what its agent reaches the relay with. */
  readonly agentAccess?: BackgroundStart['relay'] | undefined;
  /** The machine's own wish counts where it is stricter. */
  readonly sandbox?: SandboxRequest | undefined;
  readonly owner?: OwnerLimits | undefined;
  readonly mcp: readonly McpEndpoint[];
  /** Its program runs already, wherever that is, and dialled in. */
  readonly dialIn?: DialIn | undefined;
}

export interface StartedSession {
  readonly cwd: string;
  readonly vendorSessionId: string | null;
  readonly model: string | null;
  /** It goes on with the conversation that was asked for. */
  readonly resumed: boolean;
  /** It goes on with a copy. */
  readonly forked: boolean;
  /** It runs in the background: how a person opens it there. */
  readonly attach?: string;
  readonly sandbox: Session['sandbox'];
  /** Why there is none although one was wanted. */
  readonly sandboxReason?: string;
}

export interface RunningSession extends SessionIdentity {
  readonly presence: 'idle' | 'busy';
  /** It runs in the background: what runs beside it is its deliverer. */
  readonly fetchesItsMail: boolean;
  readonly lastSeq: number;
}

/** Owns the sessions that run on this machine. */
export interface Host {
  /** What this machine has, looked for anew where the last look is older than `maxAgeMs` (default 0). */
  detect(maxAgeMs?: number): Promise<readonly NodeProvider[]>;
  /** Looks for one vendor's program again. @throws RelayError `not_found` when this machine has no such provider. */
  detectOne(id: string): Promise<NodeProvider>;
  /** Resolves when the agent is ready and has its task. @throws RelayError with the provider's or the folder's own sentence. */
  start(request: StartRequest): Promise<StartedSession>;
  readonly running: readonly RunningSession[];
  /** How many run, or are being started. */
  readonly load: number;
  /** Whether a session runs here or is being started. */
  has(sessionId: string): boolean;
  /** Buffers the relay may not have whole yet: of running sessions, ended ones, and those an earlier process left behind. */
  readonly buffers: readonly ActivityBuffer[];
  /** The relay has all of a session that is over: its buffer may go. Ignored while the session runs. */
  forget(sessionId: string): void;
  deliver(sessionId: string, items: readonly InboxItem[]): void;
  /** The relay takes this session's words again: tries whatever waits. */
  wake(sessionId: string): void;
  /** False when no turn was running. @throws RelayError `not_found`. */
  interrupt(sessionId: string): Promise<boolean>;
  /** Hands a person's answer to a session; false when it does not wait for it (any more), or does not run here. */
  resolveApproval(sessionId: string, approvalId: string, decision: ApprovalDecision): Promise<boolean>;
  /** The last runs of this machine's hooks, oldest first. */
  readonly recentHookRuns: readonly RecentHookResult[];
  /** Tries one of this machine's hooks; see `Hooks.test`. */
  testHook(name: string, fields: Readonly<Record<string, string>>): Promise<HookResult>;
  /** Ends a session with its whole process tree; resolves when it is gone. A session that is not here is gone already. */
  release(sessionId: string, reason: string): Promise<void>;
  /** Releases everything and closes the providers. Idempotent. */
  close(reason: string): Promise<void>;
}

/** Ends jobs by what their providers know of ending them. */
export const endJobs =
  ({ providers, env }: Pick<HostOptions, 'providers' | 'env'>): EndJob =>
  async (id, jobId) => {
    const provider = providers.find((each) => each.id === id);
    if (provider) await provider.endJob?.(jobId, agentEnvironment(env, { mark: '', provider }));
  };

/** Ends what an earlier process left running, then answers the host. */
export async function createHost(options: HostOptions): Promise<Host> {
  const register = new ProcessRegister(options.stateDir, options.log, endJobs(options));
  const ended = await register.reap();
  if (ended > 0) options.log.warn('ended processes that an earlier run had left behind', { ended });
  const leftBehind = ActivityBuffer.recover(options.stateDir);
  for (const buffer of leftBehind) {
    void options.relay.report(buffer.owner, takeOver(buffer, options.clock.now()));
  }
  return new SessionHost(options, register, leftBehind);
}

/**
 * Ends a session that an earlier process left behind, and answers what its runtime had confirmed: the relay may have been away ever since, and
 * would give the same mail to the next session as though nobody had read it. A process that is killed before the relay has its word leaves it to the next.
 */
function takeOver(buffer: ActivityBuffer, now: number): readonly DeliveryReport[] {
  if (buffer.lastEvent?.type !== 'session.ended')
    buffer.append({ type: 'session.ended', reason: 'lost', detail: 'relay-connect ended unexpectedly' }, now);
  const evidence = new MailEvidence();
  return buffer.next(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY).flatMap(({ event }) => evidence.observe(event));
}

class SessionHost implements Host {
  readonly #options: HostOptions;
  readonly #register: ProcessRegister;
  readonly #sessions = new Map<string, HostedSession>();
  readonly #buffers = new Map<string, ActivityBuffer>();
  readonly #promptIds: PromptIds;
  readonly #catalogue: Catalogue;
  readonly #sandboxes: Sandboxes;
  readonly #hooks: Hooks;
  /** In which agents in a sandbox write, or have written: a program there is theirs. */
  readonly #agentFolders = new Set<string>();
  readonly #starting = new Map<string, { readonly abort: AbortController; readonly done: Promise<unknown> }>();
  #closing: Promise<void> | null = null;

  constructor(options: HostOptions, register: ProcessRegister, leftBehind: readonly ActivityBuffer[]) {
    this.#options = options;
    this.#register = register;
    this.#promptIds = new PromptIds(options.stateDir, options.log);
    const { clock, env, sandbox: request, sandboxRead: allowed } = options;
    this.#sandboxes = new Sandboxes({ env, request, allowed, platform: process.platform });
    const kindsOf = (provider: Provider) => this.#sandboxes.kinds(provider);
    this.#catalogue = new Catalogue({ clock, kindsOf, environmentFor: (provider) => this.#environmentFor(provider) });
    this.#hooks = new Hooks({
      current: options.hooks ?? (() => []),
      env: () => hookEnvironment(env, { mark: register.mark, agentFolders: [...this.#agentFolders] }),
      now: () => clock.now(),
      log: options.log,
    });
    for (const buffer of leftBehind) this.#buffers.set(buffer.owner.sessionId, buffer);
    for (const folder of [...options.allowedFolders, join(options.stateDir, 'workspaces')]) this.#distrust(folder);
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

  async resolveApproval(sessionId: string, approvalId: string, decision: ApprovalDecision): Promise<boolean> {
    return (await this.#sessions.get(sessionId)?.resolveApproval(approvalId, decision)) ?? false;
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
    const { stateDir, log, relay, approvalTimeoutMs } = this.#options;
    const provider = this.#providerFor(request);
    const cwd = dialIn === undefined ? await this.#folderFor(request) : (request.cwd ?? '/');
    const { owner = {} } = request;
    const env = this.#environmentFor(provider, { sessionId, agentId }, owner.environment);
    const asked = stricter(request.sandbox ?? 'none', owner.sandbox ?? 'none');
    const { sandbox, reason } = dialIn
      ? { sandbox: null, reason: undefined }
      : await this.#sandboxes.choose({ asked, provider, mode, cwd, env });
    if (sandbox !== null) this.#distrust(cwd);
    const held = heldProcesses(sandbox, { provider: provider.id, onProcess: (owned) => this.#register.add(sessionId, owned, provider.id) });
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
      ...(dialIn === undefined ? {} : { dialIn }),
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
      promptIds: dialIn && this.#promptIds.of(agentId, { isContinued: runtime.isContinued ?? false, program: runtime.program }),
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

  #folderFor({ session: { agentId, sessionId }, cwd, within, owner }: StartRequest): Promise<string> {
    const { stateDir, allowedFolders } = this.#options;
    for (const folder of owner?.folders?.allowed ?? []) this.#distrust(folder);
    const workspacesFolder = join(stateDir, 'workspaces');
    return resolveFolder({ agentId, sessionId, cwd, within, allowedFolders, ownersFolders: owner?.folders ?? null, workspacesFolder });
  }

  #environmentFor(
    provider: Provider,
    agent?: { readonly sessionId: string; readonly agentId: string },
    ownersNames?: readonly string[],
  ): Record<string, string> {
    const { env, allowedEnvironment: allowed = [] } = this.#options;
    return agentEnvironment(env, {
      mark: this.#register.mark,
      provider,
      allowed: ownersNames === undefined ? allowed : namesInBoth(Object.keys(env), allowed, ownersNames),
      agentFolders: [...this.#agentFolders],
      ...(agent && { agent }),
    });
  }

  /** Not one that holds the home folder: the user's own programs lie there. */
  #distrust(folder: string): void {
    const { HOME: home } = this.#options.env;
    if (home === undefined || !isWithin(home, folder)) this.#agentFolders.add(folder);
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

const attachOf = ({ attach }: AgentSession) => (attach === undefined ? {} : { attach });
