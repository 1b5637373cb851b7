import type { McpToolInput } from 'agent-relay-protocol';
import type { ModelText } from 'agent-relay-wire';
import type { RelayHandlers } from '../../relay/contract/relay-contract.ts';
import type { ToolCaller } from './tool-caller.ts';
import { describeAgents } from './tool-text.ts';

/** What the agent says of itself, and how it is listed from then on. */
export async function statusTool(
  handlers: RelayHandlers,
  { label, tags, capabilities, status }: McpToolInput<'relay_status'>,
  { agentId: id, guard, context }: ToolCaller,
): Promise<ModelText> {
  if (label !== undefined) await handlers['agents/label']({ id, label }, context);
  if (tags !== undefined || capabilities !== undefined) {
    const groups = { ...(tags && { tags }), ...(capabilities && { capabilities }) };
    await handlers['agents/tags']({ id, ...groups }, context);
  }
  if (status !== undefined) await handlers['agents/status']({ id, ...guard, status }, context);
  return describeAgents([await handlers['agents/get']({ id }, context)], id);
}
