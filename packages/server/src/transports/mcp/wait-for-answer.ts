import { RelayError } from 'agent-relay-protocol';
import { withTimeout } from 'agent-relay-wire';
import type { Relay } from '../../relay/contract/relay-contract.ts';
import type { ToolCaller } from './tool-caller.ts';

/** The id of the first reply to a message, or `null` when the time is over. */
export async function waitForAnswer(
  relay: Pick<Relay, 'openEvents'>,
  messageId: number,
  timeoutMs: number,
  { agentId, context }: ToolCaller,
): Promise<number | null> {
  const find = async (signal: AbortSignal) => {
    // From the message itself on: an answer that was quicker than this line is in the log as well.
    const filter = { after: messageId, for: agentId, types: ['message.new'] };
    const { batches } = await relay.openEvents(filter, { principal: context.principal, signal });
    for await (const batch of batches) {
      if ('reset' in batch) return null;
      for (const event of batch.events) {
        if (event.type === 'message.new' && event.message.replyTo === messageId && event.message.from !== agentId) return event.message.id;
      }
    }
    return null;
  };
  try {
    return await withTimeout(find, timeoutMs, { signal: context.signal, what: 'answer' });
  } catch (error) {
    if (error instanceof RelayError && error.code === 'timeout') return null;
    throw error;
  }
}
