import { lstatSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { pathBelow } from 'agent-relay-wire/node';

/**
 * Whether a path, its symlinks resolved, lies inside a folder. What does not exist yet counts as where its nearest existing parent is.
 * Returns the path below the folder, or null when it is outside.
 */
export function pathInside(folder: string, path: string): string | null {
  try {
    return pathBelow(realpathSync(folder), realPathOf(resolve(folder, path)));
  } catch {
    return null; // a loop of links, or a parent that may not be read: then nothing is known about where it leads
  }
}

/**
 * Where an absolute path leads, its symlinks resolved; what does not exist yet lies below where its nearest existing parent leads.
 * @throws Error where a link leads nowhere, or a parent may not be read.
 */
export function realPathOf(path: string): string {
  const missing: string[] = [];
  for (let current = path; ; current = dirname(current)) {
    try {
      return join(realpathSync(current), ...missing);
    } catch (error) {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!isMissing || dirname(current) === current || isDanglingLink(current)) throw error;
      missing.unshift(basename(current));
    }
  }
}

/** A link to what does not exist: writing to it would create its target, wherever that is. */
function isDanglingLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}
