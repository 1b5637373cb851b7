import type { ApprovalMode, SpawnMode } from 'agent-relay-protocol';
import { editRefusal } from 'agent-relay-provider';
import { isReadOnlyCommand } from './read-only-command.ts';
import { editedPath, relayTool, type ToolInput } from './tool-words.ts';

export interface ToolPolicy {
  readonly mode: SpawnMode;
  /** What holds for the running turn: the session's approval mode when relay mail is in it, else `open`. */
  readonly approval: ApprovalMode;
  /** Whether a person may be asked for what goes beyond an `agentic` session. */
  readonly ask: boolean;
  readonly cwd: string;
  readonly relayServers: readonly string[];
}

export interface ToolUse {
  readonly name: string;
  readonly input: ToolInput;
}

/** Why a tool may not be used, in a sentence that the model reads; null when it may. */
export type Refusal = string | null;

const editors = new Set(['Edit', 'MultiEdit', 'Write', 'NotebookEdit']);
/** Look and think, and change nothing. `ToolSearch` only loads the descriptions of tools. */
const readers = new Set([
  'Read',
  'NotebookRead',
  'LS',
  'Grep',
  'Glob',
  'LSP',
  'ToolSearch',
  'ListAgents',
  'TaskOutput',
  'BashOutput',
  'TaskGet',
  'TaskList',
  'ListMcpResourcesTool',
  'ReadMcpResourceTool',
  'TodoWrite',
  'TaskCreate',
  'TaskUpdate',
  'EnterPlanMode',
  'ExitPlanMode',
  'ReportFindings',
]);
/** Start or stop what is checked itself: each tool call of a subagent comes here as well. */
const starters = new Set(['Task', 'Agent', 'Skill', 'KillShell', 'TaskStop']);
/**
 * What is refused whatever the user's own settings or anybody's answer say; asked before each use of a tool. In `unrestricted` turns nothing
 * is but a question of Claude's own to a person, which nobody would hear.
 */
export function refuseAlways(use: ToolUse, policy: ToolPolicy): Refusal {
  if (isRelayTool(use.name, policy)) return null;
  if (use.name === 'AskUserQuestion') return 'No person watches this session. Ask through the relay instead, or decide yourself.';
  if (policy.mode === 'safe') {
    return use.name === 'ToolSearch' ? null : 'This session is in safe mode: it may use the relay tools and no others.';
  }
  if (policy.approval === 'read-only' && !onlyReads(use)) {
    return `A message from the relay started this turn, and such turns are read-only here: ${use.name} is not available in them.`;
  }
  if (policy.mode === 'agentic' && editors.has(use.name)) return refuseEdit(use, policy);
  return null;
}

/** Whether a person must allow what is not refused: a peer's message is never consent. */
export const mustAsk = (use: ToolUse, policy: ToolPolicy): boolean =>
  policy.approval === 'guarded' && !isRelayTool(use.name, policy) && !onlyReads(use);

/** Whether a person may allow what the mode would only refuse: nothing keeps what Claude runs in its folder, so each such use is asked about. */
export const mayAskBeyond = (use: ToolUse, policy: ToolPolicy): boolean =>
  policy.ask &&
  policy.mode === 'agentic' &&
  policy.approval === 'open' &&
  refuseAlways(use, policy) === null &&
  refuseWhenAsked(use, policy) !== null;

/** What is refused when Claude, its rules and the user's settings leave the decision open. */
export function refuseWhenAsked(use: ToolUse, policy: ToolPolicy): Refusal {
  const refusal = refuseAlways(use, policy);
  if (refusal !== null || policy.mode === 'unrestricted' || isRelayTool(use.name, policy)) return refusal;
  if (editors.has(use.name) || readers.has(use.name) || starters.has(use.name)) return null;
  if (use.name === 'Bash') {
    if (onlyReads(use)) return null;
    return 'This session may read, and edit inside its folder. Nothing keeps a command in that folder, and nobody may be asked here: it may run only commands that read. Use the Write and Edit tools for files; for other commands it has to be started with ask, or in unrestricted mode.';
  }
  return `This session may read, and edit inside its folder. ${use.name} needs a session that may ask a person (ask) or is in unrestricted mode, or a permission rule in the user's settings.`;
}

const isRelayTool = (name: string, { relayServers }: ToolPolicy): boolean => relayTool(name, relayServers) !== null;

/** In a turn that relay mail is part of, only this goes without asking. What a subagent does comes here as well. */
function onlyReads({ name, input }: ToolUse): boolean {
  if (readers.has(name)) return true;
  // In the background, where 2.1.329 runs it unless told otherwise, it outlives the turn whose limits it has; a work tree of its own is written.
  if (name === 'Task' || name === 'Agent') return input['run_in_background'] === false && input['isolation'] === undefined;
  return name === 'Bash' && typeof input['command'] === 'string' && isReadOnlyCommand(input['command']);
}

function refuseEdit({ name, input }: ToolUse, { cwd }: ToolPolicy): Refusal {
  const path = editedPath(input);
  if (path === null) return `${name} did not say which file it would change.`;
  const refusal = editRefusal(cwd, path);
  if (refusal === null) return null;
  if (refusal.reason === 'outside') return `This session may edit files inside ${cwd} only; ${path} is outside.`;
  return `This session may not edit ${refusal.part}: what is in there can run commands.`;
}
