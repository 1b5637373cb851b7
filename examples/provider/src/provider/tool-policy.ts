import { isAbsolute, relative } from 'node:path';
import type { ApprovalMode, SpawnMode } from 'agent-relay-protocol';
import type { ToolFrame } from '../wire/frames.ts';

export interface ToolPolicy {
  readonly mode: SpawnMode;
  readonly approval: ApprovalMode;
  readonly cwd: string;
  /** Relay mail is part of the running turn. */
  readonly isMailTurn: boolean;
}

/**
 * Whether Parrot may use a tool. The mode is the outer fence, and no answer of a person moves it; inside it, a turn that relay mail is part of
 * is held to the approval mode: a peer's message is never consent.
 */
export function mayUseTool({ tool, input }: Pick<ToolFrame, 'tool' | 'input'>, policy: ToolPolicy): 'allow' | 'deny' | 'ask' {
  const { mode, approval, cwd, isMailTurn } = policy;
  if (mode === 'safe') return 'deny';
  const staysInside = tool === 'write' && input.path !== undefined && isInside(cwd, input.path);
  if (mode === 'agentic' && !staysInside) return 'deny';
  if (!isMailTurn || approval === 'open') return 'allow';
  return approval === 'guarded' ? 'ask' : 'deny';
}

function isInside(folder: string, path: string): boolean {
  const inside = relative(folder, path);
  return inside !== '' && !inside.startsWith('..') && !isAbsolute(inside);
}
