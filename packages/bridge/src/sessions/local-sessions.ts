import { randomUUID } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { agentEnvironment, type HeldProcesses, heldProcesses, type ProcessRegister, type Sandboxes } from 'agent-relay-host';
import { RelayError } from 'agent-relay-protocol';
import type { AgentSession, Provider } from 'agent-relay-provider';
import type { Log } from 'agent-relay-wire';
import type { FoundProvider, SessionRequest, SessionSource } from './session-source.ts';

export interface LocalSessionsOptions {
  readonly providers: readonly Provider[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Further variables that agents get; `X_*` is every name that begins so. */
  readonly allowedEnvironment: readonly string[];
  /** Absolute: agents write below it, so that no program is looked for there. */
  readonly agentFolder: string;
  /** What was started is written down there, so that the next run ends what a crash left behind. */
  readonly register: ProcessRegister;
  readonly sandboxes: Sandboxes;
  readonly log: Log;
  readonly now: () => number;
}

/** How long an answer to "is it installed?" holds. */
const detectedForMs = 60_000;

/** Sessions of this machine's own providers. */
export class LocalSessions implements SessionSource {
  readonly #options: LocalSessionsOptions;
  /** In which agents in a sandbox write, or have written: a program there is theirs. */
  readonly #agentFolders: Set<string>;
  #detected: { readonly at: number; readonly found: readonly Promise<FoundProvider>[] } | undefined;

  constructor(options: LocalSessionsOptions) {
    this.#options = options;
    this.#agentFolders = new Set([options.agentFolder]);
  }

  get providers(): readonly string[] {
    return this.#options.providers.map(({ id }) => id);
  }

  detect(): Promise<readonly FoundProvider[]> {
    return Promise.all(this.#found());
  }

  hasAny(): Promise<boolean> {
    const available = this.#found().map(async (each) => {
      const { found } = await each;
      if (!found.available) throw new Error(found.reason);
    });
    return Promise.any(available).then(
      () => true,
      () => false,
    );
  }

  async start(request: SessionRequest): Promise<AgentSession> {
    const { register } = this.#options;
    const provider = this.#options.providers.find(({ id }) => id === request.provider);
    if (!provider) throw new RelayError('provider_unavailable', `This machine has no provider ${request.provider}`);
    const sessionId = randomUUID();
    const agent = { sessionId, agentId: request.projectId ?? sessionId };
    const { cwd, mode, model, instructions, resume, ask, extraArgs = [], signal } = request;
    const env = { ...this.#environment(provider, agent), ...request.env };
    const held = await this.#held(provider, request, { sessionId, env });
    try {
      const session = await provider.start({
        ...agent,
        ...{ cwd, mode, instructions, signal, approval: 'open', mcp: [], whenUnread: 'wait' },
        ...(ask === undefined ? {} : { ask }),
        ...(extraArgs.length === 0 ? {} : { extraArgs }),
        ...(model === undefined ? {} : { model }),
        ...(resume === undefined || provider.resumes !== true ? {} : { resume }),
        ...(held.sandbox && { sandbox: held.sandbox }),
        ...{ env, onProcess: held.onProcess },
      });
      const ending = endingAll(session, () => register.endSession(sessionId));
      try {
        signal.throwIfAborted();
        held.assertHeld();
      } catch (error) {
        await ending.close();
        throw error;
      }
      return ending;
    } catch (error) {
      await register.endSession(sessionId);
      throw error;
    }
  }

  async close(): Promise<void> {
    const { providers, register, log } = this.#options;
    for (const result of await Promise.allSettled(providers.map((provider) => provider.close())))
      if (result.status === 'rejected') log.warn('a provider could not be closed', { error: result.reason });
    await register.endAll();
  }

  async #held(
    provider: Provider,
    { cwd, mode }: SessionRequest,
    { sessionId, env }: { readonly sessionId: string; readonly env: Readonly<Record<string, string>> },
  ): Promise<HeldProcesses> {
    const { sandboxes, register, log } = this.#options;
    const folder = await realpath(cwd);
    const { sandbox, reason } = await sandboxes.choose({ asked: undefined, provider, mode, cwd: folder, env });
    // One that holds the home folder has been refused.
    if (sandbox !== null) this.#agentFolders.add(folder);
    if (reason !== undefined) log.warn('an agent is started without a sandbox', { provider: provider.id, reason });
    return heldProcesses(sandbox, { provider: provider.id, onProcess: (owned) => register.add(sessionId, owned, provider.id) });
  }

  #found(): readonly Promise<FoundProvider>[] {
    const { providers, now } = this.#options;
    const at = now();
    if (this.#detected === undefined || at - this.#detected.at > detectedForMs) {
      const look = async (provider: Provider) => ({ id: provider.id, found: await provider.detect(this.#environment(provider)) });
      this.#detected = { at, found: providers.map(look) };
    }
    return this.#detected.found;
  }

  #environment(provider: Provider, agent?: { readonly sessionId: string; readonly agentId: string }): Record<string, string> {
    const { env, allowedEnvironment: allowed, register } = this.#options;
    return agentEnvironment(env, {
      mark: register.mark,
      provider,
      allowed,
      agentFolders: [...this.#agentFolders],
      ...(agent && { agent }),
    });
  }
}

/** Whatever ends it, nothing that ran for it is left, though it left its tree. */
function endingAll(session: AgentSession, endProcesses: () => Promise<void>): AgentSession {
  let closing: Promise<void> | undefined;
  const closeAll = async () => {
    try {
      await session.close();
    } finally {
      await endProcesses();
    }
  };
  const close = () => {
    closing ??= closeAll();
    return closing;
  };
  return {
    get vendorSessionId() {
      return session.vendorSessionId;
    },
    get model() {
      return session.model;
    },
    events: session.events,
    prompt: (input, options) => session.prompt(input, options),
    interrupt: () => session.interrupt(),
    resolveApproval: async (approvalId, decision) => (await session.resolveApproval?.(approvalId, decision)) ?? false,
    close,
  };
}
