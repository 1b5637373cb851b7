import { holdsMail, isMail, type LiveEvent, mayHandOutMail, type PromptInput } from 'agent-relay-provider';
import { clampCount } from 'agent-relay-wire';
import type { PromptAnswer, SessionUpdate, ToolReport } from '../acp/frames.ts';
import { faultFrom, faultOfStop } from './error-codes.ts';
import { fileChanges } from './file-changes.ts';
import { type AskedUse, merged, ToolUses, type TrackedUse } from './tool-uses.ts';
import { contentText, jsonOf, outcomeIn, outputText, relayTool, toolKind, toolName, toolTitle } from './tool-words.ts';

export interface AcpTranslatorOptions {
  /** What the provider is called: the vendor of its `vendor.event`s. */
  readonly vendor: string;
  readonly relayServers: readonly string[];
  /** What the agent says as if it were an answer and is a notice of its own. */
  readonly notices?: RegExp | undefined;
}

interface OpenText {
  readonly kind: 'text' | 'reasoning';
  readonly itemId: string;
  readonly messageId: string | undefined;
  text: string;
}

interface Turn {
  readonly id: string;
  readonly input: PromptInput;
  readonly uses: ToolUses;
  /** States of its messages that have been told. */
  told: 'nothing' | 'delivered' | 'seen';
  open: OpenText | undefined;
  items: number;
  lastText: string | undefined;
}

/** Of its context window that an agent has used up: from there it is warned of. */
const nearlyFull = 0.8;

interface Item {
  readonly turnId: string;
  readonly itemId: string;
}

/** What an agent tells, as events of the relay. No clock, no process: a recorded conversation gives the same events each time. */
export class AcpTranslator {
  readonly #options: AcpTranslatorOptions;
  #turn: Turn | undefined;
  #isMailTurn = false;
  #isNearlyFull = false;
  /** The agent counts over the whole session. */
  #totalCostUsd = 0;
  #countedCostUsd = 0;

  constructor(options: AcpTranslatorOptions) {
    this.#options = options;
  }

  /** Relay mail is part of the running turn: it began it, or one of the relay's tools has handed it out. */
  get isMailTurn(): boolean {
    return this.#isMailTurn;
  }

  /** A prompt goes to the agent: its turn begins. */
  begin(id: string, input: PromptInput): LiveEvent[] {
    this.#turn = { id, input, uses: new ToolUses(id), told: 'nothing', open: undefined, items: 0, lastText: undefined };
    this.#isMailTurn = isMail(input);
    return [
      { type: 'turn.started', turnId: id },
      { type: 'session.status', status: 'busy' },
      { type: 'user.message', turnId: id, text: input.text, messageIds: [...input.messageIds] },
    ];
  }

  /** The agent has answered the prompt. */
  end(answer: PromptAnswer, wasStopped: boolean): LiveEvent[] {
    const turn = this.#turn;
    if (!turn) return [];
    const fault = faultOfStop(answer.stopReason);
    const usage = this.#usageOf(answer);
    const isInterrupted = answer.stopReason === 'cancelled' || (wasStopped && answer.stopReason !== 'end_turn');
    // It took the prompt, also one that it was then stopped in; that its model read it is known only where the model has said something.
    const taken = this.#accepted(turn, 'delivered');
    const before = [...this.#closeText(turn), ...taken, ...(usage ? [{ type: 'usage.updated' as const, turnId: turn.id, usage }] : [])];
    if (fault !== null && !isInterrupted) return this.#over([...before, { type: 'turn.failed', turnId: turn.id, error: fault }]);
    const end: LiveEvent = {
      type: 'turn.completed',
      turnId: turn.id,
      outcome: isInterrupted ? 'interrupted' : 'finished',
      ...(turn.lastText === undefined ? {} : { text: turn.lastText }),
      ...(usage ? { usage } : {}),
    };
    return this.#over([...before, end]);
  }

  /** The agent answered the prompt with an error. One after a cancel is how some say that they have stopped. */
  fail(error: unknown, wasStopped: boolean): LiveEvent[] {
    const turn = this.#turn;
    if (!turn) return [];
    const end: LiveEvent = wasStopped
      ? { type: 'turn.completed', turnId: turn.id, outcome: 'interrupted' }
      : { type: 'turn.failed', turnId: turn.id, error: faultFrom(error) };
    // What it was stopped in it had: nobody runs that again unasked.
    return this.#over([...this.#closeText(turn), ...(wasStopped ? this.#accepted(turn, 'delivered') : []), end]);
  }

  /** What the agent asks about may not have been told yet. Null outside of a turn. */
  asked(question: ToolReport): { readonly asked: AskedUse; readonly events: LiveEvent[] } | null {
    const turn = this.#turn;
    if (!turn) return null;
    // Whatever it says of itself, it is not over before it is answered.
    const report = { ...question, status: 'pending' };
    const asked = turn.uses.asked(report);
    return { asked, events: this.#toolTold(turn, { call: asked.call, isNew: asked.isNew, report }) };
  }

  /** Agents tell nothing more of what was refused. */
  declined(call: TrackedUse): LiveEvent[] {
    const turn = this.#turn;
    if (!turn || call.isOver) return [];
    call.isOver = true;
    return [{ type: 'tool.completed', turnId: turn.id, itemId: call.itemId, outcome: 'declined' }];
  }

  update(update: SessionUpdate): LiveEvent[] {
    switch (update.sessionUpdate) {
      case 'agent_message_chunk':
        return this.#words('text', update);
      case 'agent_thought_chunk':
        return this.#words('reasoning', update);
      case 'tool_call':
      case 'tool_call_update':
        return this.#tool(update, update.sessionUpdate === 'tool_call');
      case 'plan': {
        const steps = update.entries.map(({ content, status }) => ({ step: content, status: planStatus(status) }));
        return [{ type: 'plan.updated', ...(this.#turn ? { turnId: this.#turn.id } : {}), steps }];
      }
      case 'usage_update':
        return this.#usage(update);
      case 'unknown':
        return [this.#vendorEvent(nameOf(update.raw), update.raw)];
    }
  }

  #words(
    kind: OpenText['kind'],
    update: Extract<SessionUpdate, { sessionUpdate: 'agent_message_chunk' | 'agent_thought_chunk' }>,
  ): LiveEvent[] {
    const { content, messageId } = update;
    const turn = this.#turn;
    if (content.type !== 'text' || content.text === undefined) return [this.#vendorEvent(update.sessionUpdate, update)];
    if (content.text === '') return [];
    // What is said outside of a turn belongs to none.
    if (!turn || this.#options.notices?.test(content.text)) return [this.#vendorEvent(update.sessionUpdate, update)];
    const seen = content.text.trim() === '' ? [] : this.#accepted(turn, 'seen');
    const isSame = turn.open?.kind === kind && (messageId === undefined || turn.open.messageId === messageId);
    const closed = isSame ? [] : this.#closeText(turn);
    if (!turn.open) turn.items += 1;
    turn.open ??= { kind, itemId: `${turn.id}-text-${turn.items}`, messageId, text: '' };
    turn.open.text += content.text;
    const { itemId } = turn.open;
    return [...seen, ...closed, { type: kind === 'text' ? 'text.delta' : 'reasoning.delta', turnId: turn.id, itemId, text: content.text }];
  }

  #tool(report: ToolReport, begins: boolean): LiveEvent[] {
    const turn = this.#turn;
    if (!turn) return [this.#vendorEvent('tool_call', report)];
    const earlier = turn.uses.find(report.toolCallId);
    if (!earlier || (earlier.isOver && begins)) {
      return this.#toolTold(turn, { call: turn.uses.begin(report), isNew: true, report });
    }
    const whole = merged(earlier.report, report);
    if (earlier.isOver) {
      // Some agents add to what is over; only that it was mail counts still.
      if (isEnd(report) && this.#handedOutMail(whole, outputText(report))) this.#isMailTurn = true;
      return [];
    }
    earlier.report = whole;
    return this.#toolTold(turn, { call: earlier, isNew: false, report });
  }

  #toolTold(turn: Turn, { call, isNew, report }: { call: TrackedUse; isNew: boolean; report: ToolReport }): LiveEvent[] {
    call.isOver = isEnd(report);
    const item = { turnId: turn.id, itemId: call.itemId };
    const progress = call.isOver ? [] : progressOf(report).map((output): LiveEvent => ({ type: 'tool.updated', ...item, output }));
    return [
      ...this.#accepted(turn, 'seen'),
      ...this.#closeText(turn),
      ...(isNew ? this.#toolStarted(item, call.report) : []),
      ...progress,
      ...(call.isOver ? this.#toolOver(item, call.report, outputText(report)) : []),
    ];
  }

  #toolStarted(item: Item, report: ToolReport): LiveEvent[] {
    const { relayServers } = this.#options;
    const name = toolName(report, relayServers);
    const tool = name === null ? null : relayTool(name, relayServers);
    return [
      {
        type: 'tool.started',
        ...item,
        name: name ?? report.kind ?? 'tool',
        kind: toolKind(report, tool !== null),
        title: toolTitle(report),
        ...(report.rawInput === undefined ? {} : { input: jsonOf(report.rawInput) }),
      },
    ];
  }

  /** `output` is that of its last report: what earlier ones showed may be an explanation of what it was about to do. */
  #toolOver(item: Item, report: ToolReport, output: string): LiveEvent[] {
    const succeeded = report.status === 'completed';
    if (this.#handedOutMail(report, output)) this.#isMailTurn = true;
    const changes = succeeded ? fileChanges(report) : [];
    const exitCode = report._meta?.terminal_exit?.exit_code ?? outcomeIn(report.rawOutput).exit;
    return [
      ...(changes.length > 0 ? [{ type: 'file.changed' as const, turnId: item.turnId, changes }] : []),
      {
        type: 'tool.completed',
        ...item,
        outcome: succeeded ? 'succeeded' : 'failed',
        ...(output === '' ? {} : { output }),
        ...(exitCode === undefined ? {} : { exitCode }),
      },
    ];
  }

  /** Told before the model reads it. Of a tool whose name is not told nobody knows that it is none of the relay's. */
  #handedOutMail(report: ToolReport, output: string): boolean {
    const { relayServers } = this.#options;
    const name = toolName(report, relayServers);
    if (relayServers.length === 0) return false;
    if (name === null) return report.kind === undefined || report.kind === 'other';
    const tool = relayTool(name, relayServers);
    return tool !== null && mayHandOutMail(tool, report.rawInput) && (output === '' || holdsMail(output));
  }

  #usage({ used, size, cost }: Extract<SessionUpdate, { sessionUpdate: 'usage_update' }>): LiveEvent[] {
    if (cost?.currency === 'USD' && cost.amount >= 0) this.#totalCostUsd = cost.amount;
    const isNearlyFull = size > 0 && used / size >= nearlyFull;
    const isNews = isNearlyFull && !this.#isNearlyFull;
    this.#isNearlyFull = isNearlyFull;
    return isNews ? [{ type: 'context.warning', usedTokens: used, contextWindow: size }] : [];
  }

  #usageOf({ usage, _meta: meta }: PromptAnswer) {
    const quota = meta?.quota?.token_count;
    if (!usage && !quota) return undefined;
    const costUsd = Math.max(0, this.#totalCostUsd - this.#countedCostUsd);
    this.#countedCostUsd = this.#totalCostUsd;
    return {
      inputTokens: clampCount(usage?.inputTokens ?? quota?.input_tokens ?? 0),
      outputTokens: clampCount(usage?.outputTokens ?? quota?.output_tokens ?? 0),
      ...(usage && usage.cachedReadTokens > 0 ? { cachedInputTokens: usage.cachedReadTokens } : {}),
      ...(usage && usage.thoughtTokens > 0 ? { reasoningTokens: usage.thoughtTokens } : {}),
      ...(costUsd > 0 ? { costUsd } : {}),
    };
  }

  /** One prompt at a time, so whatever the agent says in a turn follows the prompt that began it. */
  #accepted(turn: Turn, state: 'delivered' | 'seen'): LiveEvent[] {
    if (turn.told === 'seen' || turn.told === state) return [];
    const isNew = turn.told === 'nothing';
    turn.told = state;
    return turn.input.messageIds.flatMap((messageId): LiveEvent[] => [
      ...(isNew ? [{ type: 'input.accepted' as const, messageId, evidence: 'accepted' as const, state: 'delivered' as const }] : []),
      ...(state === 'seen' ? [{ type: 'input.accepted' as const, messageId, evidence: 'turn' as const, state: 'seen' as const }] : []),
    ]);
  }

  #closeText(turn: Turn): LiveEvent[] {
    const { open } = turn;
    if (!open) return [];
    turn.open = undefined;
    if (open.kind === 'text') turn.lastText = open.text;
    return [
      { type: open.kind === 'text' ? 'text.completed' : 'reasoning.completed', turnId: turn.id, itemId: open.itemId, text: open.text },
    ];
  }

  #over(events: LiveEvent[]): LiveEvent[] {
    this.#turn = undefined;
    this.#isMailTurn = false;
    return [...events, { type: 'session.status', status: 'idle' }];
  }

  #vendorEvent(name: string, data: unknown): LiveEvent {
    return { type: 'vendor.event', vendor: this.#options.vendor, name, data: jsonOf(data) };
  }
}

const isEnd = ({ status }: ToolReport): boolean => status === 'completed' || status === 'failed';

function progressOf({ content, _meta: meta }: ToolReport): string[] {
  const text = meta?.terminal_output_delta?.data ?? contentText(content);
  return text === '' ? [] : [text];
}

function planStatus(status: string | undefined): 'pending' | 'active' | 'done' {
  if (status === 'completed') return 'done';
  return status === 'in_progress' ? 'active' : 'pending';
}

function nameOf(update: unknown): string {
  const said = typeof update === 'object' && update !== null && 'sessionUpdate' in update ? update.sessionUpdate : undefined;
  return typeof said === 'string' && said !== '' ? said.slice(0, 100) : 'unknown';
}
