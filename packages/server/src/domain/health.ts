import type { Health } from 'agent-relay-protocol';

export type PartHealth = Health['parts'][string];

/** The worst of its parts. */
export function overallStatus(parts: Readonly<Record<string, PartHealth>>): Health['status'] {
  const statuses = new Set(Object.values(parts).map(({ status }) => status));
  if (statuses.has('failing')) return 'failing';
  if (statuses.has('degraded')) return 'degraded';
  return statuses.has('starting') ? 'starting' : 'ok';
}

export interface LocalNodeSigns {
  readonly isOnline: boolean;
  readonly sinceMs: number;
  readonly remark: string | null;
}

/** How long this machine's node may take to come up. */
const NODE_STARTS_MS = 30_000;

/** This machine's node, so long after it was started. `remark`: what there is to say of one that works. */
export function localNodeHealth({ isOnline, sinceMs, remark }: LocalNodeSigns): PartHealth {
  if (isOnline) return { status: 'ok', ...(remark !== null && { reason: remark }) };
  if (sinceMs < NODE_STARTS_MS) return { status: 'starting', reason: 'The node of this machine is on its way up' };
  return { status: 'degraded', reason: 'The node of this machine is not connected: no agent can be started on it' };
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
