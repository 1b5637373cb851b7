/** The folder with the pinned CLIs; no workspace package. */
export declare const agentsFolder: string;

/**
 * Absolute paths of the pinned agent CLIs. `claude`, `claude120` and `codex` are native binaries to start directly;
 * `gemini`, `claudeAgentAcp` and `codexAcp` are scripts for `node`. The paths exist after `node scripts/install-clis.mjs`.
 */
export declare const agentClis: Readonly<{
  /** Claude Code 2.1.329. */
  claude: string;
  /** Claude Code 2.1.120, the last version that dials any `--sdk-url`; its package exists for Linux x64 only. */
  claude120: string;
  /** Claude Code 2.1.197, the newest that npm installs on Node 20; its package is pinned for Linux x64 only. */
  claude197: string;
  /** Claude Code 2.1.332; its package is pinned for Linux x64 only. */
  claude332: string;
  /** Codex 0.169.0. */
  codex: string;
  /** Codex 0.171.0; its package is pinned for Linux x64 only. */
  codex171: string;
  /** Gemini CLI 0.61.0, a JavaScript file. */
  gemini: string;
  /** claude-agent-acp 0.101.0, a JavaScript file. */
  claudeAgentAcp: string;
  /** codex-acp 2.6.0, a JavaScript file. */
  codexAcp: string;
  /** OpenCode 1.18.33; its package is pinned for Linux x64 only. */
  opencode: string;
}>;

/** The names among `agentClis` whose file is not there; empty when all are installed. */
export declare function missingAgentClis(): string[];
