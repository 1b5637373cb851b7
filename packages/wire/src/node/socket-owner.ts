import { createHash } from 'node:crypto';
import { lstatSync, readFileSync } from 'node:fs';

/**
 * Whether whoever listens at a socket may be shown what a file holds. A socket: the same user owns both, and could read the file anyway. A port
 * has no such owner. A named pipe of Windows has none that could be looked at: its name is the one that only who has read the file knows.
 */
export function isSocketOfOwner(socketPath: string, filePath: string, platform: NodeJS.Platform = process.platform): boolean {
  try {
    if (platform === 'win32') return socketPath === pipeOfSecret(readFileSync(filePath, 'utf8'));
    const socket = lstatSync(socketPath);
    return socket.isSocket() && socket.uid === lstatSync(filePath).uid;
  } catch {
    return false;
  }
}

/** The named pipe of those who know a secret: the name does not give the secret away, and nobody else can work it out. */
export function pipeOfSecret(secret: string): string {
  const name = createHash('sha256').update(`the pipe of\n${secret.trim()}`).digest('hex').slice(0, 32);
  return `\\\\.\\pipe\\agent-relay-${name}`;
}
