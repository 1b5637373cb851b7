import { constants } from 'node:fs';
import { lstat, mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { SpawnMode } from 'agent-relay-protocol';
import { messageOf } from 'agent-relay-protocol';
import { guardedPart, openBelow, pathInside } from 'agent-relay-provider';
import type { Log } from 'agent-relay-wire';

/** Bounds what a `file_change` carries. */
const longestContent = 4 << 20;

/** The folder of a project below the root; null when the id names the root itself, or what is above it. */
export function projectFolder(root: string, projectId: string): string | null {
  return projectId === '.' || projectId === '..' ? null : join(root, projectId);
}

/** Makes a folder that only this user may look into. */
export async function makeSessionFolder(path: string): Promise<string> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (!(await lstat(path)).isDirectory()) throw new Error(`${path} is not a folder`);
  return realpath(path);
}

export interface WriteFilesOptions {
  readonly cwd: string;
  readonly mode: SpawnMode;
  readonly log: Log;
}

/**
 * Writes a client's files below the folder. Passed over, with a line in the log: what leads outside, through symlinks too; what cannot be written;
 * and, unless the mode allows everything, what would run commands (settings of agents, git hooks).
 */
export async function writeFiles(
  files: readonly { readonly path: string; readonly content: string }[],
  { cwd, mode, log }: WriteFilesOptions,
): Promise<void> {
  for (const { path, content } of files) {
    const refusal = await writeFile(cwd, mode, { path, content });
    if (refusal !== null) log.warn('a file was passed over', { path: path.slice(0, 200), reason: refusal });
  }
}

async function writeFile(cwd: string, mode: SpawnMode, file: { readonly path: string; readonly content: string }): Promise<string | null> {
  if (file.path.includes('\0')) return 'its name is none';
  const inside = pathInside(cwd, file.path);
  if (inside === null || inside === '') return 'it lies outside the folder of the project';
  const guarded = mode === 'unrestricted' ? null : guardedPart(inside);
  if (guarded !== null) return `${guarded} decides what commands run`;
  try {
    const handle = await openBelow(cwd, inside, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC);
    try {
      if (!(await handle.stat()).isFile()) return 'it is no file';
      await handle.writeFile(file.content);
    } finally {
      await handle.close();
    }
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/** The text of a file inside the folder; undefined where it leads outside, is none, or is too long to be sent along. */
export async function readContent(cwd: string, path: string): Promise<string | undefined> {
  try {
    const inside = pathInside(cwd, path);
    if (inside === null || inside === '') return undefined;
    const handle = await openBelow(cwd, inside, constants.O_RDONLY);
    try {
      const stat = await handle.stat();
      return stat.isFile() && stat.size <= longestContent ? await handle.readFile('utf8') : undefined;
    } finally {
      await handle.close();
    }
  } catch {
    return undefined; // gone again, or not to be read: the change is told all the same
  }
}
