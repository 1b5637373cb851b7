import { formatEnvelope, type InboxItem, type McpToolInput, RelayError } from 'agent-relay-protocol';
import type { RelayHandlers } from '../../relay/relay-contract.ts';
import type { ToolCaller } from './tool-caller.ts';

/** How many agents' unconfirmed reads are remembered; what is forgotten is handed out again, never lost. */
const MAX_REMEMBERED = 10_000;

/**
 * An agent's mail through its tools. A read is acknowledged by the next call only: that call is the evidence that the answer to the
 * one before has arrived.
 */
export class InboxReader {
  readonly #handlers: RelayHandlers;
  readonly #unconfirmed = new Map<string, number[]>();

  constructor(handlers: RelayHandlers) {
    this.#handlers = handlers;
  }

  async read({ waitMs, limit }: McpToolInput<'relay_inbox'>, caller: ToolCaller): Promise<string> {
    await this.acknowledge(caller);
    const request = { id: caller.agentId, ...caller.guard, ...(waitMs === undefined ? {} : { waitMs }), limit: limit ?? 20 };
    const items = await this.#list(request, caller);
    if (items === null) return 'Your messages come into your session by themselves; there is nothing to fetch.';
    return items.length === 0 ? 'No messages.' : items.map((item) => this.present(item, caller)).join('\n\n');
  }

  /** The envelope an agent reads; the message counts as handed out. */
  present(item: Pick<InboxItem, 'message' | 'nonce'>, caller: ToolCaller): string {
    const key = keyOf(caller);
    const ids = this.#unconfirmed.get(key) ?? [];
    this.#unconfirmed.delete(key);
    this.#unconfirmed.set(key, [...ids, item.message.id]);
    const [oldest] = this.#unconfirmed.keys();
    if (this.#unconfirmed.size > MAX_REMEMBERED && oldest !== undefined) this.#unconfirmed.delete(oldest);
    return formatEnvelope(item);
  }

  /** What was handed out before has been read. */
  async acknowledge(caller: ToolCaller): Promise<void> {
    const ids = this.#unconfirmed.get(keyOf(caller));
    if (ids === undefined) return;
    await this.#handlers['inbox/ack']({ id: caller.agentId, ...caller.guard, ids, state: 'seen' }, caller.context);
    this.#unconfirmed.delete(keyOf(caller));
  }

  async #list(request: Parameters<RelayHandlers['inbox/list']>[0], { context }: ToolCaller): Promise<readonly InboxItem[] | null> {
    try {
      return (await this.#handlers['inbox/list'](request, context)).data;
    } catch (error) {
      if (error instanceof RelayError && error.code === 'inbox_taken') return null;
      throw error;
    }
  }
}

const keyOf = ({ agentId, guard, context }: ToolCaller): string => `${context.principal.workspace} ${agentId} ${guard.epoch ?? ''}`;
