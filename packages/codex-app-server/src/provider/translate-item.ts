import type { AgentEvent, ToolKind } from 'agent-relay-protocol';
import type { KnownItem } from '../app-server/items.ts';

type ToolStarted = Extract<AgentEvent, { type: 'tool.started' }>;
type ToolCompleted = Extract<AgentEvent, { type: 'tool.completed' }>;
type FileChanged = Extract<AgentEvent, { type: 'file.changed' }>;
type FileChange = FileChanged['changes'][number];

export interface ItemContext {
  readonly turnId: string;
  /** MCP servers whose tools send and receive relay messages. */
  readonly relayServers: ReadonlySet<string>;
  /** The call that runs the sub-agent whose item this is. */
  readonly parentItemId?: string | undefined;
}

interface Tool {
  readonly name: string;
  readonly kind: ToolKind;
  readonly title: string;
  readonly input?: ToolStarted['input'];
}

/** The tool that an item stands for; `undefined` for what is no tool. */
function toolOf(item: KnownItem, { relayServers }: ItemContext): Tool | undefined {
  switch (item.type) {
    case 'commandExecution':
      return { name: 'exec_command', kind: 'execute', title: item.command, input: { command: item.command, cwd: item.cwd ?? null } };
    case 'fileChange': {
      const paths = item.changes.map(({ path }) => path);
      return { name: 'apply_patch', kind: 'edit', title: `Edit ${paths.join(', ')}`, input: { paths } };
    }
    case 'mcpToolCall': {
      const kind = relayServers.has(item.server) ? 'message' : 'other';
      return { name: item.tool, kind, title: `${item.server}: ${item.tool}`, input: item.arguments ?? null };
    }
    case 'dynamicToolCall': {
      const kind = relayServers.has(item.namespace ?? '') ? 'message' : 'other';
      return {
        name: item.tool,
        kind,
        title: item.namespace ? `${item.namespace}: ${item.tool}` : item.tool,
        input: item.arguments ?? null,
      };
    }
    case 'webSearch':
      return { name: 'web_search', kind: 'search', title: `Search ${item.query}`, input: { query: item.query } };
    case 'imageView':
      return { name: 'view_image', kind: 'read', title: `View ${item.path}`, input: { path: item.path } };
    case 'collabAgentToolCall':
      return { name: item.tool, kind: 'other', title: item.prompt ?? item.tool };
    case 'subAgentActivity':
      return { name: 'sub_agent', kind: 'other', title: `Sub-agent ${item.agentPath}: ${item.kind}` };
    default:
      return undefined;
  }
}

export function toolStarted(item: KnownItem, context: ItemContext): ToolStarted | undefined {
  const tool = toolOf(item, context);
  const { turnId, parentItemId } = context;
  return tool && { type: 'tool.started', turnId, itemId: item.id, ...(parentItemId === undefined ? {} : { parentItemId }), ...tool };
}

/** Of a search Codex says only at its end what is looked for: it is told then. */
export const isUnsaid = (item: KnownItem): boolean => item.type === 'webSearch' && item.query === '';

export function toolCompleted(item: KnownItem, context: ItemContext): ToolCompleted | undefined {
  if (!toolOf(item, context)) return undefined;
  const output = outputOf(item);
  return {
    type: 'tool.completed',
    turnId: context.turnId,
    itemId: item.id,
    outcome: outcomeOf(typeof item['status'] === 'string' ? item['status'] : 'completed'),
    ...(output === undefined ? {} : { output }),
    ...(item.type === 'commandExecution' && typeof item.exitCode === 'number' ? { exitCode: item.exitCode } : {}),
  };
}

/** Only for what was really written: a declined or failed patch changed nothing. */
export function fileChanged(item: KnownItem, { turnId }: ItemContext): FileChanged | undefined {
  if (item.type !== 'fileChange' || item.status !== 'completed' || item.changes.length === 0) return undefined;
  return { type: 'file.changed', turnId, itemId: item.id, changes: item.changes.map(toFileChange) };
}

function toFileChange({ path, kind, diff }: Extract<KnownItem, { type: 'fileChange' }>['changes'][number]): FileChange {
  const details = diff ? { path, diff } : { path };
  if (kind.type === 'add') return { ...details, change: 'added' };
  if (kind.type === 'delete') return { ...details, change: 'deleted' };
  return kind.move_path ? { ...details, change: 'moved', movedTo: kind.move_path } : { ...details, change: 'updated' };
}

function outputOf(item: KnownItem): string | undefined {
  if (item.type === 'commandExecution') return item.aggregatedOutput ?? undefined;
  if (item.type === 'dynamicToolCall') return item.contentItems.flatMap(({ text }) => (text ? [text] : [])).join('\n') || undefined;
  if (item.type !== 'mcpToolCall') return undefined;
  if (item.error) return item.error.message;
  return item.result?.content.flatMap(({ text }) => (text ? [text] : [])).join('\n');
}

function outcomeOf(status: string): ToolCompleted['outcome'] {
  if (status === 'completed') return 'succeeded';
  if (status === 'declined') return 'declined';
  return status === 'failed' ? 'failed' : 'interrupted';
}
