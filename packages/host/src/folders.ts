import { mkdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { RelayError } from 'agent-relay-protocol';
import { isWithin } from 'agent-relay-wire/node';

export interface FolderRequest {
  readonly agentId: string;
  readonly sessionId: string;
  /** The folder asked for; null makes a fresh one below `workspacesFolder`, or takes `within` when that is set. */
  readonly cwd: string | null;
  /** When set, the folder must be this one or lie below it. */
  readonly within: string | null;
  readonly workspacesFolder: string;
  /** Folders that agents may work in; empty allows any that exists. */
  readonly allowedFolders: readonly string[];
  /** Those of the machine's owner besides, an empty list among them; null where nothing is said. */
  readonly ownersFolders: { readonly allowed: readonly string[]; readonly where: string } | null;
}

/**
 * The real path of the folder a session works in. Links are resolved before anything is compared.
 * @throws RelayError `not_found` (no such folder), `validation_failed` (not absolute, not a folder), `forbidden` (outside what is allowed).
 */
export async function resolveFolder(request: FolderRequest): Promise<string> {
  const asked = request.cwd ?? request.within;
  if (asked === null) return freshFolder(request);
  const folder = await existingFolder(asked);
  if (request.within !== null) {
    const within = await existingFolder(request.within);
    if (!isWithin(folder, within)) throw forbidden(`${folder} is not inside ${within}, the folder of the agent that asked`);
  }
  if (request.allowedFolders.length > 0 && !(await isAllowed(folder, request.allowedFolders)))
    throw forbidden(`${folder} is outside the folders this machine lets agents work in`);
  const { ownersFolders } = request;
  if (ownersFolders !== null && !(await isAllowed(folder, ownersFolders.allowed)))
    throw forbidden(`${ownersFolders.where}: agents do not work in ${folder}`);
  return folder;
}

/** A fresh folder is the node's own and always allowed. The session id keeps two agents of one name apart. */
async function freshFolder({ agentId, sessionId, workspacesFolder }: FolderRequest): Promise<string> {
  const name = `${agentId.replaceAll(/[^\p{L}\p{N}_-]/gu, '_')}-${sessionId.replaceAll(/[^A-Za-z0-9]/gu, '').slice(-8)}`;
  const folder = join(workspacesFolder, name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return realpath(folder);
}

async function existingFolder(path: string): Promise<string> {
  const issues = [{ path: 'cwd', message: 'must be an absolute path of an existing folder' }];
  if (!isAbsolute(path) || path.includes('\0'))
    throw new RelayError('validation_failed', `The folder ${JSON.stringify(path)} is not an absolute path`, { issues });
  let folder: string;
  try {
    folder = await realpath(path);
  } catch (cause) {
    throw new RelayError('not_found', `The folder ${path} does not exist on this machine`, { issues, cause });
  }
  if (!(await stat(folder)).isDirectory()) throw new RelayError('validation_failed', `${path} is not a folder`, { issues });
  return folder;
}

async function isAllowed(folder: string, allowedFolders: readonly string[]): Promise<boolean> {
  for (const allowed of allowedFolders) {
    const root = await realpath(allowed).catch(() => null);
    if (root !== null && isWithin(folder, root)) return true;
  }
  return false;
}

const forbidden = (message: string): RelayError =>
  new RelayError('forbidden', message, { issues: [{ path: 'cwd', message: 'lies outside what is allowed' }] });
