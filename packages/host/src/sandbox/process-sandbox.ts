import { mkdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { SandboxKind } from 'agent-relay-protocol';
import type { ProcessSandbox, SandboxFiles } from 'agent-relay-provider';
import type { SpawnProcessOptions } from 'agent-relay-wire/node';
import { bwrapArguments } from './bwrap.ts';
import { isBelow, type Mount, mountsOf } from './mounts.ts';
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
  readonly allowed: readonly string[];
}

/** Puts a session's processes inside: its folder, the system's programs, its vendor's files, and nothing else. */
export function processSandbox(options: ProcessSandboxOptions): ProcessSandbox {
  const { kind, command } = options;
  return {
    kind,
    confine: async (outside, files = {}) => {
      const mounts = await mountsFor(options, outside, files);
      // A new folder is its owner's alone, as its vendor would have made it.
      for (const { path, access } of mounts) if (access === 'write') await mkdir(path, { recursive: true, mode: 0o700 });
      const args = kind === 'bwrap' ? await bwrap(options, mounts) : ['-p', seatbeltProfile({ mounts })];
      const env = { ...outside.env, ...temporaryFolder(kind, outside.env, mounts) };
      return { ...outside, env, command, args: [...args, outside.command, ...(outside.args ?? [])], sandbox: kind };
    },
  };
}

async function mountsFor(
  { kind, cwd, home, isReadOnly, vendor, allowed }: ProcessSandboxOptions,
  { command, env = {} }: SpawnProcessOptions,
  files: SandboxFiles,
): Promise<readonly Mount[]> {
  const program = await programFiles(command, { env, home, cwd });
  const named = fileVariables.flatMap((name) => env[name] || []);
  const read = [...program, ...named, ...homeSettings.map((name) => join(home, name)), ...allowed];
  const folder: SandboxFiles = isReadOnly ? { read: [cwd] } : { write: [cwd] };
  // Where nothing forgets what is written, a home is not written at all.
  const scratch: SandboxFiles = kind === 'bwrap' ? { scratch: [home, '/tmp'] } : {};
  return mountsOf([scratch, { read }, vendor, files, folder]);
}

async function bwrap({ cwd }: ProcessSandboxOptions, mounts: readonly Mount[]): Promise<readonly string[]> {
  const links = await Promise.all(rootFolders.map(async (path) => [path, await readlink(path).catch(() => null)] as const));
  const rootLinks = Object.fromEntries(links.flatMap(([path, target]) => (target === null ? [] : [[path, target]])));
  return bwrapArguments({ cwd, mounts, rootLinks, isRoot: process.getuid?.() === 0 });
}

/** Programs that are told of a folder for temporary files find one. */
function temporaryFolder(
  kind: SandboxKind,
  env: SpawnProcessOptions['env'] = {},
  mounts: readonly Mount[],
): Readonly<Record<string, string>> {
  const { TMPDIR: own } = env;
  const isThere = own !== undefined && mounts.some(({ path, access }) => access !== 'read' && isBelow(own, path));
  if (kind !== 'bwrap' || own === undefined || isThere) return {};
  return { TMPDIR: '/tmp', TMP: '/tmp', TEMP: '/tmp' };
}
