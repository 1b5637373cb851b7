import { realpath } from 'node:fs/promises';
import { RelayError, type SpawnMode } from 'agent-relay-protocol';
import { guardedPart } from 'agent-relay-provider';
import { isWithin } from 'agent-relay-wire/node';

export interface FolderOfSession {
  /** Without links. */
  readonly cwd: string;
  readonly mode: SpawnMode;
  readonly isInSandbox: boolean;
  /** Where fresh folders are made, which are nobody's settings wherever they lie. */
  readonly workspacesFolder: string;
  /** What somebody has listed as a folder of agents. */
  readonly listed: readonly string[];
  /** What the owner of the machine says there holds for this session. */
  readonly ownersFiles: readonly string[];
}

/** Whole projects lie there, which are nobody's settings. */
const workTree = /\/\.(?:claude|codex)\/worktrees\/[^/]/u;

/**
 * An agent that is held to its folder works in none in which it would write what agents, git or the user's shell take orders from, nor what it is held to by the
 * owner of its machine. One that may do what its user may is not kept from them. @throws RelayError `forbidden`.
 */
export async function assertHarmless({ cwd, mode, isInSandbox, workspacesFolder, listed, ownersFiles }: FolderOfSession): Promise<void> {
  if (mode === 'safe' || (mode === 'unrestricted' && !isInSandbox)) return;
  const fresh = await realpath(workspacesFolder).catch(() => workspacesFolder);
  if (isWithin(cwd, fresh)) return;
  const real = (path: string) => realpath(path).catch(() => path);
  for (const file of ownersFiles) {
    const place = await real(file);
    if (isWithin(place, cwd)) throw forbidden(`${cwd} holds ${file}, by which this machine says what agents may do`);
    if (isWithin(cwd, place)) throw forbidden(`${cwd} lies in ${file}, which is this machine's own`);
  }
  const part = guardedPart(cwd);
  if (part === null || workTree.test(`${cwd}/`)) return;
  for (const folder of listed) if (isWithin(cwd, await real(folder)) && guardedPart(await real(folder)) !== null) return;
  throw forbidden(`${cwd} lies in ${part}, and what is in there can run commands`);
}

const forbidden = (message: string): RelayError =>
  new RelayError('forbidden', `An agent that is held to its folder does not work here: ${message}`, {
    issues: [{ path: 'cwd', message }],
  });
