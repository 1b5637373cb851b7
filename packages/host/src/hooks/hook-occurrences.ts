import { type AgentEvent, asText, type HookTrigger, type InboxItem } from 'agent-relay-protocol';

/** Something that may set hooks off. */
export interface Occurrence {
  readonly trigger: HookTrigger;
  readonly said: Readonly<Record<string, string | number | undefined>>;
  /** Of `approval_needed`: what is asked. */
  readonly asked?: Extract<AgentEvent, { type: 'approval.requested' }>;
}

const REMEMBERED_TOOLS = 1_000;

/** Reads what sets hooks off from a session's events, in their order. */
export class HookOccurrences {
  readonly #tools = new Map<string, Extract<AgentEvent, { type: 'tool.started' }>>();

  /** The tool call that each open question is about. */
  readonly #asked = new Map<string, string>();

  of(event: AgentEvent): readonly Occurrence[] {
    switch (event.type) {
      case 'session.started':
        return [{ trigger: 'spawned', said: { model: event.model } }];
      case 'session.ended':
        return [{ trigger: 'released', said: { reason: event.detail === undefined ? event.reason : `${event.reason}: ${event.detail}` } }];
      case 'session.status':
        return event.status === 'waiting' && event.detail !== undefined ? [{ trigger: 'stalled', said: { detail: event.detail } }] : [];
      case 'turn.started':
        return [{ trigger: 'turn_started', said: { turn: event.turnId } }];
      case 'turn.completed':
        return [{ trigger: 'turn_complete', said: { turn: event.turnId, outcome: event.outcome, text: event.text } }];
      case 'turn.failed':
        return [{ trigger: 'turn_failed', said: { turn: event.turnId, code: event.error.code, error: event.error.message } }];
      case 'tool.started':
        return this.#toolStarted(event);
      case 'tool.completed':
        return this.#toolCompleted(event);
      case 'file.changed':
        return event.changes.map(({ path: file, change, movedTo }) => ({ trigger: 'file_change', said: { file, change, movedTo } }));
      case 'approval.requested':
        if (event.itemId !== undefined && this.#asked.size < REMEMBERED_TOOLS) this.#asked.set(event.approvalId, event.itemId);
        return approvalOccurrences(event);
      case 'approval.resolved':
        return this.#answered(event);
      case 'quota.warning':
        return [{ trigger: 'quota_warning', said: { detail: event.message, usedPercent: event.usedPercent } }];
      case 'context.warning':
        return [{ trigger: 'context_warning', said: { usedTokens: event.usedTokens, contextWindow: event.contextWindow } }];
      default:
        // What else agents do sets nothing off, least of all what hooks did.
        return [];
    }
  }

  #toolStarted(event: Extract<AgentEvent, { type: 'tool.started' }>): readonly Occurrence[] {
    if (this.#tools.size < REMEMBERED_TOOLS) this.#tools.set(event.itemId, event);
    return [{ trigger: 'item_started', said: { tool: event.name, kind: event.kind, title: event.title } }];
  }

  /** A call that was not allowed does not run, whatever its agent says became of it. */
  #answered({ approvalId, outcome }: Extract<AgentEvent, { type: 'approval.resolved' }>): readonly Occurrence[] {
    const itemId = this.#asked.get(approvalId);
    this.#asked.delete(approvalId);
    if (itemId !== undefined && outcome !== 'allowed') this.#tools.delete(itemId);
    return [];
  }

  #toolCompleted({ itemId, outcome, exitCode, output }: Extract<AgentEvent, { type: 'tool.completed' }>): readonly Occurrence[] {
    const started = this.#tools.get(itemId);
    this.#tools.delete(itemId);
    // What was declined was never run.
    if (started?.kind !== 'execute' || outcome === 'declined') return [];
    return [{ trigger: 'command_executed', said: { tool: started.name, command: commandOf(started), outcome, exitCode, output } }];
  }
}

/** Nobody is asked where there is nothing to choose: the session's mode answers. */
function approvalOccurrences(asked: Extract<AgentEvent, { type: 'approval.requested' }>): readonly Occurrence[] {
  const { approvalId: approval, kind, title, options, form = [] } = asked;
  const said = { approval, kind, title };
  if (form.length > 0) return [{ trigger: 'input_needed', said }];
  return options.length > 0 ? [{ trigger: 'approval_needed', said, asked }] : [];
}

function commandOf({ input, title }: Extract<AgentEvent, { type: 'tool.started' }>): string {
  const command = typeof input === 'object' && input !== null && !Array.isArray(input) ? input['command'] : undefined;
  if (typeof command === 'string') return command;
  return Array.isArray(command) ? command.map(asText).join(' ') : title;
}

export const receivedOf = ({ message: { id, from, kind, body } }: InboxItem): Occurrence => ({
  trigger: 'message_received',
  said: { message: id, from, kind, text: body },
});
