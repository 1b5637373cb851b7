import { isMail, type LiveEvent } from 'agent-relay-provider';
import { RecentMap } from 'agent-relay-wire';
import type { ClaudeFrame } from '../stream-json/frames.ts';
import {
  AssistantFrame,
  CommandLifecycleFrame,
  type ContentBlock,
  RateLimitFrame,
  ResultFrame,
  StreamEventFrame,
  SystemFrame,
  UserFrame,
} from '../stream-json/message-frames.ts';
import { BackgroundTasks } from './background-tasks.ts';
import { faultFrom } from './error-codes.ts';
import { apiRetry, asJson, introduction, rateLimit, vendorEvent } from './plain-events.ts';
import { PromptLedger, type SentPrompt } from './prompt-ledger.ts';
import { type OpenTool, planUpdated, toolCompleted } from './tool-results.ts';
import { toolKind, toolTitle } from './tool-words.ts';
import { usageOf, wasInterrupted } from './turn-result.ts';
import { WaitingForPerson } from './waiting-for-person.ts';

export interface ClaudeTranslatorOptions {
  /** The MCP servers whose tools are messages. */
  readonly relayServers: readonly string[];
  /** Where Claude works, as `session.started` tells it when a new conversation begins. */
  readonly cwd: string;
}

/** Noise of every turn, and what other events say already. */
const silentSystem = new Set([
  'status',
  'thinking_tokens',
  'hook_started',
  'hook_response',
  'control_request_progress',
  'commands_changed',
]);

/** Results that never come must not keep inputs for ever. */
const openToolsKept = 256;

/**
 * Turns the frames of one session into agent events: no clock, no randomness, no I/O. Frames must come in order and once each. What no
 * event has a word for becomes `vendor.event`; what cannot be read is never a fault.
 *
 * A turn begins with the first sign that the model is asked, or with a prompt entering the conversation, and ends with `result`. Prompts that
 * Claude merges share a turn. A result without a turn (context was added, a command answered) is no turn.
 */
export class ClaudeTranslator {
  readonly ledger = new PromptLedger();
  readonly #relayServers: readonly string[];
  readonly #cwd: string;
  readonly #openTools = new RecentMap<string, OpenTool>(openToolsKept);
  readonly #declined = new Set<string>();
  readonly #tasks = new BackgroundTasks();
  #turnNumber = 0;
  #turnId: string | null = null;
  #isMailTurn = false;
  #hasPromptInTurn = false;
  /** A stopped turn of mail whose end has not come may go on: until Claude says that it ended, its tools are asked for as mail's are. */
  #mayStillBeMail = false;
  #assistantError: string | null = null;
  #streaming: { readonly messageId: string; blockIndex: number } | null = null;
  readonly #blocksOf = new Map<string, number>();
  #costUsd = 0;
  #tellsState = false;
  #isIntroduced = false;
  readonly #waiting = new WaitingForPerson();
  #sessionId: string | null = null;
  #model: string | null = null;
  #saidCwd: string | null = null;

  constructor({ relayServers, cwd }: ClaudeTranslatorOptions) {
    this.#relayServers = relayServers;
    this.#cwd = cwd;
  }

  get turnId(): string | null {
    return this.#turnId;
  }

  /**
   * Whether relay mail is in the running turn, or was in the last: a turn that Claude begins by itself continues what that one asked. While
   * it is not yet known what began a turn, mail that waits counts.
   */
  get isMailTurn(): boolean {
    return this.#mayStillBeMail || this.#isMailTurn || (!this.#hasPromptInTurn && this.ledger.hasWaitingMail);
  }

  /** Changes with `/clear`. */
  get sessionId(): string | null {
    return this.#sessionId;
  }

  get model(): string | null {
    return this.#model;
  }

  /** Where Claude says that it works; null before its first turn. */
  get cwd(): string | null {
    return this.#saidCwd;
  }

  /** The conversation that has been told of. */
  startedAs(sessionId: string): void {
    this.#sessionId = sessionId;
  }

  /** A person is asked: the session waits until each question has its answer. */
  questionAsked(): LiveEvent[] {
    return statusTold(this.#waiting.asked());
  }

  questionAnswered(): LiveEvent[] {
    return this.#goesOn(this.#waiting.answered());
  }

  sent(prompt: SentPrompt): void {
    this.ledger.add(prompt);
  }

  /** A tool of the relay's handed out what others wrote: from here on the turn is one of mail. */
  mailArrivedByTool(): void {
    this.#isMailTurn = true;
    this.#hasPromptInTurn = true;
  }

  /** Our own refusal: its tool result looks like any failure. */
  declined(toolUseId: string | undefined): void {
    if (toolUseId !== undefined) this.#declined.add(toolUseId);
  }

  /** The turn was stopped, and its `result` does not come. */
  stopped(turnId: string): LiveEvent[] {
    if (this.#turnId !== turnId) return [];
    this.#mayStillBeMail = this.isMailTurn;
    this.#turnId = null;
    this.#streaming = null;
    this.#blocksOf.clear();
    return [
      { type: 'turn.completed', turnId, outcome: 'interrupted' },
      { type: 'session.status', status: 'idle' },
    ];
  }

  translate(frame: ClaudeFrame): LiveEvent[] {
    return [...this.#newConversation(frame), ...this.#translate(frame)];
  }

  /** `/clear` keeps the process and begins another conversation. */
  #newConversation({ session_id: sessionId }: ClaudeFrame): LiveEvent[] {
    if (!sessionId || sessionId === this.#sessionId) return [];
    const isAnother = this.#sessionId !== null;
    this.#sessionId = sessionId;
    return isAnother ? [{ type: 'session.started', vendorSessionId: sessionId, cwd: this.#cwd }] : [];
  }

  #translate(frame: ClaudeFrame): LiveEvent[] {
    switch (frame.type) {
      case 'system':
        return read(SystemFrame, frame, (system) => this.#system(system));
      case 'stream_event':
        return read(StreamEventFrame, frame, (event) => this.#streamEvent(event));
      case 'assistant':
        return read(AssistantFrame, frame, (said) => (said.message || said.error ? this.#assistant(said) : [vendorEvent(frame)]));
      case 'user':
        return read(UserFrame, frame, (user) => this.#user(user));
      case 'result':
        return read(ResultFrame, frame, (result) => this.#result(result));
      case 'command_lifecycle':
        return read(CommandLifecycleFrame, frame, ({ command_uuid: uuid, state }) => this.#lifecycle(uuid, state));
      case 'rate_limit_event':
        return read(RateLimitFrame, frame, rateLimit);
      default:
        return [vendorEvent(frame)];
    }
  }

  #system(frame: SystemFrame): LiveEvent[] {
    this.#tasks.hear(frame);
    switch (frame.subtype) {
      case 'init':
        return this.#init(frame);
      case 'session_state_changed':
        return this.#stateChanged(frame.state);
      case 'api_retry':
        return [...this.#beginTurn(), apiRetry(frame)];
      case 'compact_boundary':
        return [{ type: 'context.compacted' }];
      case 'status':
        return frame.status === 'requesting' ? this.#beginTurn() : [];
      default:
        return silentSystem.has(frame.subtype) ? [] : [vendorEvent(frame)];
    }
  }

  #init(frame: SystemFrame): LiveEvent[] {
    if (frame.model !== undefined) this.#model = frame.model;
    if (frame.cwd !== undefined) this.#saidCwd = frame.cwd;
    if (this.#isIntroduced) return [];
    this.#isIntroduced = true;
    return introduction(frame);
  }

  #stateChanged(state: string | undefined): LiveEvent[] {
    this.#tellsState = true;
    if (state === 'requires_action') return statusTold(this.#waiting.needsAction());
    if (state !== 'idle') return this.#goesOn(this.#waiting.goesOn());
    this.#waiting.ended();
    this.#mayStillBeMail = false;
    const turnId = this.#turnId;
    this.#turnId = null;
    const end: LiveEvent[] = turnId === null ? [] : [{ type: 'turn.completed', turnId, outcome: 'finished' }];
    return [...end, { type: 'session.status', status: 'idle' }];
  }

  #goesOn(status: 'busy' | null): LiveEvent[] {
    return this.#turnId === null ? [] : statusTold(status);
  }

  #lifecycle(uuid: string, state: string): LiveEvent[] {
    if (state === 'queued') return [...this.ledger.queued(uuid)];
    if (state === 'started') return this.#promptEntered(uuid);
    if (state === 'cancelled') this.ledger.dropped(uuid);
    return [];
  }

  #promptEntered(uuid: string): LiveEvent[] {
    const entered = this.ledger.entered(uuid);
    if (!entered) return [];
    const { text, messageIds, isContext } = entered.prompt;
    const hasMail = messageIds.length > 0;
    if (isContext) return [...entered.events, { type: 'user.message', text, ...(hasMail ? { messageIds: [...messageIds] } : {}) }];
    const begin = this.#beginTurn({ isPrompted: true });
    const turnId = this.#turnId;
    this.#isMailTurn = (this.#hasPromptInTurn && this.#isMailTurn) || isMail(entered.prompt);
    this.#hasPromptInTurn = true;
    const message: LiveEvent = {
      type: 'user.message',
      text,
      ...(turnId === null ? {} : { turnId }),
      ...(hasMail ? { messageIds: [...messageIds] } : {}),
    };
    return [...begin, ...entered.events, message];
  }

  /** `parent`: a sub-agent's word is the first sign of it. A turn that a prompt waits for is taken to be that prompt's. */
  #beginTurn({ isPrompted = this.ledger.hasWaiting, parent = null }: { isPrompted?: boolean; parent?: string | null } = {}): LiveEvent[] {
    if (this.#turnId !== null) return [];
    const news = this.#tasks.takeCause(parent);
    const cause = isPrompted ? undefined : news;
    this.#turnNumber += 1;
    this.#turnId = `turn-${this.#turnNumber}`;
    this.#hasPromptInTurn = false;
    this.#assistantError = null;
    return [
      { type: 'turn.started', turnId: this.#turnId, ...(cause === undefined ? {} : { cause }) },
      { type: 'session.status', status: 'busy' },
    ];
  }

  #modelSpoke(): LiveEvent[] {
    return [...this.#beginTurn(), ...this.ledger.modelSpoke()];
  }

  #streamEvent({ event, parent_tool_use_id: parent }: StreamEventFrame): LiveEvent[] {
    if (parent) return [];
    if (event.type === 'message_start') {
      this.#streaming = { messageId: event.message?.id ?? `message-${this.#turnNumber}`, blockIndex: 0 };
      return this.#modelSpoke();
    }
    const streaming = this.#streaming;
    if (!streaming) return [];
    if (event.index !== undefined) streaming.blockIndex = event.index;
    if (event.type === 'message_stop') this.#streaming = null;
    const turnId = this.#turnId;
    const { text, thinking } = event.delta ?? {};
    if (event.type !== 'content_block_delta' || turnId === null) return [];
    const item = { turnId, itemId: `${streaming.messageId}:${streaming.blockIndex}` };
    if (text) return [{ type: 'text.delta', ...item, text }];
    return thinking ? [{ type: 'reasoning.delta', ...item, text: thinking }] : [];
  }

  #assistant({ message, error, parent_tool_use_id: parent }: AssistantFrame): LiveEvent[] {
    if (error) {
      // A turn that begins with its failure keeps it.
      const begin = this.#beginTurn();
      this.#assistantError = typeof error === 'string' ? error : 'unknown';
      return begin;
    }
    const events = parent ? this.#beginTurn({ parent }) : this.#modelSpoke();
    const messageId = message?.id ?? `message-${this.#turnNumber}`;
    for (const block of message?.content ?? []) events.push(...this.#block(messageId, block, parent ?? null));
    return events;
  }

  /** Claude sends a message once per block, in order, each before the end of that block's stream. */
  #block(messageId: string, block: ContentBlock, parent: string | null): LiveEvent[] {
    const turnId = this.#turnId;
    if (turnId === null) return [];
    const index = this.#streaming?.messageId === messageId ? this.#streaming.blockIndex : this.#nextIndex(messageId);
    const item = { turnId, itemId: `${messageId}:${index}` };
    if (block.type === 'tool_use') return this.#toolUse(turnId, block, parent);
    // What a subagent says belongs to the tool call that runs it.
    if (parent !== null) return block.text ? [{ type: 'tool.updated', turnId, itemId: parent, output: block.text }] : [];
    if (block.type === 'text' && block.text) return [{ type: 'text.completed', ...item, text: block.text }];
    if (block.type === 'thinking' && block.thinking) return [{ type: 'reasoning.completed', ...item, text: block.thinking }];
    return [];
  }

  #nextIndex(messageId: string): number {
    const index = this.#blocksOf.get(messageId) ?? 0;
    this.#blocksOf.set(messageId, index + 1);
    return index;
  }

  #toolUse(turnId: string, { id: itemId, name = 'unknown', input = {} }: ContentBlock, parent: string | null): LiveEvent[] {
    if (itemId === undefined) return [];
    this.#openTools.set(itemId, { turnId, itemId, name, input });
    const kind = toolKind(name, this.#relayServers);
    const started: LiveEvent = {
      type: 'tool.started',
      turnId,
      itemId,
      ...(parent ? { parentItemId: parent } : {}),
      name,
      kind,
      title: toolTitle(name, input),
      input: asJson(input),
    };
    return [started, ...planUpdated(turnId, name, input)];
  }

  #user({ uuid, isReplay, message, tool_use_result: details }: UserFrame): LiveEvent[] {
    if (isReplay) return uuid === undefined ? [] : this.#promptEntered(uuid);
    return (message?.content ?? []).flatMap((block) => {
      const tool = block.type === 'tool_result' && block.tool_use_id !== undefined ? this.#openTools.get(block.tool_use_id) : undefined;
      if (!tool) return [];
      this.#openTools.delete(tool.itemId);
      return toolCompleted(tool, block, details, this.#declined.delete(tool.itemId));
    });
  }

  #result(result: ResultFrame): LiveEvent[] {
    this.#streaming = null;
    this.#mayStillBeMail = false;
    this.#blocksOf.clear();
    const usage = usageOf(result, this.#costUsd);
    this.#costUsd = Math.max(this.#costUsd, result.total_cost_usd ?? 0);
    const error = faultFrom(result, this.#assistantError);
    const turnId = this.#turnId;
    const idle: LiveEvent[] = this.#tellsState ? [] : [{ type: 'session.status', status: 'idle' }];
    if (turnId === null) {
      return error ? [{ type: 'agent.error', code: error.code, message: error.message, willRetry: false }, ...idle] : idle;
    }
    this.#turnId = null;
    const updated: LiveEvent[] = usage ? [{ type: 'usage.updated', turnId, usage }] : [];
    if (error && !wasInterrupted(result)) return [...updated, { type: 'turn.failed', turnId, error }, ...idle];
    const text = result.result ?? undefined;
    const completed: LiveEvent = {
      type: 'turn.completed',
      turnId,
      outcome: wasInterrupted(result) ? 'interrupted' : 'finished',
      ...(text ? { text } : {}),
      ...(usage ? { usage } : {}),
      ...(result.duration_ms === undefined ? {} : { durationMs: result.duration_ms }),
    };
    return [...updated, completed, ...idle];
  }
}

const statusTold = (status: 'waiting' | 'busy' | null): LiveEvent[] => (status === null ? [] : [{ type: 'session.status', status }]);

interface Schema<T> {
  safeParse(value: unknown): { readonly success: true; readonly data: T } | { readonly success: false };
}

function read<T>(schema: Schema<T>, frame: ClaudeFrame, translate: (value: T) => LiveEvent[]): LiveEvent[] {
  const parsed = schema.safeParse(frame);
  return parsed.success ? translate(parsed.data) : [vendorEvent(frame)];
}
