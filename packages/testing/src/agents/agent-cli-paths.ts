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

function installed(name: string, path: string): string {
  if (!existsSync(path))
    throw new Error(`${name} is not at ${path}; \`node scripts/install-clis.mjs\` installs the CLIs that the tests run.`);
  return path;
}
