import { quietGit } from './quiet-git.ts';

/** Set by a Claude Code that started the host: a child that inherits them takes itself for a part of that session. */
const ofOuterSession =
  /^(?:CLAUDECODE|CLAUDE_PID|CLAUDE_CODE_(?:ENTRYPOINT|SESSION_ID|MESSAGING_SOCKET|MESSAGING_TOKEN|SSE_PORT|SESSION_ATTENDED))$/u;

/**
 * What a prompt says is what the model reads. Without it Claude puts the file that an `@path` in a prompt names (a server's resource, an agent)
 * into the conversation by itself: no tool, no question, in every mode. Prompts that join a running turn still come.
 */
export const plainPrompts = { CLAUDE_CODE_DISABLE_ATTACHMENTS: '1' } as const;

/** What a CLI is told whose process somebody else started. Not git's settings, which may have neighbours there. */
export const dialledEnvironment = { ...plainPrompts, GIT_OPTIONAL_LOCKS: '0', CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS: '1' } as const;

export function claudeEnvironment(env: Readonly<Record<string, string>>): Record<string, string> {
  const own = Object.entries(env).filter(([name]) => !ofOuterSession.test(name));
  return { ...Object.fromEntries(own), ...quietGit(env), ...plainPrompts, CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS: '1' };
}
