import type { McpToolInput, WorkItem } from 'agent-relay-protocol';
import { ModelText, modelText, quoted } from 'agent-relay-wire';
import type { RelayHandlers } from '../../relay/contract/relay-contract.ts';
import { given } from './given.ts';
import type { ToolCaller } from './tool-caller.ts';
import { begun, describeClaim } from './tool-text.ts';

const LISTED = 20;

/** What is open, and what becomes of what the agent holds. */
export async function workTool(handlers: RelayHandlers, request: McpToolInput<'relay_work'>, caller: ToolCaller): Promise<ModelText> {
  const { agentId, guard, context } = caller;
  const { action, claimId, fence } = request;
  if (action === 'list') {
    const held = request.held === undefined ? {} : { held: request.held };
    const { data, nextCursor } = await handlers['work/list']({ for: agentId, ...held, limit: LISTED }, context);
    if (data.length === 0) return modelText`No work is open for you.`;
    const more = nextCursor === undefined ? [] : [modelText`There is more: these are the oldest.`];
    return ModelText.join([...data.map(describeWork), ...more], '\n');
  }
  const claim = { id: given(claimId, 'claimId'), ...(fence === undefined ? {} : { fence }), agentId, ...guard };
  switch (action) {
    case 'progress':
      return describeClaim(await handlers['claims/progress']({ ...claim, progress: given(request.progress, 'progress') }, context));
    case 'renew':
      return describeClaim(await handlers['claims/renew'](claim, context));
    case 'release': {
      const reason = request.reason === undefined ? {} : { reason: request.reason };
      return describeClaim(await handlers['claims/release']({ ...claim, ...reason }, context));
    }
  }
}

function describeWork(item: WorkItem): ModelText {
  const { message, claim } = item;
  const holder = claim === null ? modelText`open` : modelText`held by ${claim.agentId}`;
  const what = item.kind === 'task' ? item.task.title : message.body;
  return modelText`messageId ${message.id}, from ${message.from}, ${holder}: ${quoted(begun(what))}`;
}
