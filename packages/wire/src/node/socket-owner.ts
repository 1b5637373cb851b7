import { createHash } from 'node:crypto';
import { lstatSync, readFileSync } from 'node:fs';
import { RelayError } from 'agent-relay-protocol';

/**
 * Whether whoever listens at a socket may be shown what a file holds. A socket: the same user owns both, and could read the file anyway; without
 * a file it is this process's user who must own it. A port has no such owner. A named pipe of Windows has none that could be looked at: its name
 * is the one that only who has read the file knows.
 */
export function isSocketOfOwner(socketPath: string, filePath?: string, platform: NodeJS.Platform = process.platform): boolean {
  try {
    if (platform === 'win32') return filePath === undefined || socketPath === pipeOfSecret(readFileSync(filePath, 'utf8'));
    const socket = lstatSync(socketPath);
    return socket.isSocket() && socket.uid === (filePath === undefined ? process.getuid?.() : lstatSync(filePath).uid);
  } catch {
    return false;
  }
}

/**
 * Asked before each connection that a credential goes through: whatever was there before, the socket may be another user's now.
 * @throws RelayError `connection_closed` when it is not that owner's, or not there.
 */
export function assertSocketOfOwner(socketPath: string, filePath?: string): void {
  if (isSocketOfOwner(socketPath, filePath)) return;
  const owner = filePath === undefined ? 'this user' : `the owner of ${filePath}`;
  throw new RelayError('connection_closed', `No relay of ${owner} listens at ${socketPath}`);
}

/** The named pipe of those who know a secret: the name does not give the secret away, and nobody else can work it out. */
export function pipeOfSecret(secret: string): string {
  const name = createHash('sha256').update(`the pipe of\n${secret.trim()}`).digest('hex').slice(0, 32);
  return `\\\\.\\pipe\\agent-relay-${name}`;
}
