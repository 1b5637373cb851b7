import { FileChangeSchema } from 'agent-relay-protocol';
import { holdsMail, type LiveEvent, mayHandOutMail } from 'agent-relay-provider';
import { count, lenient, lenientList } from 'agent-relay-wire';
import { z } from 'zod';
import type { ContentBlock } from '../stream-json/message-frames.ts';
import { editedPath, relayTool, type ToolInput } from './tool-words.ts';

export interface OpenTool {
  readonly turnId: string;
  readonly itemId: string;
  readonly name: string;
  readonly input: ToolInput;
}

const longestDiff = 64 * 1024;

/** Whether what a tool answered holds words of others, which the relay hands out. */
export function handsOutMail({ name, input }: Pick<OpenTool, 'name' | 'input'>, answer: unknown, relayServers: readonly string[]): boolean {
  const tool = relayTool(name, relayServers);
  return tool !== null && mayHandOutMail(tool, input) && holdsMail(plainText(answer));
}

/** Untold numbers of a hunk read as nought: what it changed is still shown. */
export const ToolUseResult = z.looseObject({
  type: lenient(z.string()),
  interrupted: lenient(z.boolean()),
  structuredPatch: lenientList(
    z.looseObject({ oldStart: count, oldLines: count, newStart: count, newLines: count, lines: lenientList(z.string()) }),
  ),
});

/** What a `tool_result` block means for its tool, with the change it made when it was an edit. */
export function toolCompleted(tool: OpenTool, block: ContentBlock, details: unknown, isDeclined: boolean): LiveEvent[] {
  const { turnId, itemId } = tool;
  const output = plainText(block.content);
  const result = ToolUseResult.safeParse(details);
  const outcome = outcomeOf({ isError: block.is_error === true, isDeclined, output, wasInterrupted: result.data?.interrupted === true });
  const exitCode = /^Exit code (\d{1,9})\b/u.exec(output)?.[1];
  const completed: LiveEvent = {
    type: 'tool.completed',
    turnId,
    itemId,
    outcome,
    output,
    ...(exitCode === undefined || tool.name !== 'Bash' ? {} : { exitCode: Number(exitCode) }),
  };
  return outcome === 'succeeded' ? [...fileChanged(tool, result.data), completed] : [completed];
}

function outcomeOf(result: { isError: boolean; isDeclined: boolean; output: string; wasInterrupted: boolean }) {
  if (result.isDeclined) return 'declined';
  if (result.wasInterrupted || /^<error>Command was aborted|\[Request interrupted by user/u.test(result.output)) return 'interrupted';
  return result.isError ? 'failed' : 'succeeded';
}

function fileChanged({ turnId, name, input }: OpenTool, result: z.infer<typeof ToolUseResult> | undefined): LiveEvent[] {
  if (name !== 'Write' && name !== 'Edit' && name !== 'MultiEdit' && name !== 'NotebookEdit') return [];
  const path = editedPath(input);
  if (path === null) return [];
  const diff = (result?.structuredPatch ?? [])
    .map((hunk) => `@@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@\n${hunk.lines.join('\n')}\n`)
    .join('');
  const change = FileChangeSchema.parse({
    path,
    change: result?.type === 'create' ? 'added' : 'updated',
    ...(diff === '' || diff.length > longestDiff ? {} : { diff }),
  });
  return [{ type: 'file.changed', turnId, changes: [change] }];
}

/** The text of a block's content: a string, or blocks of which only text can be shown. */
export function plainText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((block: unknown) => {
      if (typeof block !== 'object' || block === null) return '';
      if ('text' in block && typeof block.text === 'string') return block.text;
      return 'type' in block && typeof block.type === 'string' ? `[${block.type}]` : '';
    })
    .join('\n');
}

export const Todos = z.looseObject({ todos: lenientList(z.looseObject({ content: z.string(), status: lenient(z.string()) })) });

/** The plan that a `TodoWrite` call writes down. */
export function planUpdated(turnId: string, name: string, input: ToolInput): LiveEvent[] {
  const todos = name === 'TodoWrite' && Array.isArray(input['todos']) ? Todos.safeParse(input).data?.todos : undefined;
  if (!todos) return [];
  const steps = todos.map(({ content, status }) => ({ step: content, status: planStatus(status) }));
  return [{ type: 'plan.updated', turnId, steps }];
}

function planStatus(status: string | undefined): 'pending' | 'active' | 'done' {
  if (status === 'completed') return 'done';
  return status === 'in_progress' ? 'active' : 'pending';
}
