import type { McpToolInput } from 'agent-relay-protocol';
import { type ModelText, modelText } from 'agent-relay-wire';
import type { RelayHandlers } from '../../relay/contract/relay-contract.ts';
import { folderFor, ownFolder } from './own-folder.ts';
import { keyOf, type ToolCaller } from './tool-caller.ts';
import { describeSession } from './tool-text.ts';

/** Starts an agent in the folder that was asked for, else in the caller's own; a relative one is meant from there. */
export async function spawnAgent(handlers: RelayHandlers, request: McpToolInput<'relay_spawn'>, caller: ToolCaller): Promise<ModelText> {
  // A folder of this machine says nothing on another one.
  const isElsewhere = request.node !== undefined || request.nodeLabels !== undefined;
  const cwd = isElsewhere ? (request.cwd ?? null) : folderFor(request.cwd, await ownFolder(handlers, caller));
  const spawnedBy = caller.isOwner ? {} : { spawnedBy: caller.agentId };
  const said = { ...request, ...spawnedBy, ...(cwd === null ? {} : { cwd }), ...keyOf(caller) };
  const session = await handlers['sessions/start'](said, caller.context);
  return describeSession(session);
}

/** Ends an agent. Who may is the relay's rule: the one that started it, and the owner. */
export async function releaseSpawned(
  handlers: RelayHandlers,
  { name, reason }: McpToolInput<'relay_release'>,
  { context }: ToolCaller,
): Promise<ModelText> {
  await handlers['agents/release']({ id: name, ...(reason === undefined ? {} : { reason }) }, context);
  return modelText`${name} has ended. Its address keeps its mail.`;
}

/** Stops a turn. Who may is the relay's rule: the one that started the agent, and the owner. */
export async function interruptSpawned(
  handlers: RelayHandlers,
  { name }: McpToolInput<'relay_interrupt'>,
  { context }: ToolCaller,
): Promise<ModelText> {
  const { interrupted } = await handlers['agents/interrupt']({ id: name }, context);
  return interrupted ? modelText`${name} was interrupted, and takes your next message.` : modelText`${name} was not working.`;
}
