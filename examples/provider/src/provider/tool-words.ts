import type { ToolKind } from 'agent-relay-protocol';
import type { ToolUse } from 'agent-relay-provider/kit';
import type { ToolFrame } from '../wire/frames.ts';

const kinds: Readonly<Record<ToolFrame['tool'], ToolKind>> = { write: 'edit', run: 'execute' };

export const kindOf = ({ tool }: ToolFrame): ToolKind => kinds[tool];
export const titleOf = ({ tool, input }: ToolFrame): string => `${tool} ${input.path ?? input.command ?? ''}`.trim();

/** What a use of a tool comes to in the words of the one rule. A write that does not say where changes no file that could be allowed. */
export function toolUse({ tool, input }: ToolFrame): ToolUse {
  if (tool === 'write') return { kind: 'edit', name: tool, paths: input.path === undefined ? [] : [input.path] };
  return { kind: 'other', name: tool };
}
