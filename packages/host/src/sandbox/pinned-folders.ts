import { constants } from 'node:fs';
import { mkdir, open, readlink, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { RelayError } from 'agent-relay-protocol';
import { findExecutable } from 'agent-relay-wire/node';

/** A folder as it was found: by the time it is mounted, its name may lead elsewhere. */
export interface PinnedFolder {
  readonly path: string;
  /** Device and inode, as `stat -c %d:%i` says them. */
  readonly identity: string;
}

const moved = (path: string): RelayError =>
  new RelayError(
    'unsupported',
    `The folder ${path} is a link, lies behind one or is another than before: no agent is let into it in a sandbox`,
  );

/**
 * The folder that lies at a name now, where `realName` is the name without the links that were there before any agent.
 * @throws RelayError `unsupported` when the name leads elsewhere.
 */
export async function pinFolder(path: string, realName = path): Promise<PinnedFolder> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY).catch(() => null);
  if (folder === null) throw moved(path);
  try {
    // Of the folder that is open: a link that is put there meanwhile changes neither.
    const { dev, ino } = await folder.stat({ bigint: true });
    const opened = await readlink(`/proc/self/fd/${folder.fd}`).catch(() => realpath(path));
    if (opened !== realName) throw moved(path);
    return { path, identity: `${dev}:${ino}` };
  } finally {
    await folder.close();
  }
}

/** The same, of a folder that is made where it is missing, and not behind a link. */
export async function pinNewFolder(path: string, realName: string): Promise<PinnedFolder> {
  const there = await deepest(realName);
  if ((await realpath(there)) !== there) throw moved(path);
  // Its owner's alone, as its vendor would have made it.
  await mkdir(path, { recursive: true, mode: 0o700 });
  return pinFolder(path, realName);
}

/** @throws RelayError `unsupported` when another folder lies there now. */
export function assertSame(before: PinnedFolder, now: PinnedFolder): void {
  if (before.identity !== now.identity) throw moved(before.path);
}

async function deepest(path: string): Promise<string> {
  const isThere = await realpath(path).then(
    () => true,
    () => false,
  );
  return isThere || dirname(path) === path ? path : deepest(dirname(path));
}

const script = `while [ "$1" != -- ]; do
  [ "$("$0" -c %d:%i "$1")" = "$2" ] || { echo "The folder $1 is another than before: nothing was started in it" >&2; exit 126; }
  shift 2
done
shift
exec "$@"`;

/** Ahead of a command, inside: starts it only where what was mounted is what was pinned. */
export async function pinCheck(folders: readonly PinnedFolder[]): Promise<readonly string[]> {
  const found = await findExecutable('stat', { env: {}, path: ['/usr/bin', '/bin', '/run/current-system/sw/bin'] });
  if (found === undefined) throw new RelayError('unsupported', 'The program stat is not there, by which a sandbox looks what it was given');
  // What `/run` leads to is seen inside under its own name alone.
  return [
    '/bin/sh',
    '-c',
    script,
    found.startsWith('/run/') ? await realpath(found) : found,
    ...folders.flatMap(({ path, identity }) => [path, identity]),
    '--',
  ];
}
