import { SESSION_VARIABLE } from './marked-processes.ts';

/** Nested trees of processes append to it, so that each finds its own. */
const treeVariable = 'AGENT_RELAY_PROCESS_TREE';

/** This machine's environment without what belongs to the relay's own programs (addresses, tokens), and with the session's mark. */
export function agentEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  agent?: { readonly sessionId: string; readonly agentId: string },
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && (!name.startsWith('AGENT_RELAY_') || name === treeVariable)) kept[name] = value;
  }
  return agent === undefined ? kept : { ...kept, [SESSION_VARIABLE]: agent.sessionId, AGENT_RELAY_AGENT_ID: agent.agentId };
}
