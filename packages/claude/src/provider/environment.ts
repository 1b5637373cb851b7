import { AgentIdSchema, CLAUDE_PATH } from 'agent-relay-protocol';
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

/**
 * The environment of a Claude Code that becomes the agent that `url` names (`/claude/<agent>` of a relay): what it starts knows whose it is, and the
 * plugin leaves it alone. What a session says of itself in whose shell it was started goes. Unchanged for any other address.
 */
export function environmentOfDialled(env: Readonly<Record<string, string>>, url: string): Record<string, string> {
  const agentId = agentOf(url);
  if (agentId === null) return { ...env };
  const { AGENT_RELAY_PLUGIN_SESSION: ofPlugin, AGENT_RELAY_ID: _id, AGENT_RELAY_TOKEN: token, ...own } = env;
  return { ...own, AGENT_RELAY_AGENT_ID: agentId, ...(token !== undefined && ofPlugin === undefined && { AGENT_RELAY_TOKEN: token }) };
}

function agentOf(url: string): string | null {
  const [, root, name = ''] = URL.canParse(url) ? new URL(url).pathname.split('/') : [];
  if (root !== CLAUDE_PATH.slice(1)) return null;
  try {
    const agentId = AgentIdSchema.safeParse(decodeURIComponent(name));
    return agentId.success ? agentId.data : null;
  } catch {
    return null;
  }
}
