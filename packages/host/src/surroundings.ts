import { join } from 'node:path';
import type { Provider } from 'agent-relay-provider';
import { isWithin } from 'agent-relay-wire/node';
import { agentEnvironment, hookEnvironment, namesInBoth } from './agent-environment.ts';
import { resolveFolder } from './folders.ts';
import { assertHarmless } from './harmful-folder.ts';
import type { HostOptions, StartRequest } from './host-contract.ts';
import { type Chosen, Sandboxes } from './sandbox/sandboxes.ts';
import { stricter } from './sandbox/strictness.ts';

type SurroundingsOptions = Pick<HostOptions, 'stateDir' | 'allowedFolders' | 'env' | 'allowedEnvironment' | 'sandbox' | 'sandboxRead'>;

/** Where an agent is put: its folder, its environment, its sandbox. */
export interface Placed extends Chosen {
  readonly cwd: string;
  readonly env: Record<string, string>;
}

/** What agents of this machine have around them, and where they write. */
export class Surroundings {
  readonly sandboxes: Sandboxes;
  readonly #options: SurroundingsOptions;
  /** The host's, by which the next one finds what this one started. */
  readonly #mark: string;
  readonly #workspacesFolder: string;
  /** In which agents in a sandbox write, or have written: a program there is theirs. */
  readonly #agentFolders = new Set<string>();

  constructor(options: SurroundingsOptions, mark: string) {
    this.#options = options;
    this.#mark = mark;
    const { stateDir, allowedFolders, env, sandbox: request, sandboxRead: allowed } = options;
    this.#workspacesFolder = join(stateDir, 'workspaces');
    this.sandboxes = new Sandboxes({ env, request, allowed, platform: process.platform });
    for (const folder of [...allowedFolders, this.#workspacesFolder]) this.#distrust(folder);
  }

  /** What the hooks of this machine's owner get. */
  ofHooks(): ReturnType<typeof hookEnvironment> {
    return hookEnvironment(this.#options.env, { mark: this.#mark, agentFolders: [...this.#agentFolders] });
  }

  /** What a program of this provider gets; an agent's also says whose it is. */
  environmentFor(
    provider: Provider,
    agent?: { readonly sessionId: string; readonly agentId: string },
    ownersNames?: readonly string[],
  ): Record<string, string> {
    const { env, allowedEnvironment: allowed = [] } = this.#options;
    return agentEnvironment(env, {
      mark: this.#mark,
      provider,
      allowed: ownersNames === undefined ? allowed : namesInBoth(Object.keys(env), allowed, ownersNames),
      agentFolders: [...this.#agentFolders],
      ...(agent && { agent }),
    });
  }

  /** @throws RelayError when the folder or the sandbox that is asked for cannot be had. */
  async placeFor(request: StartRequest, provider: Provider): Promise<Placed> {
    const { session, mode, owner = {}, dialIn } = request;
    const { sessionId, agentId } = session;
    const cwd = dialIn === undefined ? await this.#folderFor(request) : (request.cwd ?? '/');
    const env = this.environmentFor(provider, { sessionId, agentId }, owner.environment);
    // Its program runs already, wherever that is.
    if (dialIn !== undefined) return { cwd, env, sandbox: null };
    const asked = stricter(request.sandbox ?? 'none', owner.sandbox ?? 'none');
    const chosen = await this.sandboxes.choose({ asked, provider, mode, cwd, env });
    await assertHarmless({
      ...{ cwd, mode, isInSandbox: chosen.sandbox !== null, workspacesFolder: this.#workspacesFolder },
      listed: [...this.#options.allowedFolders, ...(owner.folders?.allowed ?? [])],
      ownersFiles: owner.files ?? [],
    });
    if (chosen.sandbox !== null) this.#distrust(cwd);
    return { cwd, env, ...chosen };
  }

  #folderFor({ session: { agentId, sessionId }, cwd, within, owner }: StartRequest): Promise<string> {
    const { allowedFolders } = this.#options;
    for (const folder of owner?.folders?.allowed ?? []) this.#distrust(folder);
    const ownersFolders = owner?.folders ?? null;
    return resolveFolder({ agentId, sessionId, cwd, within, allowedFolders, ownersFolders, workspacesFolder: this.#workspacesFolder });
  }

  /** Not one that holds the home folder: the user's own programs lie there. */
  #distrust(folder: string): void {
    const { HOME: home } = this.#options.env;
    if (home === undefined || !isWithin(home, folder)) this.#agentFolders.add(folder);
  }
}
