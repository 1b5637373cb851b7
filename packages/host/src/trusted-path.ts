import { realpathSync } from 'node:fs';
import { delimiter, isAbsolute } from 'node:path';
import { isWithin } from 'agent-relay-wire/node';

/**
 * The folders of a `PATH` in which no agent may write a program: not those of a package's own programs, which `npx` puts first for the folder it
 * is called in and all above it, not those in `agentFolders`, and none that depends on where one stands.
 */
export function trustedPath(path: string, agentFolders: readonly string[]): string {
  const folders = agentFolders.map(resolved);
  return path
    .split(delimiter)
    .filter(
      (entry) =>
        isAbsolute(entry) && ![entry, resolved(entry)].some((name) => isPackages(name) || folders.some((folder) => isWithin(name, folder))),
    )
    .join(delimiter);
}

const isPackages = (path: string): boolean => /[/\\]node_modules[/\\]\.bin[/\\]?$/u.test(path);

function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
