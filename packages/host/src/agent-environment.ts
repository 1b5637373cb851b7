import { SESSION_VARIABLE, TREE_VARIABLE } from './marked-processes.ts';

/**
 * This machine's environment without what belongs to the relay's own programs (addresses, tokens), with the host's mark and, for an agent, its
 * session's.
 */
export function agentEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  hostMark: string,
  agent?: { readonly sessionId: string; readonly agentId: string },
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !name.startsWith('AGENT_RELAY_')) kept[name] = value;
  }
  const outerTrees = env[TREE_VARIABLE];
  kept[TREE_VARIABLE] = outerTrees ? `${outerTrees},${hostMark}` : hostMark;
  return agent === undefined ? kept : { ...kept, [SESSION_VARIABLE]: agent.sessionId, AGENT_RELAY_AGENT_ID: agent.agentId };
}
