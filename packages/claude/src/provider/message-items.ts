import type { LiveEvent } from 'agent-relay-provider';
import { RecentMap } from 'agent-relay-wire';
import type { AssistantFrame, ContentBlock, StreamEventFrame, UserFrame } from '../stream-json/message-frames.ts';
import { asJson } from './plain-events.ts';
import { handsOutMail, type OpenTool, planUpdated, toolCompleted } from './tool-results.ts';
import { toolKind, toolTitle } from './tool-words.ts';

/** Results that never come must not keep inputs for ever. */
const openToolsKept = 256;

/** In which turn something is said; `number` where its message has no id. */
interface Turn {
  readonly id: string | null;
  readonly number: number;
}

/** What is said within turns: texts, thoughts, tools and their results, each item under the id that its deltas had. */
export class MessageItems {
  readonly #relayServers: readonly string[];
  readonly #openTools = new RecentMap<string, OpenTool>(openToolsKept);
  readonly #declined = new Set<string>();
  readonly #blocksOf = new Map<string, number>();
  #streaming: { readonly messageId: string; blockIndex: number } | null = null;

  constructor(relayServers: readonly string[]) {
    this.#relayServers = relayServers;
  }

  /** Our own refusal: its tool result looks like any failure. */
  declined(toolUseId: string): void {
    this.#declined.add(toolUseId);
  }

  turnEnded(): void {
    this.#streaming = null;
    this.#blocksOf.clear();
  }

  messageStarts(id: string | undefined, { number }: Turn): void {
    this.#streaming = { messageId: id ?? `message-${number}`, blockIndex: 0 };
  }

  delta({ event }: StreamEventFrame, { id: turnId }: Turn): LiveEvent[] {
    const streaming = this.#streaming;
    if (!streaming) return [];
    if (event.index !== undefined) streaming.blockIndex = event.index;
    if (event.type === 'message_stop') this.#streaming = null;
    const { text, thinking } = event.delta ?? {};
    if (event.type !== 'content_block_delta' || turnId === null) return [];
    const item = { turnId, itemId: `${streaming.messageId}:${streaming.blockIndex}` };
    if (text) return [{ type: 'text.delta', ...item, text }];
    return thinking ? [{ type: 'reasoning.delta', ...item, text: thinking }] : [];
  }

  message({ message, parent_tool_use_id: parent }: AssistantFrame, turn: Turn): LiveEvent[] {
    const messageId = message?.id ?? `message-${turn.number}`;
    const { id: turnId } = turn;
    return turnId === null ? [] : (message?.content ?? []).flatMap((block) => this.#block({ turnId, messageId, parent }, block));
  }

  /** Whether these results, which have not been told of yet, hold mail that a tool of the relay's has handed out. */
  holdMail({ message }: UserFrame): boolean {
    return (message?.content ?? []).some(({ type, tool_use_id: id, is_error: isError, content }) => {
      const tool = type === 'tool_result' && id !== undefined && !isError ? this.#openTools.get(id) : undefined;
      return tool !== undefined && handsOutMail(tool, content, this.#relayServers);
    });
  }

  results({ message, tool_use_result: details }: UserFrame): LiveEvent[] {
    return (message?.content ?? []).flatMap((block) => {
      const tool = block.type === 'tool_result' && block.tool_use_id !== undefined ? this.#openTools.get(block.tool_use_id) : undefined;
      if (!tool) return [];
      this.#openTools.delete(tool.itemId);
      return toolCompleted(tool, block, details, this.#declined.delete(tool.itemId));
    });
  }

  /** Claude sends a message once per block, in order, each before the end of that block's stream. */
  #block(
    { turnId, messageId, parent }: { turnId: string; messageId: string; parent: string | null | undefined },
    block: ContentBlock,
  ): LiveEvent[] {
    const index = this.#streaming?.messageId === messageId ? this.#streaming.blockIndex : this.#nextIndex(messageId);
    const item = { turnId, itemId: `${messageId}:${index}` };
    if (block.type === 'tool_use') return this.#toolUse(turnId, block, parent);
    // What a subagent says belongs to the tool call that runs it.
    if (parent) return block.text ? [{ type: 'tool.updated', turnId, itemId: parent, output: block.text }] : [];
    if (block.type === 'text' && block.text) return [{ type: 'text.completed', ...item, text: block.text }];
    if (block.type === 'thinking' && block.thinking) return [{ type: 'reasoning.completed', ...item, text: block.thinking }];
    return [];
  }

  #nextIndex(messageId: string): number {
    const index = this.#blocksOf.get(messageId) ?? 0;
    this.#blocksOf.set(messageId, index + 1);
    return index;
  }

  #toolUse(turnId: string, { id: itemId, name = 'unknown', input = {} }: ContentBlock, parent: string | null | undefined): LiveEvent[] {
    if (itemId === undefined) return [];
    this.#openTools.set(itemId, { turnId, itemId, name, input });
    const started: LiveEvent = {
      type: 'tool.started',
      turnId,
      itemId,
      ...(parent ? { parentItemId: parent } : {}),
      name,
      kind: toolKind(name, this.#relayServers),
      title: toolTitle(name, input),
      input: asJson(input),
    };
    return [started, ...planUpdated(turnId, name, input)];
  }
}
