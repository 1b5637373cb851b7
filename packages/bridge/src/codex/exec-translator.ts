import type { AgentEvent } from 'agent-relay-protocol';
import type { LiveEvent } from 'agent-relay-provider';
import { count, lenient, lenientList } from 'agent-relay-wire';
import { z } from 'zod';

const text = lenient(z.string());
const Item = z.looseObject({
  id: z.string().min(1),
  type: z.string(),
  ...{ text, command: text, aggregated_output: text, status: text, server: text, tool: text, query: text, message: text },
  exit_code: lenient(z.int()),
  arguments: lenient(z.json()),
  changes: lenientList(z.looseObject({ path: z.string().min(1), kind: text })),
  items: lenientList(z.looseObject({ text: z.string(), completed: lenient(z.boolean()) })),
});
type Item = z.infer<typeof Item>;

const Line = z.looseObject({
  type: z.string(),
  thread_id: text,
  message: text,
  error: lenient(z.looseObject({ message: text })),
  item: lenient(Item),
  usage: lenient(z.looseObject({ input_tokens: count, cached_input_tokens: count, output_tokens: count })),
});

type ToolStarted = Extract<AgentEvent, { type: 'tool.started' }>;
type Change = Extract<AgentEvent, { type: 'file.changed' }>['changes'][number];

/** What a line of `codex exec --json` says; `threadId` of the line that tells it, `end` of the one that ends the turn. */
export interface TranslatedLine {
  readonly events: readonly LiveEvent[];
  readonly threadId?: string;
  readonly end?: 'completed' | { readonly failure: string };
}

/**
 * The lines of one turn as agent events: no clock, no I/O. `error` is no end: Codex tells with it that it connects again, and goes on; its last one is why a turn
 * failed whose own word does not come.
 */
export class ExecTranslator {
  readonly #turnId: string;
  readonly #started = new Set<string>();
  lastError: string | null = null;

  constructor(turnId: string) {
    this.#turnId = turnId;
  }

  translate(line: unknown): TranslatedLine {
    const parsed = Line.safeParse(line);
    if (!parsed.success) return { events: [] };
    const { type, thread_id: threadId, item, message, error, usage } = parsed.data;
    switch (type) {
      case 'thread.started':
        return { events: [], ...(threadId ? { threadId } : {}) };
      case 'item.started':
      case 'item.updated':
      case 'item.completed':
        return { events: item ? this.#item(item, type === 'item.completed') : [] };
      case 'turn.completed':
        return { events: usage ? [this.#usage(usage)] : [], end: 'completed' };
      case 'turn.failed':
        return { events: [], end: { failure: error?.message ?? this.lastError ?? 'Codex turn failed' } };
      case 'error': {
        this.lastError = message ?? 'Codex error';
        return { events: [{ type: 'agent.error', code: 'agent_error', message: this.lastError, willRetry: true }] };
      }
      default:
        return { events: [] };
    }
  }

  #item(item: Item, isCompleted: boolean): LiveEvent[] {
    const place = { turnId: this.#turnId, itemId: `${this.#turnId}:${item.id}` };
    switch (item.type) {
      case 'agent_message':
        return isCompleted && item.text ? [{ type: 'text.completed', ...place, text: item.text }] : [];
      case 'reasoning':
        return isCompleted && item.text ? [{ type: 'reasoning.completed', ...place, text: item.text }] : [];
      case 'todo_list': {
        const steps = item.items.map((step) => ({ step: step.text, status: step.completed ? ('done' as const) : ('pending' as const) }));
        return [{ type: 'plan.updated', turnId: this.#turnId, steps }];
      }
      case 'error':
        return [{ type: 'agent.error', code: 'agent_error', message: item.message ?? 'Codex error', willRetry: true }];
      default:
        return this.#tool(item, place, isCompleted);
    }
  }

  #tool(item: Item, place: { readonly turnId: string; readonly itemId: string }, isCompleted: boolean): LiveEvent[] {
    const tool = toolOf(item);
    if (!tool) return [];
    const start: LiveEvent[] = this.#started.has(item.id) ? [] : [{ type: 'tool.started', ...place, ...tool }];
    this.#started.add(item.id);
    if (!isCompleted) return start;
    const isDone = item.status === undefined || item.status === 'completed';
    const changes: Change[] = item.changes.map(({ path, kind }) => ({ path, change: changeOf(kind) }));
    const changed: LiveEvent[] = isDone && changes.length > 0 ? [{ type: 'file.changed', turnId: place.turnId, changes }] : [];
    const completed: LiveEvent = {
      type: 'tool.completed',
      ...place,
      outcome: isDone ? 'succeeded' : item.status === 'declined' ? 'declined' : 'failed',
      ...(item.aggregated_output === undefined ? {} : { output: item.aggregated_output }),
      ...(item.exit_code === undefined ? {} : { exitCode: item.exit_code }),
    };
    return [...start, ...changed, completed];
  }

  #usage({ input_tokens: inputTokens, cached_input_tokens: cachedInputTokens, output_tokens: outputTokens }: Usage): LiveEvent {
    return { type: 'usage.updated', turnId: this.#turnId, usage: { inputTokens, cachedInputTokens, outputTokens } };
  }
}

type Usage = NonNullable<z.infer<typeof Line>['usage']>;

function changeOf(kind: string | undefined): Change['change'] {
  if (kind === 'add') return 'added';
  return kind === 'delete' ? 'deleted' : 'updated';
}

function toolOf(item: Item): Pick<ToolStarted, 'name' | 'kind' | 'title' | 'input'> | null {
  switch (item.type) {
    case 'command_execution':
      return { name: 'exec_command', kind: 'execute', title: item.command ?? 'command', input: { command: item.command ?? '' } };
    case 'file_change':
      return { name: 'apply_patch', kind: 'edit', title: 'Edit files', input: { paths: item.changes.map(({ path }) => path) } };
    case 'mcp_tool_call':
      return { name: item.tool ?? 'tool', kind: 'other', title: `${item.server}: ${item.tool}`, input: item.arguments ?? null };
    case 'web_search':
      return { name: 'web_search', kind: 'search', title: `Search ${item.query ?? ''}`, input: { query: item.query ?? '' } };
    default:
      return null;
  }
}
