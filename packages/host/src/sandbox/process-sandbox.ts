import { mkdir, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { SandboxKind } from 'agent-relay-protocol';
import type { ProcessSandbox, SandboxFiles } from 'agent-relay-provider';
import type { SpawnProcessOptions } from 'agent-relay-wire/node';
import { isWithin } from 'agent-relay-wire/node';
import { type AllowedPlace, assertSamePlaces, pinnedPlaces } from './allowed-places.ts';
import { bwrapArguments } from './bwrap.ts';
import { type Mount, mountsOf } from './mounts.ts';
import { assertSame, type PinnedFolder, pinCheck, pinFolder, pinNewFolder } from './pinned-folders.ts';
import { programFiles } from './program-files.ts';
import { seatbeltProfile } from './seatbelt.ts';
import { fileVariables, homeSettings, rootFolders } from './system-files.ts';

export interface ProcessSandboxOptions {
  readonly kind: SandboxKind;
  /** The program that makes it. */
  readonly command: string;
  /** Absolute and resolved. */
  readonly cwd: string;
  readonly home: string;
  /** The folder may only be read. */
  readonly isReadOnly: boolean;
  readonly vendor: SandboxFiles;
  /** What the owner of the machine lets every session read besides. */
  readonly allowed: ReadonlyMap<string, AllowedPlace | null>;
}

/**
 * Puts a session's processes inside: its folder, the system's programs, its vendor's files, and nothing else. Its folder is the one that lies there now:
 * where another does at a later start, nothing is started.
 * @throws RelayError `unsupported` when the folder's name leads elsewhere already.
 */
export async function processSandbox(options: ProcessSandboxOptions): Promise<ProcessSandbox> {
  const { kind, command, cwd } = options;
  const pinned = kind === 'bwrap' ? await pinFolder(cwd) : null;
  return {
    kind,
    confine: async (outside, files = {}) => {
      const allowed = await assertSamePlaces(options.allowed);
      const mounts = await mountsFor(options, outside, { files, allowed });
      const around = pinned === null ? await seatbelt(mounts) : await bwrap(options, mounts, [pinned, ...pinnedPlaces(allowed)]);
      const env = { ...outside.env, ...temporaryFolder(kind, outside.env, mounts) };
      return { ...outside, env, command, args: [...around, outside.command, ...(outside.args ?? [])], sandbox: kind };
    },
  };
}

async function mountsFor(
  { kind, cwd, home, isReadOnly, vendor }: ProcessSandboxOptions,
  { command, env = {} }: SpawnProcessOptions,
  { files, allowed }: { readonly files: SandboxFiles; readonly allowed: readonly AllowedPlace[] },
): Promise<readonly Mount[]> {
  const program = await programFiles(command, { env, home, cwd });
  const named = fileVariables.flatMap((name) => env[name] || []);
  const read = [...program, ...named, ...homeSettings.map((name) => join(home, name)), ...namesOf(allowed)];
  const folder: SandboxFiles = isReadOnly ? { read: [cwd] } : { write: [cwd] };
  // Where nothing forgets what is written, a home is not written at all.
  const scratch: SandboxFiles = kind === 'bwrap' ? { scratch: [home, '/tmp'] } : {};
  return mountsOf([scratch, { read }, vendor, files, folder]);
}

/** Under the owner's names, and where those lead: whatever resolves a name inside finds the same there. */
const namesOf = (allowed: readonly AllowedPlace[]): readonly string[] => [...new Set(allowed.flatMap(({ path, place }) => [path, place]))];

/** It looks where each name leads when it is opened, so that a link takes nobody further. */
async function seatbelt(mounts: readonly Mount[]): Promise<readonly string[]> {
  for (const { path, access } of mounts) if (access === 'write') await mkdir(path, { recursive: true, mode: 0o700 });
  return ['-p', seatbeltProfile({ mounts })];
}

async function bwrap(
  { cwd, home }: ProcessSandboxOptions,
  mounts: readonly Mount[],
  [pinned, ...allowed]: readonly [PinnedFolder, ...PinnedFolder[]],
): Promise<readonly string[]> {
  assertSame(pinned, await pinFolder(cwd));
  const realHome = await realpath(home).catch(() => home);
  const written = mounts.flatMap(({ path, access }) => (access === 'write' && path !== cwd ? [path] : []));
  const folders = [pinned, ...allowed];
  for (const path of written) folders.push(await pinNewFolder(path, isWithin(path, home) ? `${realHome}${path.slice(home.length)}` : path));
  const links = await Promise.all(rootFolders.map(async (path) => [path, await readlink(path).catch(() => null)] as const));
  const rootLinks = Object.fromEntries(links.flatMap(([path, target]) => (target === null ? [] : [[path, target]])));
  return [...bwrapArguments({ cwd, mounts, rootLinks, isRoot: process.getuid?.() === 0 }), ...(await pinCheck(folders))];
}

/** Programs that are told of a folder for temporary files find one. */
function temporaryFolder(
  kind: SandboxKind,
  env: SpawnProcessOptions['env'] = {},
  mounts: readonly Mount[],
): Readonly<Record<string, string>> {
  const { TMPDIR: own } = env;
  const isThere = own !== undefined && mounts.some(({ path, access }) => access !== 'read' && isWithin(own, path));
  if (kind !== 'bwrap' || own === undefined || isThere) return {};
  return { TMPDIR: '/tmp', TMP: '/tmp', TEMP: '/tmp' };
}
