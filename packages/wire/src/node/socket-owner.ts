import { lstatSync } from 'node:fs';

/**
 * Whether whoever listens at a socket may be shown what a file holds: the same user owns both, and could read the file anyway. A port has no
 * such owner. Named pipes of Windows are no files and are not looked at.
 */
export function isSocketOfOwner(socketPath: string, filePath: string): boolean {
  if (process.platform === 'win32') return true;
  try {
    const socket = lstatSync(socketPath);
    return socket.isSocket() && socket.uid === lstatSync(filePath).uid;
  } catch {
    return false;
  }
}
