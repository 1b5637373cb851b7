import type { KnownReservations } from 'agent-relay-protocol';
import { changeOf, type UseInFolder } from '../file-change.ts';
import type { RelaySide } from './relay-side.ts';

/** A hook is waited for: longer than this the relay is not asked. */
const LIMIT_MS = 3_000;
interface Asked {
  readonly relay: Pick<RelaySide, 'link' | 'state' | 'id' | 'settled'>;
  readonly reservations: Pick<KnownReservations, 'met' | 'against'>;
  /** How long a relay that has not answered yet is waited for. */
  readonly signal: AbortSignal;
}

/**
 * Why a use of a tool is not to be, as another agent has reserved what it would change; null where nobody says so. Where the relay does not answer, what it
 * has said before holds on.
 */
export async function reservedAgainst(tool: UseInFolder, { relay, reservations, signal }: Asked): Promise<string | null> {
  const use = changeOf(tool);
  if (use === null) return null;
  await relay.settled(signal);
  const { link, state, id } = relay;
  if (link === null || state !== 'connected') return reservations.against(id, use);
  try {
    const { holder, reason } = await link.calls.reservations.check({ agentId: id, ...use }, { timeoutMs: LIMIT_MS });
    if (holder) reservations.met(holder);
    return reason;
  } catch {
    return reservations.against(id, use);
  }
}
