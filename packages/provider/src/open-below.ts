import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';

const { O_RDONLY, O_CREAT, O_DIRECTORY = 0, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;

/** A folder that is open, and where it lies. */
interface OpenFolder {
  readonly handle: FileHandle;
  readonly path: string;
}

/**
 * Opens what `pathInside` found at a place below a folder. No link is followed, on the way or at the end: whoever puts one there after that look opens
 * nothing with it. Waits for no pipe's other end.
 *
 * @param inside relative to the folder, as `pathInside` answered it; not empty.
 * @param flags as `fs.open` takes them. With `O_CREAT` the folders on the way are made as well.
 * @throws the system's error: `ELOOP` or `ENOTDIR` where a link lies now.
 */
export async function openBelow(folder: string, inside: string, flags: number): Promise<FileHandle> {
  const names = inside.split(sep);
  const last = names.pop() ?? '';
  let place = await openFolder(await realpath(folder));
  try {
    for (const name of names) {
      const path = join(place.path, name);
      if ((flags & O_CREAT) !== 0) await mkdir(entryOf(place, name)).catch(ignoreExisting);
      const next = await openFolder(path, entryOf(place, name));
      await place.handle.close();
      place = next;
    }
    return await open(entryOf(place, last), flags | O_NOFOLLOW | O_NONBLOCK, 0o644);
  } finally {
    await place.handle.close();
  }
}

async function openFolder(path: string, name = path): Promise<OpenFolder> {
  return { path, handle: await open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) };
}

/** By the folder that is open where the system can, whatever lies at its name by now. */
const entryOf = ({ handle, path }: OpenFolder, name: string): string =>
  process.platform === 'linux' ? `/proc/self/fd/${handle.fd}/${name}` : join(path, name);

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
