import type { InboxItem, McpToolInput } from 'agent-relay-protocol';
import { formatEnvelope, ModelText, modelText } from 'agent-relay-wire';
import type { Relay } from '../../relay/contract/relay-contract.ts';
import type { ToolCaller } from './tool-caller.ts';

/** An agent's mail through its tools. Nothing is acknowledged by being handed out: only what the agent names in its next call has arrived. */
export class InboxReader {
  readonly #relay: Pick<Relay, 'handlers' | 'toolMail'>;

  constructor(relay: Pick<Relay, 'handlers' | 'toolMail'>) {
    this.#relay = relay;
  }

  async read({ waitMs, limit, read }: McpToolInput<'relay_inbox'>, caller: ToolCaller): Promise<ModelText> {
    const { agentId, guard, context } = caller;
    if (read !== undefined && read.length > 0)
      await this.#relay.handlers['inbox/ack']({ id: agentId, ...guard, ids: read, state: 'seen' }, context);
    const request = { id: agentId, ...guard, ...(waitMs === undefined ? {} : { waitMs }), limit: limit ?? 20 };
    const { data: items } = await this.#relay.handlers['inbox/list'](request, context);
    if (items.length === 0) return modelText`No messages.`;
    this.#relay.toolMail.note(context.principal, agentId, items);
    return ModelText.join([...items.map(envelopeOf), howToConfirm(items)], '\n\n');
  }

  /** A message that the caller's own tool has waited for. */
  async present(messageId: number, { agentId, context }: ToolCaller): Promise<ModelText> {
    const { toolMail } = this.#relay;
    const item = await toolMail.take(messageId, agentId, context.principal);
    if (item === null) return modelText`Its answer [msg:${messageId}] reaches you as a message of its own.`;
    const isHosted = toolMail.isHosted(context.principal, agentId);
    return isHosted ? envelopeOf(item) : ModelText.join([envelopeOf(item), howToConfirm([item])], '\n\n');
  }
}

const envelopeOf = (item: InboxItem): ModelText => ModelText.made(formatEnvelope(item));

function howToConfirm(items: readonly InboxItem[]): ModelText {
  const ids = items.map(({ message }) => message.id).join(', ');
  return modelText`Pass "read": [${ids}] with your next relay_inbox. What you neither name so nor answer with relay_reply comes again.`;
}
