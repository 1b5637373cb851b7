import type { ToolKind } from 'agent-relay-protocol';

export type ToolInput = Readonly<Record<string, unknown>>;

const kinds: Readonly<Record<string, ToolKind>> = {
  Read: 'read',
  NotebookRead: 'read',
  LS: 'read',
  BashOutput: 'read',
  TaskOutput: 'read',
  Edit: 'edit',
  MultiEdit: 'edit',
  Write: 'edit',
  NotebookEdit: 'edit',
  Bash: 'execute',
  PowerShell: 'execute',
  Monitor: 'execute',
  KillShell: 'execute',
  Grep: 'search',
  Glob: 'search',
  ToolSearch: 'search',
  WebSearch: 'search',
  WebFetch: 'fetch',
  SendMessage: 'message',
  TodoWrite: 'think',
  EnterPlanMode: 'think',
  ExitPlanMode: 'think',
};

/** The prefix under which Claude offers the tools of an MCP server. */
export const mcpPrefix = (serverName: string): string => `mcp__${serverName.replace(/[^a-zA-Z0-9_-]/gu, '_')}__`;

/** What the relay calls this tool; null when it is none of its. */
export function relayTool(name: string, relayServers: readonly string[]): string | null {
  const prefix = relayServers.map(mcpPrefix).find((candidate) => name.startsWith(candidate));
  return prefix === undefined ? null : name.slice(prefix.length);
}

export function toolKind(name: string, relayServers: readonly string[]): ToolKind {
  if (relayTool(name, relayServers) !== null) return 'message';
  return kinds[name] ?? 'other';
}

/** What a tool is about, in a few words: its command, its path, its query. */
export function toolTitle(name: string, input: ToolInput): string {
  const [, bareName = name] = /^mcp__.+?__(.+)$/u.exec(name) ?? [];
  for (const key of ['command', 'file_path', 'notebook_path', 'path', 'pattern', 'query', 'url', 'description', 'skill', 'to']) {
    const value = input[key];
    if (typeof value !== 'string' || value === '') continue;
    const line = value.split('\n', 1)[0] ?? '';
    return `${bareName}: ${line.length > 200 ? `${line.slice(0, 200)}…` : line}`;
  }
  return bareName;
}

/** The file that an editing tool would change. */
export function editedPath(input: ToolInput): string | null {
  const path = input['file_path'] ?? input['notebook_path'];
  return typeof path === 'string' && path !== '' ? path : null;
}
