import { findExecutable } from 'agent-relay-wire/node';
import { acpAgents } from '../catalogue.ts';
import { AcpProvider } from './acp-provider.ts';

/**
 * The providers that a machine offers by itself: every agent that this package is tested with, installed or not, and of the others those whose program
 * is there now.
 */
export async function acpProviders(env: Readonly<Record<string, string | undefined>>): Promise<readonly AcpProvider[]> {
  const offered = await Promise.all(
    Object.values(acpAgents).map(async (agent) =>
      agent.evidence === 'run' || (await findExecutable(agent.command, { env })) !== undefined ? [new AcpProvider(agent)] : [],
    ),
  );
  return offered.flat();
}
