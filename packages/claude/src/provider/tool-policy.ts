import { judgeTool, type SessionRights, type ToolUse, type ToolVerdict } from 'agent-relay-provider/kit';
import { lookedAtOutside } from './looked-at.ts';
import { isReadOnlyCommand } from './read-only-command.ts';
import { editedPath, relayTool, type ToolInput } from './tool-words.ts';

/** A use of a tool in Claude's words. */
export interface ClaudeToolUse {
  readonly name: string;
  readonly input: ToolInput;
}

/** What a session may do, with what only Claude tells apart. */
export interface ClaudeRights extends SessionRights {
  readonly relayServers: readonly string[];
  /** `agentic` looks into files of its folder alone. Left out, anywhere. */
  readonly looksInside?: boolean | undefined;
}

const editors = new Set(['Edit', 'MultiEdit', 'Write', 'NotebookEdit']);
/** Look and think, and change nothing. */
const readers = new Set([
  'Read',
  'NotebookRead',
  'LS',
  'Grep',
  'Glob',
  'LSP',
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

/** What a use comes to in the words of the one rule. */
export function toolUse({ name, input }: ClaudeToolUse, relayServers: readonly string[]): ToolUse {
  if (relayTool(name, relayServers) !== null || name === 'ToolSearch') return { kind: 'relay', name };
  if (name === 'AskUserQuestion') return { kind: 'question', name };
  if (editors.has(name)) {
    const path = editedPath(input);
    return { kind: 'edit', name, paths: path === null ? [] : [path] };
  }
  if (onlyReads(name, input)) return { kind: 'read', name };
  return { kind: starters.has(name) ? 'start' : 'other', name };
}

/** What becomes of a use; what goes beyond the mode is told with what Claude can do instead. */
export function judgeToolUse(use: ClaudeToolUse, rights: ClaudeRights, isMailTurn: boolean): ToolVerdict {
  const verdict = judgeClaudes(use, rights, isMailTurn);
  if (verdict.outcome !== 'refuse' || verdict.because !== 'beyond') return verdict;
  return {
    ...verdict,
    message: use.name === 'Bash' ? commandsThatRead : `${verdict.message} A permission rule in the user's settings does as well.`,
  };
}

/** A plan is shown to people; where nobody is there it begins unseen, because it allows nothing. */
function judgeClaudes(use: ClaudeToolUse, { relayServers, looksInside, ...rights }: ClaudeRights, isMailTurn: boolean): ToolVerdict {
  const asked = judgeTool({ kind: 'question', name: use.name }, rights, isMailTurn);
  if (use.name === 'ExitPlanMode' && asked.outcome === 'ask') return asked;
  const ours = toolUse(use, relayServers);
  const verdict = judgeTool(ours, rights, isMailTurn);
  const isHeld = looksInside && ours.kind === 'read' && rights.mode === 'agentic' && verdict.outcome === 'allow';
  const outside = isHeld ? lookedAtOutside(use.name, use.input, rights.cwd) : null;
  if (outside === null) return verdict;
  const message = `This session may read files inside ${rights.cwd} only; ${outside} is outside.`;
  return { outcome: 'refuse', because: 'outside', message };
}

const commandsThatRead =
  'This session may read, and edit inside its folder. Nothing keeps a command in that folder, and nobody may be asked here: it may run only commands that read. Use the Write and Edit tools for files; for other commands it has to be started with ask, or in unrestricted mode.';

/** Of a subagent: in the background, where 2.1.329 runs it unless told otherwise, it outlives the turn whose limits it has; a work tree of its own is written. */
function onlyReads(name: string, input: ToolInput): boolean {
  if (readers.has(name)) return true;
  if (name === 'Task' || name === 'Agent') return input['run_in_background'] === false && input['isolation'] === undefined;
  return name === 'Bash' && typeof input['command'] === 'string' && isReadOnlyCommand(input['command']);
}
