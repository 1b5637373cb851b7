import { join } from 'node:path';
import type {
  AgentSession,
  Provider,
  ProviderAvailability,
  SandboxFiles,
  SandboxPlace,
  StartOptions,
  VendorAbilities,
} from 'agent-relay-provider';
import { detectProgram, findProgram, ProviderSessions, type VendorProgram } from 'agent-relay-provider/kit';
import type { AcpAgent, HomeFiles } from '../catalogue.ts';
import type { AcpSession } from './acp-session.ts';
import { acpEnvironment, startAcpAgent } from './start-acp-agent.ts';

export interface AcpProviderOptions {
  /** The program: a path, or a name looked up in the session's `PATH`. Default what the agent's row says. */
  readonly command?: string;
}

/** Any agent that speaks the Agent Client Protocol over stdio, by its row of the catalogue: one process per session, in a process group of its own. */
export class AcpProvider implements Provider {
  readonly id: string;
  readonly name: string;
  readonly environment: readonly string[];
  readonly abilities: VendorAbilities;
  readonly resumes?: true;
  readonly sandboxFiles?: (place: SandboxPlace) => SandboxFiles;
  readonly #agent: AcpAgent;
  readonly #program: VendorProgram;
  readonly #sessions: ProviderSessions<AcpSession>;

  constructor(agent: AcpAgent, { command = agent.command }: AcpProviderOptions = {}) {
    this.id = agent.id;
    this.name = agent.name;
    this.environment = agent.environment;
    this.abilities = {
      steer: 'waits',
      // Where nothing holds it, it only starts where nobody is asked.
      approvals: agent.fence !== 'none',
      diffs: true,
      ...(agent.fence === 'none' ? {} : { reserves: true }),
      modes: agent.fence === 'none' ? ['unrestricted'] : ['safe', 'agentic', 'unrestricted'],
    };
    const { homeFiles } = agent;
    if (homeFiles !== undefined) this.sandboxFiles = ({ env }) => below(env['HOME'] ?? '', homeFiles);
    if (agent.resumes) this.resumes = true;
    this.#agent = agent;
    this.#program = { name: agent.name, command, install: agent.install };
    this.#sessions = new ProviderSessions(agent.name);
  }

  detect(env: Readonly<Record<string, string>>): Promise<ProviderAvailability> {
    return detectProgram(this.#program, acpEnvironment(this.#agent, env));
  }

  start(options: StartOptions): Promise<AgentSession> {
    return this.#sessions.start(options, async (tracked) =>
      startAcpAgent(this.#agent, await findProgram(this.#program, tracked.env), tracked),
    );
  }

  close(): Promise<void> {
    return this.#sessions.close();
  }
}

function below(home: string, { scratch = [], read = [], write = [] }: HomeFiles): SandboxFiles {
  const absolute = (names: readonly string[]) => names.map((name) => join(home, name));
  return { scratch: absolute(scratch), read: absolute(read), write: absolute(write) };
}
