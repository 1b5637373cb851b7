import { RelayError } from 'agent-relay-protocol';
import type { StartOptions } from 'agent-relay-provider';
import type { AcpAgent } from '../catalogue.ts';
import { geminiFence, isOverruled, type ModeFence, machinePolicyFolder } from './gemini-policy.ts';

type Rights = Pick<StartOptions, 'mode' | 'approval'>;

/** Whether a session may do whatever the user may, so that nothing has to hold it. */
const isFree = ({ mode, approval }: Rights): boolean => mode === 'unrestricted' && approval === 'open';

/** An older version may read its fence in another way, and say nothing. @throws RelayError `provider_unavailable` */
export function assertFenced({ name, fenceSince, install }: AcpAgent, rights: Rights, version = ''): void {
  if (fenceSince === undefined || isFree(rights)) return;
  const [, major = 0, minor = 0] = (/^(\d+)\.(\d+)/u.exec(version) ?? []).map(Number);
  const isOlder = major < fenceSince[0] || (major === fenceSince[0] && minor < fenceSince[1]);
  if (!isOlder) return;
  const message = `${name} ${version || 'of an unknown version'} is older than ${fenceSince.join('.')}, from which on it is known to be held to its mode; install it again ${install}`;
  throw new RelayError('provider_unavailable', message);
}

/** @throws RelayError `provider_unavailable` where nothing holds the agent to what was asked for. */
export async function modeFence(agent: AcpAgent, { mode, approval, mcp }: Rights & Pick<StartOptions, 'mcp'>): Promise<ModeFence> {
  const relayServers = mcp.map(({ name }) => name);
  const free = isFree({ mode, approval });
  const needed = mode === 'unrestricted' ? `the approval ${approval}` : `the mode ${mode}`;
  if (agent.fence === 'gemini-policy') {
    const where = machinePolicyFolder(process.platform);
    if (free || !(await isOverruled(where))) return geminiFence({ mode, relayServers });
    throw new RelayError(
      'provider_unavailable',
      `${agent.name} follows the policies in ${where} and no others: nothing would hold it to ${needed}`,
    );
  }
  if (free) return { args: [], files: [], remove: async () => {} };
  const message = `${agent.name} starts in unrestricted mode with open approval only: nothing is known that would hold it to ${needed}`;
  throw new RelayError('provider_unavailable', message);
}
