import { touchedFiles } from 'agent-relay-protocol';
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

/** Why a use of a tool is not to be, as another agent has reserved what it would change; null where nobody says so, or nobody can be asked. */
export async function reservedAgainst(
  { name, input, cwd }: GatedUse & { readonly cwd: string },
  { link }: Pick<RelaySide, 'link'>,
): Promise<string | null> {
  const kind = kinds[name];
  if (kind === undefined || link === null) return null;
  const place = cwd === '' ? {} : { cwd };
  const files = touchedFiles({ kind, ...place, input: JSON.parse(JSON.stringify(input)) });
  if (files === null && kind !== 'edit') return null;
  const asked = { agentId: link.agent.id, kind, ...place, ...(files && { files }) } as const;
  try {
    return (await link.calls.reservations.check(asked, { timeoutMs: LIMIT_MS })).reason;
  } catch {
    return null;
  }
}
