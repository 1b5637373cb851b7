import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { KnownReservations, type ReservationsCopy } from 'agent-relay-protocol';
import { changeOf, type UseInFolder } from './file-change.ts';

interface Reserved extends ReservationsCopy {
  /** Who is kept from them. */
  readonly agentId: string;
}

/** For hooks that find nobody who takes them; `aheadMs` is beyond this machine's clock. @throws what the disk says. */
export function writeReserved(file: string, reserved: Reserved): void {
  writeFileSync(`${file}.new`, JSON.stringify(reserved), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Why a use of a tool is not to be, as the sidecar has written down what others have reserved; null where nothing keeps it, or nothing can be read. */
export function againstReserved(file: string, use: UseInFolder, now: () => number): string | null {
  const reserved = read(file);
  const change = changeOf(use);
  if (reserved === null || change === null) return null;
  const known = new KnownReservations({ clock: { now, elapsedMs: now }, onFault: () => {}, copy: reserved });
  return known.against(reserved.agentId, change);
}

function read(file: string): Reserved | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Reserved; // the sidecar's own, in a folder of this user's alone
  } catch {
    return null;
  }
}
