import { dirname } from 'node:path';
import type { SandboxFiles } from 'agent-relay-provider';
import { isWithin } from 'agent-relay-wire/node';

/** What may be done below a path: nothing that stays, reading, or writing. */
export type MountAccess = 'scratch' | 'read' | 'write';

export interface Mount {
  readonly path: string;
  readonly access: MountAccess;
}

/** In which order they count where one path is named twice: a credential stays what it is although its folder may be written. */
const order: readonly MountAccess[] = ['scratch', 'write', 'read'];

/** Every path once, what lies in another behind that one. What may be read anyway is not named again: a link in such a folder is no place to mount at. */
export function mountsOf(all: readonly SandboxFiles[]): readonly Mount[] {
  const byPath = new Map<string, MountAccess>();
  for (const access of order) for (const files of all) for (const path of files[access] ?? []) byPath.set(withoutSlash(path), access);
  const mounts: Mount[] = [];
  for (const [path, access] of [...byPath].sort(([one], [other]) => (parts(one) < parts(other) ? -1 : 1))) {
    const around = mounts.findLast((mount) => isWithin(path, mount.path));
    if (access !== 'read' || around?.access !== 'read') mounts.push({ path, access });
  }
  return mounts;
}

const withoutSlash = (path: string): string => (path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path);
/** Compares folder by folder: `/a/b` comes before `/a-b`, which lies beside it. */
const parts = (path: string): string => path.replaceAll('/', '\0');

/** The folders above a path, the nearest first. */
export function ancestors(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === path ? [] : [parent, ...ancestors(parent)];
}
