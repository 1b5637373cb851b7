import type { Health } from 'agent-relay-protocol';

export type PartHealth = Health['parts'][string];

/** The worst of its parts. */
export function overallStatus(parts: Readonly<Record<string, PartHealth>>): Health['status'] {
  const statuses = new Set(Object.values(parts).map(({ status }) => status));
  if (statuses.has('failing')) return 'failing';
  return statuses.has('degraded') ? 'degraded' : 'ok';
}

const MIB = 1024 * 1024;
/** Below it the write-ahead log and one retention round may not fit any more. */
const LOW_DISK_BYTES = 256 * MIB;

/** The disk under the database; a full one shows in the database itself. */
export function diskHealth(freeBytes: number): PartHealth {
  if (freeBytes >= LOW_DISK_BYTES) return { status: 'ok' };
  return { status: 'degraded', reason: `${Math.floor(freeBytes / MIB)} MiB are left on the disk of the database` };
}

/** Whether live readers get what is committed. */
export function feedHealth({ fault, lag }: { readonly fault: string | null; readonly lag: number }): PartHealth {
  if (fault === null) return { status: 'ok' };
  return { status: 'failing', reason: `Live readers are ${lag} events behind: the log cannot be read: ${fault}` };
}
