import { isAbsolute, relative, sep } from 'node:path';

/**
 * The way from a folder to a path that lies below it, empty for the folder itself; null for a path that lies elsewhere. It compares names: whoever
 * must not be led outside by a link resolves both before.
 */
export function pathBelow(folder: string, path: string): string | null {
  const way = relative(folder, path);
  // A name may begin with dots.
  return way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way) ? null : way;
}

/** Whether a path is a folder or lies below it, by name. */
export const isWithin = (path: string, folder: string): boolean => pathBelow(folder, path) !== null;
