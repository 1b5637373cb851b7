import type { AgentEvent } from 'agent-relay-protocol';
import type { LiveEvent } from 'agent-relay-provider';
import { UnseenPrompts } from 'agent-relay-provider/kit';
import { clampCount } from 'agent-relay-wire';
import type { KnownItem } from '../../app-server/items.ts';
import { type ExecEvent, type ExecItem, type ExecUsage, parseExecEvent } from '../../exec/exec-events.ts';
import { faultFrom } from '../error-codes.ts';
import { fileChanged, type ItemContext, isUnsaid, toolCompleted, toolStarted } from '../translate-item.ts';

type Usage = Extract<AgentEvent, { type: 'usage.updated' }>['usage'];
type ItemEvent = Extract<ExecEvent, { type: 'item.started' | 'item.updated' | 'item.completed' }>;

/** One prompt as the translator knows it. */
export interface ExecTurn {
  readonly turnId: string;
  readonly text: string;
  readonly messageIds: readonly number[];
}

export interface ExecTranslatorOptions {
  readonly relayServers: ReadonlySet<string>;
  /** The thread has turns of an earlier session. */
  readonly isResumed: boolean;
}

/** Turns what `codex exec` prints into agent events, a turn for each of its runs. */
export class ExecTranslator {
  readonly #relayServers: ReadonlySet<string>;
  readonly #unseen = new UnseenPrompts('turn');
  readonly #isResumed: boolean;
  #total: ExecUsage | undefined;
  #turn: ExecTurn | undefined;
  #hasEnded = true;
  /** Told once it is known that it was not the turn's last. */
  #lastError: string | undefined;
  #lastText: string | undefined;

  constructor({ relayServers, isResumed }: ExecTranslatorOptions) {
    this.#relayServers = relayServers;
    this.#isResumed = isResumed;
  }

  /** The turn that runs has said how it ended. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** What is printed from here on belongs to this turn. */
  begin(turn: ExecTurn): void {
    this.#turn = turn;
    this.#hasEnded = false;
    this.#lastError = undefined;
    this.#lastText = undefined;
  }

  translate(line: unknown): readonly LiveEvent[] {
    const turn = this.#turn;
    const event = parseExecEvent(line);
    if (!turn || event?.type === 'thread.started') return [];
    if (!event) return [vendorEvent(line)];
    const retried = event.type === 'turn.failed' ? [] : this.#retried();
    return [...retried, ...this.#translate(event, turn)];
  }

  #translate(event: Exclude<ExecEvent, { type: 'thread.started' }>, turn: ExecTurn): readonly LiveEvent[] {
    const { turnId, text, messageIds } = turn;
    switch (event.type) {
      case 'turn.started':
        this.#unseen.entered(messageIds, turnId);
        return [
          { type: 'turn.started', turnId },
          { type: 'session.status', status: 'busy' },
          { type: 'user.message', turnId, text, ...(messageIds.length === 0 ? {} : { messageIds: [...messageIds] }) },
        ];
      case 'turn.completed': {
        this.#hasEnded = true;
        const usage = event.usage && this.#usageOfTurn(event.usage);
        const end = { type: 'turn.completed', turnId, outcome: 'finished' } as const;
        return [
          ...this.#unseen.modelSpoke(turnId),
          ...(usage ? [{ type: 'usage.updated', turnId, usage } as const] : []),
          { ...end, ...(this.#lastText ? { text: this.#lastText } : {}), ...(usage ? { usage } : {}) },
        ];
      }
      case 'turn.failed':
        this.#hasEnded = true;
        this.#unseen.forget(turnId);
        return [{ type: 'turn.failed', turnId, error: faultFrom({ ...event.error, codexErrorInfo: 'other' }) }];
      case 'error':
        this.#lastError = event.message;
        return [];
      case 'item.started':
      case 'item.updated':
      case 'item.completed':
        return [...this.#unseen.modelSpoke(turnId), ...this.#item(event, turnId)];
    }
  }

  /** The run is over without a word about its turn. */
  forget(turnId: string): void {
    this.#hasEnded = true;
    this.#unseen.forget(turnId);
  }

  #retried(): readonly LiveEvent[] {
    const message = this.#lastError;
    this.#lastError = undefined;
    return message === undefined ? [] : [{ type: 'agent.error', code: 'other', message, willRetry: true }];
  }

  /** Codex counts the whole conversation: what it was before a session that goes on with one is not known. */
  #usageOfTurn(total: ExecUsage): Usage | undefined {
    const before = this.#total;
    this.#total = total;
    if (this.#isResumed && before === undefined) return undefined;
    const since = (key: keyof ExecUsage & string): number => clampCount(Number(total[key]) - Number(before?.[key] ?? 0));
    return {
      inputTokens: since('input_tokens'),
      outputTokens: since('output_tokens'),
      cachedInputTokens: since('cached_input_tokens'),
      reasoningTokens: since('reasoning_output_tokens'),
    };
  }

  #item({ type, item }: ItemEvent, turnId: string): readonly LiveEvent[] {
    const isDone = type === 'item.completed';
    const itemId = `${turnId}:${item.id}`;
    const { known } = item;
    if (!known) return isDone ? [vendorEvent(item.raw)] : [];
    switch (known.type) {
      case 'agent_message':
        if (!isDone || !known.text) return [];
        this.#lastText = known.text;
        return [{ type: 'text.completed', turnId, itemId, text: known.text }];
      case 'reasoning':
        return isDone && known.text ? [{ type: 'reasoning.completed', turnId, itemId, text: known.text }] : [];
      case 'todo_list': {
        const steps = known.items.map(({ text, completed }) => ({
          step: text,
          status: completed ? ('done' as const) : ('pending' as const),
        }));
        return [{ type: 'plan.updated', turnId, steps }];
      }
      case 'error':
        return [{ type: 'agent.error', code: 'other', message: known.message, willRetry: true }];
      default:
        return this.#tool({ ...asThreadItem(known), id: itemId }, { turnId, relayServers: this.#relayServers }, isDone);
    }
  }

  #tool(item: KnownItem, context: ItemContext, isDone: boolean): readonly LiveEvent[] {
    const events = isDone
      ? [toolStarted(item, context), fileChanged(item, context), toolCompleted(item, context)]
      : [isUnsaid(item) ? undefined : toolStarted(item, context)];
    return events.filter((event) => event !== undefined);
  }
}

type ToolItem = Exclude<ExecItem, { type: 'agent_message' | 'reasoning' | 'todo_list' | 'error' }>;

/** The same item in the words of the app-server. */
function asThreadItem(item: ToolItem): KnownItem {
  const { id } = item;
  switch (item.type) {
    case 'command_execution': {
      const { command, aggregated_output: aggregatedOutput, exit_code: exitCode, status } = item;
      return { type: 'commandExecution', id, command, cwd: undefined, status, aggregatedOutput, exitCode };
    }
    case 'file_change': {
      const changes = item.changes.map(({ path, kind }) => ({ path, kind: { type: kind, move_path: undefined }, diff: undefined }));
      return { type: 'fileChange', id, changes, status: item.status };
    }
    case 'mcp_tool_call': {
      const { server, tool, status, result, error } = item;
      return { type: 'mcpToolCall', id, server, tool, status, arguments: item.arguments, result, error };
    }
    case 'web_search':
      return { type: 'webSearch', id, query: item.query };
  }
}

function vendorEvent(line: unknown): LiveEvent {
  const name = typeof line === 'object' && line !== null && 'type' in line && typeof line.type === 'string' ? line.type : 'unknown';
  // It came as JSON text, so it is JSON.
  return {
    type: 'vendor.event',
    vendor: 'codex',
    name: name.slice(0, 128),
    data: (line ?? null) as Extract<AgentEvent, { type: 'vendor.event' }>['data'],
  };
}
