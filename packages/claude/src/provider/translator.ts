import type { LiveEvent } from 'agent-relay-provider';
import { z } from 'zod';
import type { ClaudeFrame } from '../stream-json/frames.ts';
import {
  AssistantFrame,
  CommandLifecycleFrame,
  RateLimitFrame,
  ResultFrame,
  StreamEventFrame,
  SystemFrame,
  UserFrame,
} from '../stream-json/message-frames.ts';
import { ContextFill } from './context-fill.ts';
import { faultFrom } from './error-codes.ts';
import { MessageItems } from './message-items.ts';
import { apiRetry, introduction, rateLimit, vendorEvent } from './plain-events.ts';
import type { PromptLedger, SentPrompt } from './prompt-ledger.ts';
import { usageOf, wasInterrupted } from './turn-result.ts';
import { TurnState } from './turn-state.ts';
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

/**
 * Turns the frames of one session into agent events: no clock, no randomness, no I/O. Frames must come in order and once each. What no
 * event has a word for becomes `vendor.event`; what cannot be read is never a fault.
 *
 * A turn ends with `result`. A result without a turn (context was added, a command answered) is no turn.
 */
export class ClaudeTranslator {
  readonly #cwd: string;
  readonly #turn = new TurnState();
  readonly #items: MessageItems;
  readonly #context = new ContextFill();
  readonly #waiting = new WaitingForPerson();
  #assistantError: string | null = null;
  #costUsd = 0;
  #tellsState = false;
  #isIntroduced = false;
  #sessionId: string | null = null;
  #model: string | null = null;
  #saidCwd: string | null = null;

  constructor({ relayServers, cwd }: ClaudeTranslatorOptions) {
    this.#items = new MessageItems(relayServers);
    this.#cwd = cwd;
  }

  get ledger(): PromptLedger {
    return this.#turn.ledger;
  }

  get turnId(): string | null {
    return this.#turn.id;
  }

  /** See `TurnState`. */
  get isMailTurn(): boolean {
    return this.#turn.isMail;
  }

  /** See `TurnState`. */
  get mayHoldMail(): boolean {
    return this.#turn.mayHoldMail;
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
    this.#turn.mailArrived();
  }

  /** Our own refusal. */
  declined(toolUseId: string | undefined): void {
    if (toolUseId !== undefined) this.#items.declined(toolUseId);
  }

  /** The turn was stopped, and its `result` does not come. */
  stopped(turnId: string): LiveEvent[] {
    if (this.#turn.id !== turnId) return [];
    this.#turn.stop();
    this.#items.turnEnded();
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
        return read(UserFrame, frame, (user) => this.#user(user, frame));
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
    this.#turn.hear(frame);
    switch (frame.subtype) {
      case 'init':
        return [...this.#init(frame), ...this.#begun(this.#turn.introduced())];
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
    const turnId = this.#turn.end();
    const end: LiveEvent[] = turnId === null ? [] : [{ type: 'turn.completed', turnId, outcome: 'finished' }];
    return [...end, { type: 'session.status', status: 'idle' }];
  }

  #goesOn(status: 'busy' | null): LiveEvent[] {
    return this.#turn.id === null ? [] : statusTold(status);
  }

  #lifecycle(uuid: string, state: string): LiveEvent[] {
    if (state === 'queued') return [...this.ledger.queued(uuid)];
    if (state === 'started') return this.#begun(this.#turn.promptEntered(uuid));
    if (state === 'cancelled') this.ledger.dropped(uuid);
    return [];
  }

  #beginTurn(parent: string | null = null): LiveEvent[] {
    return this.#begun(this.#turn.begin({ parent }));
  }

  /** A turn that begins has not failed yet. */
  #begun(events: LiveEvent[]): LiveEvent[] {
    if (events.some(({ type }) => type === 'turn.started')) this.#assistantError = null;
    return events;
  }

  #streamEvent(frame: StreamEventFrame): LiveEvent[] {
    if (frame.parent_tool_use_id) return [];
    if (frame.event.type !== 'message_start') return this.#items.delta(frame, this.#turn);
    this.#items.messageStarts(frame.event.message?.id, this.#turn);
    return this.#begun(this.#turn.modelSpoke());
  }

  #assistant(frame: AssistantFrame): LiveEvent[] {
    const { error, parent_tool_use_id: parent } = frame;
    if (error) {
      // A turn that begins with its failure keeps it.
      const begin = this.#beginTurn();
      this.#assistantError = typeof error === 'string' ? error : 'unknown';
      return begin;
    }
    if (parent) return [...this.#beginTurn(parent), ...this.#items.message(frame, this.#turn)];
    return [...this.#begun(this.#turn.modelSpoke()), ...this.#items.message(frame, this.#turn), ...this.#context.spoke(frame)];
  }

  #user(frame: UserFrame, whole: ClaudeFrame): LiveEvent[] {
    if (!frame.isReplay) {
      // The hook that tells of it may have been lost with its link; what it was asked about is repeated.
      if (this.#items.holdMail(frame)) this.mailArrivedByTool();
      return this.#items.results(frame);
    }
    if (frame.uuid === undefined) return [];
    const found = this.ledger.found(frame.uuid, echoedText(whole));
    if (found.length > 0) this.#turn.mailArrived();
    return [...found, ...this.#begun(this.#turn.promptEchoed(frame.uuid))];
  }

  #result(result: ResultFrame): LiveEvent[] {
    this.#items.turnEnded();
    const usage = usageOf(result, this.#costUsd);
    this.#costUsd = Math.max(this.#costUsd, result.total_cost_usd ?? 0);
    const error = faultFrom(result, this.#assistantError);
    const turnId = this.#turn.end();
    const idle: LiveEvent[] = this.#tellsState ? [] : [{ type: 'session.status', status: 'idle' }];
    if (turnId === null) {
      return error ? [{ type: 'agent.error', code: error.code, message: error.message, willRetry: false }, ...idle] : idle;
    }
    const updated: LiveEvent[] = usage ? [{ type: 'usage.updated', turnId, usage }, ...this.#context.answered(result)] : [];
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

const Echo = z.looseObject({
  message: z.looseObject({ content: z.union([z.string(), z.array(z.looseObject({ text: z.string().optional() }))]) }),
});

/** The words of a prompt that Claude repeats. */
function echoedText(frame: ClaudeFrame): string {
  const echo = Echo.safeParse(frame);
  if (!echo.success) return '';
  const { content } = echo.data.message;
  return typeof content === 'string' ? content : content.map(({ text = '' }) => text).join('\n\n');
}
