import type { AgentEvent } from 'agent-relay-protocol';
import { RecentMap } from 'agent-relay-wire';
import { pathBelow } from 'agent-relay-wire/node';
import type { SharedRoom } from '../sessions/shared-room.ts';
import type { RunFrame } from './messages.ts';
import { type NamedTool, OpenTools } from './open-tools.ts';

type FileChanged = Extract<AgentEvent, { type: 'file.changed' }>;

export interface RunFramesOptions {
  readonly provider: string;
  /** Absolute. */
  readonly cwd: string;
  /** What it keeps shares this with others. */
  readonly room?: SharedRoom;
}

/** Texts that are streamed at a time. */
const mostTexts = 1_000;

/** What each kind of agent is called in sentences for clients; others by their id. */
const names: Readonly<Record<string, string>> = { claude: 'Claude', codex: 'Codex', gemini: 'Gemini' };

/**
 * What one session's events are in the words of agent-ws: no clock, no I/O. Events come in order. A text that was streamed is not said again by
 * its whole; one that was not is one chunk.
 */
export class RunFrames {
  readonly #options: RunFramesOptions;
  /** How much of each item's text has been sent. */
  readonly #sent = new RecentMap<string, number>(mostTexts);
  readonly #tools: OpenTools;

  constructor(options: RunFramesOptions) {
    this.#options = options;
    this.#tools = new OpenTools(options.room);
  }

  /** `requestId` is the prompt's whose turn this is. */
  frames(event: AgentEvent, requestId: string): readonly RunFrame[] {
    switch (event.type) {
      case 'text.delta':
        return this.#delta(event.itemId, { type: 'chunk', content: event.text, requestId });
      case 'reasoning.delta':
        return this.#delta(event.itemId, { type: 'chunk', content: event.text, requestId, thinking: true });
      case 'text.completed':
        return chunk(this.#rest(event.itemId, event.text), requestId, {});
      case 'reasoning.completed':
        return chunk(this.#rest(event.itemId, event.text), requestId, { thinking: true });
      case 'tool.started': {
        const tool = this.#tool(event);
        this.#tools.add(tool);
        return [{ type: 'tool_event', requestId, event: 'start', ...tool }];
      }
      case 'tool.completed':
        return [{ type: 'tool_event', requestId, event: 'complete', toolId: event.itemId, ...this.#tools.take(event.itemId) }];
      case 'file.changed':
        return event.changes.flatMap((change) => this.#fileChanges(change, requestId));
      case 'turn.completed':
        this.#forget();
        return [event.outcome === 'finished' ? { type: 'complete', requestId } : this.failed('Request cancelled', requestId)];
      case 'turn.failed':
        this.#forget();
        return [this.failed(this.#inTheirWords(event.error.message), requestId)];
      case 'session.started':
      case 'session.ended':
      case 'session.status':
      case 'turn.started':
      case 'user.message':
      case 'tool.updated':
      case 'plan.updated':
      case 'approval.requested':
      case 'approval.resolved':
      case 'input.accepted':
      case 'usage.updated':
      case 'quota.warning':
      case 'context.warning':
      case 'context.compacted':
      case 'hook.completed':
      case 'output.line':
      case 'agent.error':
      case 'vendor.event':
        return [];
    }
  }

  /** How a prompt ends that never came to a turn. */
  failed(message: string, requestId: string): RunFrame {
    return { type: 'error', message, requestId };
  }

  /** Why a session ended in the middle of a prompt. */
  ended({ detail = 'The agent ended' }: { readonly detail?: string | undefined }, requestId: string): RunFrame {
    return this.failed(this.#inTheirWords(detail), requestId);
  }

  /** Nothing more is told. */
  end(): void {
    this.#forget();
  }

  get name(): string {
    const { provider } = this.#options;
    return names[provider] ?? provider;
  }

  #delta(itemId: string, frame: Extract<RunFrame, { type: 'chunk' }>): readonly RunFrame[] {
    if (frame.content === '') return [];
    this.#sent.set(itemId, (this.#sent.get(itemId) ?? 0) + frame.content.length);
    return [frame];
  }

  #rest(itemId: string, text: string): string {
    const sent = this.#sent.get(itemId) ?? 0;
    this.#sent.set(itemId, Math.max(sent, text.length));
    return text.slice(sent);
  }

  #tool({ itemId, name, kind, input }: Extract<AgentEvent, { type: 'tool.started' }>): NamedTool {
    const isCommand = this.#options.provider === 'codex' && kind === 'execute';
    return { toolName: isCommand ? 'command' : name, toolId: itemId, ...(input === undefined ? {} : { input }) };
  }

  #fileChanges({ path, change, movedTo }: FileChanged['changes'][number], requestId: string): readonly RunFrame[] {
    const told = (where: string, changeType: 'create' | 'update' | 'delete'): RunFrame => ({
      type: 'file_change',
      requestId,
      path: this.#relative(where),
      changeType,
    });
    switch (change) {
      case 'added':
        return [told(path, 'create')];
      case 'updated':
        return [told(path, 'update')];
      case 'deleted':
        return [told(path, 'delete')];
      case 'moved':
        return [told(path, 'delete'), ...(movedTo === undefined ? [] : [told(movedTo, 'create')])];
    }
  }

  #relative(path: string): string {
    return pathBelow(this.#options.cwd, path) || path;
  }

  #forget(): void {
    this.#sent.clear();
    this.#tools.clear();
  }

  /** `Claude Code exited with code 3: …` is `Claude CLI exited with code 3: …` to these clients. */
  #inTheirWords(message: string): string {
    return message.replace(/^.{1,60}? (exited with code|was ended by) /u, (_whole, how: string) => {
      return `${this.name} CLI ${how === 'exited with code' ? how : 'killed by signal'} `;
    });
  }
}

const chunk = (content: string, requestId: string, kind: { readonly thinking?: true }): readonly RunFrame[] =>
  content === '' ? [] : [{ type: 'chunk', content, requestId, ...kind }];
