import { existsSync } from 'node:fs';
import { agentClis } from '../../../../scripts/agent-clis.mjs';

export interface AgentCliPaths {
  /** Claude Code 2.1.329. */
  readonly claude: string;
  /** Claude Code 2.1.120, the last that dials any `--sdk-url`; undefined where its package does not exist. */
  readonly claudeDialling: string | undefined;
  /** Further versions of Claude Code, as far as they are installed. */
  readonly claudeBetween: readonly (readonly [version: string, path: string])[];
  /** Codex 0.169.0. */
  readonly codex: string;
  /** Gemini CLI 0.61.0, a script for the `node` on the PATH. */
  readonly gemini: string;
  /** Codex 0.171.0; undefined where its package does not exist. */
  readonly codexNewer: string | undefined;
}

/**
 * Where the real CLIs are that the tests run. `AGENT_RELAY_TEST_CLAUDE`, `AGENT_RELAY_TEST_CODEX` and `AGENT_RELAY_TEST_GEMINI` name others.
 * @throws when one is not installed, with the command that installs it.
 */
export function agentCliPaths(env: NodeJS.ProcessEnv = process.env): AgentCliPaths {
  return {
    claude: installed('Claude Code', env['AGENT_RELAY_TEST_CLAUDE'] ?? agentClis.claude),
    claudeDialling: existsSync(agentClis.claude120) ? agentClis.claude120 : undefined,
    claudeBetween: (
      [
        ['2.1.197', agentClis.claude197],
        ['2.1.332', agentClis.claude332],
      ] as const
    ).filter(([, path]) => existsSync(path)),
    codex: installed('Codex', env['AGENT_RELAY_TEST_CODEX'] ?? agentClis.codex),
    gemini: installed('Gemini CLI', env['AGENT_RELAY_TEST_GEMINI'] ?? agentClis.gemini),
    codexNewer: existsSync(agentClis.codex171) ? agentClis.codex171 : undefined,
  };
}

export interface AcpCliPaths {
  /** claude-agent-acp 0.101.0, a script for the `node` on the PATH; it runs the Claude Code that `CLAUDE_CODE_EXECUTABLE` names. */
  readonly claudeAgentAcp: string;
  /** codex-acp 2.6.0, a script for the `node` on the PATH; it runs the Codex that `CODEX_PATH` names. */
  readonly codexAcp: string;
  /** OpenCode 1.18.33; undefined where its package does not exist. */
  readonly opencode: string | undefined;
}

/**
 * Where the agents are that speak the Agent Client Protocol and are run for nothing else.
 * @throws when one is not installed, with the command that installs it.
 */
export function acpCliPaths(): AcpCliPaths {
  return {
    claudeAgentAcp: installed('claude-agent-acp', agentClis.claudeAgentAcp),
    codexAcp: installed('codex-acp', agentClis.codexAcp),
    opencode: existsSync(agentClis.opencode) ? agentClis.opencode : undefined,
  };
}

function installed(name: string, path: string): string {
  if (!existsSync(path))
    throw new Error(`${name} is not at ${path}; \`node scripts/install-clis.mjs\` installs the CLIs that the tests run.`);
  return path;
}
