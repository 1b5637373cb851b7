import type { SpawnMode } from 'agent-relay-protocol';
import type { SessionSource } from '../sessions/session-source.ts';
import type { AgentWsVersion, Capabilities } from './messages.ts';

export interface CapabilitiesOptions {
  readonly source: Pick<SessionSource, 'detect'>;
  readonly agentName: string;
  readonly mode: SpawnMode;
}

/** What the bridge can do now. 1.1 knows two providers, in this order; 1.2 tells of all. */
export function capabilitiesOf({
  source,
  agentName: agent,
  mode,
}: CapabilitiesOptions): (version: AgentWsVersion) => Promise<Capabilities> {
  return async (version) => {
    const all = await source.detect();
    const told = version === '1.1' ? all.filter(({ id }) => id === 'claude' || id === 'codex') : all;
    const providers = told.map(({ id, found }) => ({
      id,
      available: found.available,
      ...(found.available ? { version: found.version } : {}),
    }));
    return { type: 'capabilities', agent, version, mode, sandbox: { active: 'none', available: ['none'] }, providers };
  };
}
