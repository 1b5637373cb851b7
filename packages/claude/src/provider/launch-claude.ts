import { randomUUID } from 'node:crypto';
import { findProgram } from 'agent-relay-provider/kit';
import { type ClaudePermissionMode, checkPermissionMode } from '../stream-json/permission-mode.ts';
import { askPermissions } from './ask-permissions.ts';
import type { ClaudeSession } from './claude-session.ts';
import { claudeArguments } from './command-line.ts';
import { claudeProgram } from './program.ts';
import { runClaude } from './run-claude.ts';

export interface LaunchClaudeOptions {
  /** Absolute; exists. */
  readonly cwd: string;
  /** The complete environment of Claude Code, such as `process.env`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The program: a path, or a name looked up in the environment's `PATH`. Default `claude`. */
  readonly command?: string;
  readonly model?: string;
  /** What Claude does without asking. Default `default`. */
  readonly permissionMode?: ClaudePermissionMode;
  /** Goes behind Claude's own system prompt. */
  readonly instructions?: string;
  /** The vendor's own id of a stored conversation that this session continues. */
  readonly resume?: string;
  /** With `resume`: a copy of it is continued under an id of its own, and the stored one stays as it is. For one that somebody else goes on with. */
  readonly fork?: boolean;
  /** How long a question to a person waits before it counts as a no. Default ten minutes. */
  readonly approvalTimeoutMs?: number;
  /** Aborting gives the start up and ends whatever it had begun. */
  readonly signal?: AbortSignal;
}

/**
 * Starts Claude Code on stdio, in a process group of its own, and resolves with a session that is ready for its first prompt.
 * @throws RelayError `provider_unavailable` with one sentence: not installed, not logged in, or did not start; `not_found` when the conversation to go on
 * with is not there; `validation_failed`.
 */
export async function launchClaude(options: LaunchClaudeOptions): Promise<ClaudeSession> {
  const { cwd, command = 'claude', model, instructions, resume, fork = false, permissionMode = 'default' } = options;
  const env = Object.fromEntries(Object.entries(options.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  const vendorSessionId = resume === undefined || fork ? randomUUID() : resume;
  return runClaude({
    command: await findProgram(claudeProgram(command), env),
    args: claudeArguments({ permissionMode: checkPermissionMode(permissionMode), model, instructions, resume, fork, vendorSessionId }),
    cwd,
    env,
    vendorSessionId,
    resume,
    model,
    approvalTimeoutMs: options.approvalTimeoutMs,
    signal: options.signal,
    relayServers: [],
    handlers: (parts) => askPermissions(cwd, parts),
  });
}
