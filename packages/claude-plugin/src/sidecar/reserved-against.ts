import { type KnownReservations, touchedFiles } from 'agent-relay-protocol';
import type { RelaySide } from './relay-side.ts';
import type { GatedUse } from './tool-gate.ts';

/** A hook is waited for: longer than this the relay is not asked. */
const LIMIT_MS = 3_000;
const kinds: Readonly<Record<string, 'edit' | 'execute'>> = {
  Bash: 'execute',
  Edit: 'edit',
  MultiEdit: 'edit',
  NotebookEdit: 'edit',
  Write: 'edit',
};

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
export async function reservedAgainst(
  { name, input, cwd }: GatedUse & { readonly cwd: string },
  { relay, reservations, signal }: Asked,
): Promise<string | null> {
  const kind = kinds[name];
  if (kind === undefined) return null;
  const place = cwd === '' ? {} : { cwd };
  const files = touchedFiles({ kind, ...place, input: JSON.parse(JSON.stringify(input)) });
  if (files === null && kind !== 'edit') return null;
  const use = { kind, ...place, ...(files && { files }) } as const;
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
