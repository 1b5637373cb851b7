import type { AgentEvent } from 'agent-relay-protocol';

/** What the bridge sends in this protocol, without the time and the session that every frame carries. What is not known is left out, never null. */
export interface AiRelayFrame {
  readonly type: AiRelayType;
  readonly text?: string;
  readonly tool?: string;
  readonly args?: Readonly<Record<string, unknown>>;
  readonly file_path?: string;
  readonly diff?: string;
  readonly context_pct?: number;
  readonly exit_code?: number;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly request_id?: string;
  readonly tool_use_id?: string;
  readonly content?: unknown;
  readonly raw?: Readonly<Record<string, unknown>>;
  readonly status?: string;
}

export const aiRelayTypes = [
  ...(['session_start', 'session_end', 'stdout', 'stderr', 'reasoning', 'tool_call', 'tool_result', 'file_diff', 'response'] as const),
  ...(['assistant_message', 'user_message', 'stream_event', 'status', 'permission_request', 'permission_cancelled'] as const),
  ...(['control_response', 'tool_progress', 'quota_warning', 'context_warning', 'context_compacted', 'error', 'input_ack'] as const),
] as const;
export type AiRelayType = (typeof aiRelayTypes)[number];

type Of<Type extends AgentEvent['type']> = Extract<AgentEvent, { type: Type }>;

/**
 * What one session's events are in the words of ai-relay: no clock, no I/O. One word means one thing whatever the agent: `response` is the whole answer
 * of a turn, once; pieces of it are `stream_event`s; every use of a tool has one `tool_result`; ids are strings.
 */
export class AiRelayFrames {
  readonly #tool: string;
  /** What was said in the turn, where its end does not repeat it. */
  #said = '';
  readonly #names = new Map<string, string>();
  readonly #asked = new Set<string>();

  /** `tool` is the kind of agent in the client's words. */
  constructor(tool: string) {
    this.#tool = tool;
  }

  frames(event: AgentEvent): readonly AiRelayFrame[] {
    switch (event.type) {
      case 'session.started':
        return [sessionStarted(event, this.#tool)];
      case 'session.ended':
        return [sessionEnded(event)];
      case 'session.status':
        return [{ type: 'status', status: event.status, ...(event.detail === undefined ? {} : { text: event.detail }) }];
      case 'turn.started':
        this.#said = '';
        return [{ type: 'status', status: 'running', metadata: { turn_id: event.turnId } }];
      case 'turn.completed':
        return [this.#response(event)];
      case 'turn.failed':
        return [{ type: 'error', text: event.error.message, metadata: { ...event.error, turn_id: event.turnId } }];
      case 'user.message':
        return [{ type: 'user_message', text: event.text }];
      case 'text.delta':
      case 'reasoning.delta':
        return [delta(event)];
      case 'text.completed':
        this.#said = event.text;
        return [{ type: 'assistant_message', text: event.text, content: [{ type: 'text', text: event.text }] }];
      case 'reasoning.completed':
        return [{ type: 'reasoning', text: event.text }];
      case 'tool.started':
        this.#names.set(event.itemId, event.name);
        return [toolCall(event)];
      case 'tool.updated':
        return [{ type: 'tool_progress', tool_use_id: event.itemId, text: event.output }];
      case 'tool.completed':
        return [this.#toolResult(event)];
      case 'file.changed':
        return event.changes.map(fileDiff);
      case 'plan.updated':
        return [{ type: 'stream_event', content: event.steps, metadata: { kind: 'plan' } }];
      case 'approval.requested':
        return [this.#permissionRequest(event)];
      case 'approval.resolved':
        return [this.#permissionResolved(event)];
      case 'input.accepted':
        return [{ type: 'input_ack', metadata: { message_id: event.messageId, evidence: event.evidence, state: event.state } }];
      case 'usage.updated':
        return [{ type: 'stream_event', content: event.usage, metadata: { kind: 'usage' } }];
      case 'quota.warning':
        return [quotaWarning(event)];
      case 'context.warning':
        return [contextWarning(event)];
      case 'context.compacted':
        return [{ type: 'context_compacted', text: 'Conversation compacted' }];
      case 'hook.completed':
        return [vendorEvent('agent-relay', event.type, event)];
      case 'output.line':
        return [{ type: event.stream, text: event.text }];
      case 'agent.error':
        return [agentError(event)];
      case 'vendor.event':
        return [vendorEvent(event.vendor, event.name, event.data)];
    }
  }

  #response({ turnId, outcome, text, usage, durationMs }: Of<'turn.completed'>): AiRelayFrame {
    const said = text ?? this.#said;
    this.#said = '';
    this.#names.clear();
    const more = { ...(usage === undefined ? {} : { usage }), ...(durationMs === undefined ? {} : { duration_ms: durationMs }) };
    return { type: 'response', text: said, status: outcome, metadata: { turn_id: turnId, ...more } };
  }

  #toolResult({ itemId, outcome, output, exitCode }: Of<'tool.completed'>): AiRelayFrame {
    const tool = this.#names.get(itemId);
    this.#names.delete(itemId);
    return {
      type: 'tool_result',
      tool_use_id: itemId,
      status: outcome,
      ...(tool === undefined ? {} : { tool }),
      ...(output === undefined ? {} : { text: output, content: output }),
      ...(exitCode === undefined ? {} : { exit_code: exitCode }),
    };
  }

  #permissionRequest({ approvalId, itemId, kind, title, input, options }: Of<'approval.requested'>): AiRelayFrame {
    // Without options nobody is asked: what follows says how it was decided.
    if (options.length > 0) this.#asked.add(approvalId);
    const tool = itemId === undefined ? undefined : this.#names.get(itemId);
    return {
      type: options.length > 0 ? 'permission_request' : 'status',
      ...(options.length > 0 ? {} : { status: 'not_asked' }),
      request_id: approvalId,
      tool: tool ?? kind,
      args: argsOf(input),
      text: title,
      ...(itemId === undefined ? {} : { tool_use_id: itemId }),
      metadata: { options: options.map(({ id, label, outcome }) => ({ optionId: id, name: label, kind: outcome })) },
    };
  }

  #permissionResolved({ approvalId, outcome, by, message }: Of<'approval.resolved'>): AiRelayFrame {
    const wasAsked = this.#asked.delete(approvalId);
    const said = message === undefined ? {} : { text: message };
    if (outcome === 'cancelled') return { type: 'permission_cancelled', request_id: approvalId, ...said };
    return { type: wasAsked ? 'control_response' : 'status', request_id: approvalId, status: outcome, ...said, metadata: { by } };
  }
}

/** Before the agent has named its conversation, too. */
export function sessionStarted({ vendorSessionId, cwd, model, version }: Omit<Of<'session.started'>, 'type'>, tool: string): AiRelayFrame {
  const more = { ...(model === undefined ? {} : { model }), ...(version === undefined ? {} : { version }) };
  // Some agents name their conversation with its first turn.
  const native = vendorSessionId === '' ? {} : { native_session_id: vendorSessionId };
  return { type: 'session_start', metadata: { tool, folder: cwd, ...more, ...native } };
}

function sessionEnded({ reason, detail, exitCode }: Of<'session.ended'>): AiRelayFrame {
  const more = { ...(detail === undefined ? {} : { text: detail }), ...(exitCode === undefined ? {} : { exit_code: exitCode }) };
  return { type: 'session_end', status: reason, ...more };
}

function delta({ type, itemId, text }: Of<'text.delta' | 'reasoning.delta'>): AiRelayFrame {
  const kind = type === 'text.delta' ? 'text_delta' : 'thinking_delta';
  return { type: 'stream_event', text, metadata: { kind, item_id: itemId } };
}

const toolCall = ({ itemId, name, kind, title, input, parentItemId }: Of<'tool.started'>): AiRelayFrame => ({
  type: 'tool_call',
  tool: name,
  args: argsOf(input),
  tool_use_id: itemId,
  text: title,
  metadata: { kind, ...(parentItemId === undefined ? {} : { parent_tool_use_id: parentItemId }) },
});

const fileDiff = (change: Of<'file.changed'>['changes'][number]): AiRelayFrame => ({
  type: 'file_diff',
  file_path: change.path,
  status: change.change,
  content: [change],
  ...(change.diff === undefined ? {} : { diff: change.diff }),
});

function contextWarning({ usedTokens, contextWindow }: Of<'context.warning'>): AiRelayFrame {
  const share = contextWindow > 0 ? { context_pct: Math.min(100, Math.round((usedTokens / contextWindow) * 100)) } : {};
  return { type: 'context_warning', text: `${usedTokens} of ${contextWindow} tokens are used`, ...share };
}

function agentError({ code, message, willRetry }: Of<'agent.error'>): AiRelayFrame {
  return willRetry
    ? { type: 'status', status: 'retrying', text: message, metadata: { code } }
    : { type: 'error', text: message, metadata: { code, retryable: false } };
}

function argsOf(input: unknown): Readonly<Record<string, unknown>> {
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input as Record<string, unknown>; // a JSON object
  return input === undefined ? {} : { value: input };
}

const vendorEvent = (vendor: string, name: string, data: unknown): AiRelayFrame => ({
  type: 'stream_event',
  raw: { data },
  metadata: { vendor, name },
});

const quotaWarning = ({ message, resetsAt }: Of<'quota.warning'>): AiRelayFrame => ({
  type: 'quota_warning',
  text: message,
  ...(resetsAt === undefined ? {} : { metadata: { resets_at: resetsAt } }),
});
