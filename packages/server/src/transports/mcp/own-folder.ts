import { resolve } from 'node:path';
import type { RelayHandlers } from '../../relay/contract/relay-contract.ts';
import type { ToolCaller } from './tool-caller.ts';

/** Where the caller's session works; null for one that no machine runs. */
export async function ownFolder(handlers: RelayHandlers, { agentId, context }: ToolCaller): Promise<string | null> {
  const { data } = await handlers['sessions/list']({ agent: agentId, status: 'running', limit: 1 }, context);
  return data[0]?.cwd ?? null;
}

/** The folder that was asked for, else the caller's own; a relative one is meant from there. */
export function folderFor(asked: string | undefined, own: string | null): string | null {
  if (asked === undefined) return own;
  return own === null ? asked : resolve(own, asked);
}
