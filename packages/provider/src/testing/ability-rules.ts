import type { Provider } from '../contract.ts';
import type { ProviderAbilities } from './provider-harness.ts';

/**
 * Where a provider says another thing of itself than the suite asks of it, in sentences; empty when both agree. No program is started.
 */
export function brokenAbilities({ id, abilities: said }: Provider, asked: ProviderAbilities): readonly string[] {
  if (said === undefined) return [];
  const { steersRunningTurn, isFreeOnly = false, asksPeople = true, tellsChanges = true } = asked;
  const held = {
    steer: steersRunningTurn ? 'joins' : 'waits',
    approvals: asksPeople && !isFreeOnly,
    diffs: tellsChanges,
    modes: isFreeOnly ? 'unrestricted' : 'safe, agentic, unrestricted',
  };
  const row = { steer: said.steer, approvals: said.approvals, diffs: said.diffs, modes: said.modes.join(', ') };
  const names = ['steer', 'approvals', 'diffs', 'modes'] as const;
  return names.flatMap((name) => (row[name] === held[name] ? [] : [`${id} says ${name}: ${row[name]}, and is held to ${held[name]}`]));
}
