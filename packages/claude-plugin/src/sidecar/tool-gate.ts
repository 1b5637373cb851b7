import type { ApprovalMode } from 'agent-relay-protocol';

export interface GatedUse {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export interface ToolDecision {
  readonly permission: 'allow' | 'ask' | 'deny';
  readonly reason: string;
}

/** How Claude Code calls the tools of this plugin's server. */
const OWN_TOOL = /^mcp__plugin_agent-relay_relay__(relay_\w+)$/u;
/** These start and end programs on machines: the user's own rules say whether they are asked for. */
const reachesMachines: ReadonlySet<string> = new Set(['relay_spawn', 'relay_release']);

/** Look and think, and change nothing. */
const readers: ReadonlySet<string> = new Set([
  'Read',
  'NotebookRead',
  'LS',
  'Grep',
  'Glob',
  'LSP',
  'ListAgents',
  'ToolSearch',
  'TaskOutput',
  'BashOutput',
  'TaskGet',
  'TaskList',
  'TaskCreate',
  'TaskUpdate',
  'TodoWrite',
  'ListMcpResourcesTool',
  'ReadMcpResourceTool',
  'EnterPlanMode',
  'AskUserQuestion',
  'KillShell',
  'TaskStop',
]);

/** The relay tool that this is, without the server's name; null for all others. */
export const ownTool = (name: string): string | null => OWN_TOOL.exec(name)?.[1] ?? null;

/**
 * What becomes of a tool's use; null leaves it to the session's own rules. A turn that relay mail is part of is held to the agent's approval mode: a
 * peer's message is nobody's consent.
 */
export function decideToolUse(use: GatedUse, approval: ApprovalMode, hasMail: boolean): ToolDecision | null {
  const own = ownTool(use.name);
  if (own !== null && !reachesMachines.has(own)) return { permission: 'allow', reason: 'A tool of the relay' };
  if (!hasMail || approval === 'open' || isReading(use)) return null;
  if (approval === 'read-only') {
    const reason = `A message from the relay is part of this turn, and such turns are read-only here: ${use.name} is not available in them.`;
    return { permission: 'deny', reason };
  }
  return { permission: 'ask', reason: 'A message from the relay is part of this turn' };
}

/** A subagent in the background outlives the turn that holds it to anything; what a foreground one does comes here as well. */
function isReading({ name, input }: GatedUse): boolean {
  if (readers.has(name)) return true;
  if (name === 'SendMessage') return true;
  if (name === 'Task' || name === 'Agent') return input['run_in_background'] === false && input['isolation'] === undefined;
  return false;
}
