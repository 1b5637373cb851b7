import { access, constants, readFile, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { messageOf, RelayError, type SandboxKind, type SandboxRequest, type SpawnMode } from 'agent-relay-protocol';
import type { ProcessSandbox, Provider } from 'agent-relay-provider';
import { isWithin, lastWords, spawnProcess } from 'agent-relay-wire/node';
import { type AllowedPlace, allowedPlaces, assertSamePlaces } from './allowed-places.ts';
import { bwrapProbe, bwrapRefusal } from './bwrap.ts';
import { processSandbox } from './process-sandbox.ts';
import { kindOf, stricter } from './strictness.ts';

export interface SandboxesOptions {
  /** What every session of this machine is put in at least. Default none. */
  readonly request?: SandboxRequest | undefined;
  /** Files and folders that every session may read besides. */
  readonly allowed?: readonly string[] | undefined;
  /** Of this process; `AGENT_RELAY_BWRAP` names the `bwrap` of a machine that has it elsewhere than the system's folders. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
}

export interface SandboxWish {
  readonly asked: SandboxRequest | undefined;
  readonly provider: Pick<Provider, 'id' | 'name' | 'sandboxFiles'>;
  readonly mode: SpawnMode;
  /** Absolute and resolved. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What a session is put in: null is none, with the reason where one was wanted. */
export interface Chosen {
  readonly sandbox: ProcessSandbox | null;
  readonly reason?: string;
}

type Found = { readonly kind: SandboxKind; readonly command: string } | { readonly reason: string };

/** The sandboxes of this machine. */
export class Sandboxes {
  readonly #options: SandboxesOptions;
  readonly #allowed: Promise<ReadonlyMap<string, AllowedPlace | null>>;
  #found: Promise<Found> | null = null;

  constructor(options: SandboxesOptions) {
    this.#options = options;
    this.#allowed = allowedPlaces(options.allowed ?? []);
  }

  /** Which sandboxes agents of this kind can be put in here. */
  async kinds({ sandboxFiles }: Pick<Provider, 'sandboxFiles'>): Promise<readonly SandboxKind[]> {
    if (sandboxFiles === undefined) return [];
    const found = await this.#look();
    return 'kind' in found ? [found.kind] : [];
  }

  /** @throws RelayError `unsupported` when the sandbox that was asked for cannot be had: never is a session started without instead. */
  async choose(wish: SandboxWish): Promise<Chosen> {
    const request = stricter(wish.asked ?? 'none', this.#options.request ?? 'none');
    if (request === 'none') return { sandbox: null };
    const { reason, sandbox } = await this.#sandboxFor(wish, request);
    if (sandbox !== null) return { sandbox };
    if (request === 'auto') return { sandbox: null, reason };
    throw refusal(reason);
  }

  /** The sandbox of this machine's system, whoever asks for one; null where it has none. */
  async ofSystem(): Promise<SandboxKind | null> {
    const found = await this.#look();
    return 'kind' in found ? found.kind : null;
  }

  /** @throws RelayError `unsupported` when every session of this machine would be refused. */
  async assertPossible(): Promise<void> {
    const { request = 'none' } = this.#options;
    if (request === 'none' || request === 'auto') return;
    const found = await this.#look();
    const reason = 'reason' in found ? found.reason : otherThan(found.kind, request);
    if (reason !== null) throw refusal(reason);
  }

  async #sandboxFor(
    wish: SandboxWish,
    request: SandboxRequest,
  ): Promise<{ readonly sandbox: ProcessSandbox | null; readonly reason: string }> {
    const { provider, cwd, env, mode } = wish;
    const no = (reason: string) => ({ sandbox: null, reason });
    if (provider.sandboxFiles === undefined)
      return no(`${provider.name ?? provider.id} cannot be put in a sandbox: it does not say which files it needs`);
    const found = await this.#look();
    if ('reason' in found) return no(found.reason);
    const other = otherThan(found.kind, request);
    if (other !== null) return no(other);
    const said = env['HOME'] || homedir();
    const home = await realpath(said).catch(() => said);
    if (isWithin(home, cwd)) return no(`The folder ${cwd} holds the home folder: a sandbox needs one of the session's own`);
    const allowed = await this.#allowed;
    await assertSamePlaces(allowed);
    const vendor = provider.sandboxFiles({ cwd, env });
    return { sandbox: await processSandbox({ ...found, cwd, home: said, isReadOnly: mode === 'safe', vendor, allowed }), reason: '' };
  }

  /** A machine that can does not forget how; one that cannot is asked again each time. */
  #look(): Promise<Found> {
    if (this.#found !== null) return this.#found;
    const looked = lookFor(this.#options).catch(
      (error: unknown): Found => ({ reason: `The sandbox of this system cannot be tried: ${messageOf(error)}` }),
    );
    this.#found = looked;
    void looked.then((answer) => {
      if ('reason' in answer) this.#found = null;
    });
    return looked;
  }
}

const refusal = (reason: string): RelayError => new RelayError('unsupported', reason, { issues: [{ path: 'sandbox', message: reason }] });

const otherThan = (kind: SandboxKind, request: SandboxRequest): string | null =>
  (request === 'bwrap' || request === 'seatbelt') && request !== kind ? `This machine has the sandbox ${kind}, and not ${request}` : null;

async function lookFor({ platform, env }: SandboxesOptions): Promise<Found> {
  const kind = kindOf(platform);
  if (kind === null) return { reason: 'There is no sandbox for agents on this system' };
  const name = kind === 'bwrap' ? 'bwrap' : 'sandbox-exec';
  const { AGENT_RELAY_BWRAP: named = '' } = env;
  const command = kind === 'bwrap' && named !== '' ? await runnable(named) : await systemProgram(name);
  if (command === undefined) {
    const how =
      kind === 'bwrap' ? 'install bubblewrap (apt install bubblewrap, dnf install bubblewrap)' : 'it comes with macOS, in /usr/bin';
    const where = named === '' ? systemPrograms.join(', ') : named;
    return { reason: `${name} is not there, which makes sandboxes: ${how}; looked for in ${where}` };
  }
  if (kind === 'seatbelt') return { kind, command };
  const child = await spawnProcess({ command, args: bwrapProbe, env: { PATH: env['PATH'] }, stdin: 'ignore', stdout: 'ignore' });
  const { code } = await child.exited;
  await child.kill();
  if (code === 0) return { kind, command };
  return { reason: bwrapRefusal(lastWords(child), await kernelSettings()) };
}

const systemPrograms: readonly string[] = ['/usr/bin', '/bin', '/usr/local/bin', '/run/current-system/sw/bin'];

/** Not by `PATH`, in which an agent's folder may stand: what makes the sandbox runs outside of it. */
async function systemProgram(name: string): Promise<string | undefined> {
  for (const folder of systemPrograms) {
    const path = await runnable(join(folder, name));
    if (path !== undefined && (await isRoots(path))) return path;
  }
  return undefined;
}

async function isRoots(path: string): Promise<boolean> {
  const { uid, mode } = await stat(path);
  return uid === 0 && (mode & 0o022) === 0;
}

/** Without its links, where it may be run. */
async function runnable(path: string): Promise<string | undefined> {
  try {
    const real = await realpath(path);
    await access(real, constants.X_OK);
    return real;
  } catch {
    return undefined;
  }
}

async function kernelSettings() {
  const read = (name: string) =>
    readFile(`/proc/sys/kernel/${name}`, 'utf8').then(
      (text) => text.trim(),
      () => '',
    );
  const [apparmor, clone] = await Promise.all([read('apparmor_restrict_unprivileged_userns'), read('unprivileged_userns_clone')]);
  return { apparmorRestricts: apparmor === '1', unprivilegedClone: clone !== '0' };
}
