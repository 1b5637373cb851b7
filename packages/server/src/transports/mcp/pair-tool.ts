import type { McpToolInput, Pair } from 'agent-relay-protocol';
import { type ModelText, modelText, quoted } from 'agent-relay-wire';
import type { RelayHandlers } from '../../relay/contract/relay-contract.ts';
import { given } from './given.ts';
import { keyOf, type ToolCaller } from './tool-caller.ts';
import { tellSent } from './tool-text.ts';

/** Everything a pair needs, as one tool: an agent that has no shell can still answer an invitation. */
export async function pairTool(handlers: RelayHandlers, request: McpToolInput<'relay_pair'>, caller: ToolCaller): Promise<ModelText> {
  const { agentId, guard, context } = caller;
  const speaker = { from: agentId, ...guard };
  const actor = { agentId, ...guard };
  const { action } = request;
  if (action === 'invite') {
    const { target, objective } = request;
    const asked = { ...speaker, target: given(target, 'target'), objective: given(objective, 'objective') };
    return describePair(await handlers['pairs/request'](asked, context), agentId);
  }
  if (action === 'status') {
    const open = await openPair(handlers, caller);
    return open === null ? modelText`You are in no pair.` : describePair(open, agentId);
  }
  const id = given(request.pairId ?? (await openPair(handlers, caller))?.id, 'pairId');
  switch (action) {
    case 'accept':
    case 'reject':
    case 'hangup':
      return describePair(await handlers[`pairs/${action}`]({ id, ...actor }, context), agentId);
    case 'send':
      return tellSent(await handlers['pairs/send']({ id, ...speaker, body: given(request.body, 'body'), ...keyOf(caller) }, context));
  }
}

async function openPair(handlers: RelayHandlers, { agentId, context }: ToolCaller): Promise<Pair | null> {
  for (const status of ['active', 'pending'] as const) {
    const { data } = await handlers['pairs/list']({ agent: agentId, status, limit: 1 }, context);
    if (data[0]) return data[0];
  }
  return null;
}

function describePair(pair: Pair, self: string): ModelText {
  const partner = pair.requester === self ? pair.target : pair.requester;
  switch (pair.status) {
    case 'pending':
      return pair.requester === self
        ? modelText`Pair ${pair.id}: ${partner} is invited. Its answer reaches you as a message.`
        : modelText`Pair ${pair.id}: ${partner} invites you. Answer with accept or reject. Objective: ${quoted(pair.objective)}`;
    case 'active':
      return modelText`Pair ${pair.id} with ${partner} is active: say something with action send, hang up when you are done.`;
    case 'rejected':
    case 'ended':
      return modelText`Pair ${pair.id} with ${partner} is ${pair.status}.`;
  }
}
