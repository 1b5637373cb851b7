import type { Sandboxes } from 'agent-relay-host';
import type { SandboxRequest, SpawnMode } from 'agent-relay-protocol';
import type { SessionSource } from '../sessions/session-source.ts';
import type { AgentWsVersion, Capabilities } from './messages.ts';

export interface CapabilitiesOptions {
  readonly source: Pick<SessionSource, 'detect'>;
  readonly sandboxes: Pick<Sandboxes, 'ofSystem'>;
  /** What every agent is put in. */
  readonly sandbox: SandboxRequest;
  readonly agentName: string;
  readonly mode: SpawnMode;
}

/** What the bridge can do now. 1.1 knows two providers, in this order; 1.2 tells of all. */
export function capabilitiesOf({
  source,
  sandboxes,
  sandbox,
  agentName: agent,
  mode,
}: CapabilitiesOptions): (version: AgentWsVersion) => Promise<Capabilities> {
  return async (version) => {
    const [all, kind] = await Promise.all([source.detect(), sandboxes.ofSystem()]);
    const told = version === '1.1' ? all.filter(({ id }) => id === 'claude' || id === 'codex') : all;
    const providers = told.map(({ id, found }) => ({
      id,
      available: found.available,
      ...(found.available ? { version: found.version } : {}),
    }));
    const available = kind === null ? (['none'] as const) : (['none', kind] as const);
    const inside = { active: sandbox === 'none' || kind === null ? 'none' : kind, available } as const;
    return { type: 'capabilities', agent, version, mode, sandbox: inside, providers };
  };
}
