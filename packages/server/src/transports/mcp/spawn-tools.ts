import { resolve } from 'node:path';
import { type McpToolInput, RelayError, type Session } from 'agent-relay-protocol';
import type { RelayHandlers } from '../../relay/relay-contract.ts';
import type { ToolCaller } from './tool-caller.ts';
import { describeSession } from './tool-text.ts';

/** Starts an agent in the folder that was asked for, else in the caller's own; a relative one is meant from there. */
export async function spawnAgent(handlers: RelayHandlers, request: McpToolInput<'relay_spawn'>, caller: ToolCaller): Promise<string> {
  const own = await runningSession(handlers, caller.agentId, caller);
  const cwd = folderFor(request.cwd, own?.cwd ?? null);
  const input = { ...request, spawnedBy: caller.agentId, ...(cwd === null ? {} : { cwd }) };
  return describeSession(await handlers['sessions/start'](input, caller.context));
}

/** Ends an agent; only the one that started it, or the owner, may. */
export async function releaseSpawned(
  handlers: RelayHandlers,
  { name, reason }: McpToolInput<'relay_release'>,
  caller: ToolCaller,
): Promise<string> {
  const session = await runningSession(handlers, name, caller);
  if (!session) throw new RelayError('not_found', `${name} is not running`);
  if (!caller.isOwner && session.spawnedBy !== caller.agentId) throw new RelayError('forbidden', `You did not start ${name}`);
  await handlers['agents/release']({ id: name, ...(reason === undefined ? {} : { reason }) }, caller.context);
  return `${name} has ended. Its address keeps its mail.`;
}

async function runningSession(handlers: RelayHandlers, agent: string, { context }: ToolCaller): Promise<Session | undefined> {
  const { data } = await handlers['sessions/list']({ agent, limit: 10 }, context);
  return data.find(({ status }) => status === 'running' || status === 'starting');
}

function folderFor(asked: string | undefined, own: string | null): string | null {
  if (asked === undefined) return own;
  return own === null ? asked : resolve(own, asked);
}
