import type { AgentEvent } from 'agent-relay-protocol';
import { clampCount, RecentSet } from 'agent-relay-wire';
import type { ThreadItem } from '../app-server/items.ts';
import {
  type CodexHookRun,
  type CodexNotification,
  type KnownNotification,
  parseNotification,
  parseSubAgent,
  type Turn,
  type TurnError,
} from '../app-server/notifications.ts';
import { faultFrom } from './error-codes.ts';
import { fileChanged, type ItemContext, isUnsaid, toolCompleted, toolStarted } from './translate-item.ts';
import { codexEvent, hookRan, stepStatus, stepsOf } from './translate-words.ts';
import { threadSettingsPath } from './use-door.ts';

export interface CodexTranslatorOptions {
  /** MCP servers whose tools send and receive relay messages. */
  readonly relayServers: ReadonlySet<string>;
  /** The relay messages that were sent under this client id. */
  readonly messageIdsOf: (clientId: string) => readonly number[];
}

type Usage = Extract<AgentEvent, { type: 'usage.updated' }>['usage'];
type Events = readonly (AgentEvent | undefined)[];

/** Frequent, and either told in another way or of no interest to anybody who watches an agent. */
const ignored = new Set([
  'thread/started',
  'thread/queue/changed',
  'thread/settings/updated',
  'thread/readState/changed',
  'thread/name/updated',
  'thread/archived',
  'thread/unarchived',
  'thread/compacted',
  'item/reasoning/summaryPartAdded',
  'item/fileChange/outputDelta',
  'item/fileChange/patchUpdated',
  'item/plan/delta',
  'serverRequest/resolved',
]);

const attachedElsewhere = 'attached elsewhere: another Codex program has this conversation, and takes its messages when it is idle';

/** Share of the context window from which on an agent is about to lose or compact what it knows. */
const nearlyFull = 0.85;

/** Turns what a thread says into agent events. No clock and no input but the notifications: the same ones give the same events. */
export class CodexTranslator {
  readonly #options: CodexTranslatorOptions;
  readonly #startedTools = new RecentSet<string>(4096);
  #usage: { readonly turnId: string; readonly sum: Usage } | undefined;
  /** What Codex gave up a turn for: the turn's end may come without it. */
  #lastError: TurnError | undefined;
  #isContextNearlyFull = false;
  #isWaiting = false;
  /** The newest of the running turn: Codex repeats it whole with every edit. */
  #diff: string | undefined;
  #hasToldOwnHook = false;

  constructor(options: CodexTranslatorOptions) {
    this.#options = options;
  }

  translate(notification: CodexNotification): readonly AgentEvent[] {
    const known = parseNotification(notification);
    if (known) return this.#translateKnown(known).filter((event) => event !== undefined);
    return ignored.has(notification.method) ? [] : [codexEvent(notification.method, notification.params)];
  }

  #translateKnown(notification: KnownNotification): Events {
    const { method, params } = notification;
    switch (method) {
      case 'turn/started':
        return this.#turnStarted(params.turn.id);
      case 'turn/completed':
        return [this.#wholeDiff(params.turn.id), this.#turnEnd(params.turn), { type: 'session.status', status: 'idle' }];
      case 'thread/status/changed':
        return this.#status(params.status.activeFlags, params.status.type === 'active');
      case 'item/started':
        return this.#itemStarted(params.item, params.turnId);
      case 'item/completed':
        return this.#itemCompleted(params.item, params.turnId);
      case 'item/agentMessage/delta':
        return [{ type: 'text.delta', turnId: params.turnId, itemId: params.itemId, text: params.delta }];
      case 'item/reasoning/summaryTextDelta':
      case 'item/reasoning/textDelta':
        return [{ type: 'reasoning.delta', turnId: params.turnId, itemId: params.itemId, text: params.delta }];
      case 'item/commandExecution/outputDelta':
        return [{ type: 'tool.updated', turnId: params.turnId, itemId: params.itemId, output: params.delta }];
      case 'turn/plan/updated':
        return [planUpdated(params)];
      case 'thread/tokenUsage/updated':
        return this.#tokenUsage(params);
      case 'mcpServer/startupStatus/updated':
        return this.#mcpStatus(params);
      case 'error':
        if (params.willRetry) return [agentError(params)];
        // The last one, without a retry, is told with the end of the turn.
        this.#lastError = params.error;
        return [];
      case 'turn/diff/updated':
        this.#diff = params.diff;
        return [];
      case 'hook/started':
      case 'hook/completed':
        return params.run.sourcePath === threadSettingsPath ? this.#ownHookRan(params.run) : hookRan(method, params);
      case 'warning':
      case 'guardianWarning':
        return [{ type: 'agent.error', code: 'vendor_warning', message: params.message, willRetry: true }];
      case 'client/subAgent':
        return this.#ofSubAgent(notification);
      // Of the server as a whole, not of a thread: `ServerNews` tells them.
      case 'configWarning':
      case 'deprecationNotice':
      case 'account/updated':
      case 'account/login/completed':
      case 'account/rateLimits/updated':
        return [];
      case 'client/attachedElsewhere':
        if (params.isElsewhere) return [{ type: 'session.status', status: 'waiting', detail: attachedElsewhere }];
        return [{ type: 'session.status', status: 'idle' }];
      case 'thread/closed':
      case 'serverRequest/resolved':
        return [];
    }
  }

  #turnStarted(turnId: string): Events {
    this.#isWaiting = false;
    this.#lastError = undefined;
    this.#diff = undefined;
    return [
      { type: 'turn.started', turnId },
      { type: 'session.status', status: 'busy' },
    ];
  }

  /** The session's own hook is none of the agent's doings; one that cannot run keeps nobody from anything, and is told once. */
  #ownHookRan({ status, entries }: CodexHookRun): Events {
    if (status !== 'failed' || this.#hasToldOwnHook) return [];
    this.#hasToldOwnHook = true;
    const why = entries.flatMap(({ text }) => text ?? []).join(' ');
    const message = `Codex could not ask whether it may change what it changes, and goes on without: ${why || 'the hook failed'}`;
    return [{ type: 'agent.error', code: 'vendor_warning', message, willRetry: true }];
  }

  #itemStarted({ known }: ThreadItem, turnId: string): Events {
    return known && !isUnsaid(known) ? [this.#toolStarted(known, this.#context(turnId))] : [];
  }

  #itemCompleted({ known, type, raw }: ThreadItem, turnId: string): Events {
    if (!known) return [codexEvent(`item/${type}`, raw)];
    const context = this.#context(turnId);
    switch (known.type) {
      case 'userMessage':
        return [this.#userMessage(known, turnId)];
      case 'agentMessage':
        return known.text ? [{ type: 'text.completed', turnId, itemId: known.id, text: known.text }] : [];
      case 'reasoning': {
        const text = (known.summary.length > 0 ? known.summary : known.content).join('\n\n');
        return text === '' ? [] : [{ type: 'reasoning.completed', turnId, itemId: known.id, text }];
      }
      case 'plan':
        return [{ type: 'plan.updated', turnId, steps: stepsOf(known.text ?? '') }];
      case 'hookPrompt': {
        const text = known.fragments.flatMap((fragment) => (fragment.text ? [fragment.text] : [])).join('\n');
        return text === '' ? [] : [{ type: 'user.message', turnId, text }];
      }
      case 'enteredReviewMode':
        return [{ type: 'session.status', status: 'busy', detail: known.review ? `review: ${known.review}` : 'review' }];
      case 'exitedReviewMode':
        return [{ type: 'session.status', status: 'busy', detail: 'the review is over' }, codexEvent('review', raw)];
      case 'contextCompaction':
        this.#isContextNearlyFull = false;
        return [{ type: 'context.compacted' }];
      default:
        // What completed while nobody was connected was never seen to start.
        return [this.#toolStarted(known, context), fileChanged(known, context), toolCompleted(known, context)];
    }
  }

  /** Its calls and changes are shown under the call that runs it; what it says is said to that call, and is no answer of the agent. */
  #ofSubAgent(notification: Extract<KnownNotification, { method: 'client/subAgent' }>): Events {
    const { turnId, itemId } = notification.params;
    const known = parseSubAgent(notification);
    if (known?.method === 'item/commandExecution/outputDelta')
      return [{ type: 'tool.updated', turnId, itemId: known.params.itemId, output: known.params.delta }];
    if (known?.method === 'turn/started' || known?.method === 'turn/completed') return [subAgentTurn(itemId, known)];
    if (known?.method !== 'item/started' && known?.method !== 'item/completed') return [];
    const item = known.params.item.known;
    if (!item) return [];
    const context = { ...this.#context(turnId), parentItemId: itemId };
    if (known.method === 'item/started') return isUnsaid(item) ? [] : [this.#toolStarted(item, context)];
    if (item.type === 'agentMessage') return item.text ? [codexEvent('subAgent/message', { parentItemId: itemId, text: item.text })] : [];
    return [this.#toolStarted(item, context), fileChanged(item, context), toolCompleted(item, context)];
  }

  #wholeDiff(turnId: string): AgentEvent | undefined {
    const diff = this.#diff;
    this.#diff = undefined;
    return diff ? codexEvent('turn/diff', { turnId, diff }) : undefined;
  }

  #toolStarted(item: NonNullable<ThreadItem['known']>, context: ItemContext): AgentEvent | undefined {
    if (this.#startedTools.has(item.id)) return undefined;
    const event = toolStarted(item, context);
    if (event) this.#startedTools.add(item.id);
    return event;
  }

  #userMessage({ clientId, content }: Extract<NonNullable<ThreadItem['known']>, { type: 'userMessage' }>, turnId: string): AgentEvent {
    const text = content.flatMap((input) => (input.text ? [input.text] : [])).join('\n');
    const messageIds = clientId ? this.#options.messageIdsOf(clientId) : [];
    return { type: 'user.message', turnId, text, ...(messageIds.length === 0 ? {} : { messageIds: [...messageIds] }) };
  }

  #turnEnd({ id, status, error, items, durationMs }: Turn): AgentEvent {
    const given = error ?? this.#lastError;
    this.#lastError = undefined;
    if (status === 'failed' || (given && status === '')) {
      return { type: 'turn.failed', turnId: id, error: faultFrom(given ?? { message: 'The turn failed', codexErrorInfo: 'other' }) };
    }
    const last = items.findLast(({ known }) => known?.type === 'agentMessage')?.known;
    const text = last?.type === 'agentMessage' ? last.text : undefined;
    return {
      type: 'turn.completed',
      turnId: id,
      // What cannot be read has not been seen to go well.
      outcome: status === 'completed' ? 'finished' : 'interrupted',
      ...(text ? { text } : {}),
      ...(this.#usage?.turnId === id ? { usage: this.#usage.sum } : {}),
      ...(durationMs === undefined ? {} : { durationMs }),
    };
  }

  /** Busy and idle follow the turns, because Codex says idle before it says that the turn is over. */
  #status(flags: readonly string[], isActive: boolean): Events {
    const isWaiting = isActive && flags.length > 0;
    if (isWaiting === this.#isWaiting) return [];
    this.#isWaiting = isWaiting;
    if (isWaiting) return [{ type: 'session.status', status: 'waiting', detail: flags.join(', ') }];
    return isActive ? [{ type: 'session.status', status: 'busy' }] : [];
  }

  /** Codex reports each call of the model by itself; a turn's usage is their sum. */
  #tokenUsage({ turnId, tokenUsage }: Extract<KnownNotification, { method: 'thread/tokenUsage/updated' }>['params']): Events {
    const { last, modelContextWindow } = tokenUsage;
    const before = this.#usage?.turnId === turnId ? this.#usage.sum : undefined;
    const usage: Usage = {
      inputTokens: clampCount((before?.inputTokens ?? 0) + last.inputTokens),
      outputTokens: clampCount((before?.outputTokens ?? 0) + last.outputTokens),
      cachedInputTokens: clampCount((before?.cachedInputTokens ?? 0) + last.cachedInputTokens),
      reasoningTokens: clampCount((before?.reasoningTokens ?? 0) + last.reasoningOutputTokens),
      ...(modelContextWindow ? { contextWindow: modelContextWindow } : {}),
    };
    this.#usage = { turnId, sum: usage };
    return [{ type: 'usage.updated', turnId, usage }, this.#contextWarning(last.totalTokens, modelContextWindow)];
  }

  #contextWarning(usedTokens: number, contextWindow: number): AgentEvent | undefined {
    const isNearlyFull = contextWindow > 0 && usedTokens >= contextWindow * nearlyFull;
    const isNews = isNearlyFull && !this.#isContextNearlyFull;
    this.#isContextNearlyFull = isNearlyFull;
    return isNews ? { type: 'context.warning', usedTokens, contextWindow } : undefined;
  }

  #mcpStatus({ name, status, error }: Extract<KnownNotification, { method: 'mcpServer/startupStatus/updated' }>['params']): Events {
    if (status !== 'failed') return [];
    const message = `The tools of ${name} are not available${error ? `: ${error}` : ''}`;
    return [
      {
        type: 'agent.error',
        code: this.#options.relayServers.has(name) ? 'relay_tools_unavailable' : 'mcp_unavailable',
        message,
        willRetry: false,
      },
    ];
  }

  #context(turnId: string): ItemContext {
    return { turnId, relayServers: this.#options.relayServers };
  }
}

const planUpdated = ({ turnId, plan }: Extract<KnownNotification, { method: 'turn/plan/updated' }>['params']): AgentEvent => ({
  type: 'plan.updated',
  turnId,
  steps: plan.map(({ step, status }) => ({ step, status: stepStatus(status) })),
});

function agentError({ error, willRetry }: Extract<KnownNotification, { method: 'error' }>['params']): AgentEvent {
  const { code, message } = faultFrom(error);
  return { type: 'agent.error', code, message, willRetry };
}

/** That it works, and how it ended, is shown under the call; a turn of the session is only the agent's own. */
function subAgentTurn(parentItemId: string, { method, params }: Extract<KnownNotification, { method: 'turn/started' | 'turn/completed' }>) {
  const { id, status, error } = params.turn;
  const outcome = method === 'turn/started' ? 'started' : status;
  return codexEvent('subAgent/turn', { parentItemId, id, status: outcome, ...(error ? { error: faultFrom(error) } : {}) });
}
