import type { ToolKind } from 'agent-relay-protocol';
import type { ApprovalQuestion, LiveEvent } from 'agent-relay-provider';
import type { ToolUse } from 'agent-relay-provider/kit';
import { lenient } from 'agent-relay-wire';
import { z } from 'zod';
import type { ToolContent, ToolReport } from '../acp/frames.ts';

const kinds: Readonly<Record<string, ToolKind>> = {
  read: 'read',
  edit: 'edit',
  delete: 'edit',
  move: 'edit',
  search: 'search',
  execute: 'execute',
  think: 'think',
  fetch: 'fetch',
};

type Named = Pick<ToolReport, 'name' | '_meta' | 'toolCallId'>;

/**
 * Agents that tell no name make the id of a use from it: `write_file__write_file_1764432000000_0`, `write_file-1764432000000-1`. Where the vendor's API
 * gives a call an id, Gemini puts the name before that one: `write_file__fc_5dwp`. Nor are the ids of other vendors' APIs made of a name, whatever is in them.
 */
const namedIds = [/^(mcp_.+)__\1_\d+_\d+$/u, /^(?!(?:call|toolu|tooluse|fc)_)([\w.-]+?)__/u, /^(.+)-\d{10,}-\d+$/u];

/** The agent's own name for a tool; null when it does not tell. */
export function toolName({ name, _meta: meta, toolCallId }: Named, relayServers: readonly string[]): string | null {
  return name || meta?.toolName || meta?.claudeCode?.toolName || relayNameIn(toolCallId, relayServers) || nameIn(toolCallId);
}

/** The name of a server may hold what ends a name. */
function relayNameIn(toolCallId: string, relayServers: readonly string[]): string | null {
  for (const prefix of relayServers.flatMap(prefixesOf)) {
    const tool = toolCallId.startsWith(prefix) ? /^relay_[a-z]+(?=__)/u.exec(toolCallId.slice(prefix.length)) : null;
    if (tool) return `${prefix}${tool[0]}`;
  }
  return null;
}

function nameIn(toolCallId: string): string | null {
  for (const pattern of namedIds) {
    const found = pattern.exec(toolCallId)?.[1];
    if (found) return found;
  }
  return null;
}

/** Under which agents offer the tools of an MCP server: `mcp_server_tool` (Gemini), `mcp__server__tool` (Claude), `server_tool` (OpenCode). */
const prefixesOf = (server: string): readonly string[] => {
  const plain = server.replace(/[^a-zA-Z0-9_-]/gu, '_');
  return [`mcp_${plain}_`, `mcp__${plain}__`, `${plain}_`];
};

/** What the relay calls this tool; null when it is none of its. */
export function relayTool(name: string, relayServers: readonly string[]): string | null {
  for (const prefix of relayServers.flatMap(prefixesOf)) {
    const tool = name.startsWith(prefix) ? name.slice(prefix.length) : '';
    if (/^relay_[a-z]+$/u.test(tool)) return tool;
  }
  return null;
}

export function toolKind({ kind = 'other' }: Pick<ToolReport, 'kind'>, isRelay: boolean): ToolKind {
  return isRelay ? 'message' : (kinds[kind] ?? 'other');
}

/** Every file that a use names, as it names it. */
export const pathsOf = ({ locations, content }: Pick<ToolReport, 'locations' | 'content'>): readonly string[] => [
  ...new Set([
    ...locations.map(({ path }) => path),
    ...(content ?? []).flatMap(({ type, path }) => (type === 'diff' && path ? [path] : [])),
  ]),
];

const changes = new Set(['edit', 'delete', 'move']);
/** A tool of an MCP server calls itself what it likes: that it only reads is its own word. */
const isForeign = (name: string | null): boolean => name?.startsWith('mcp_') === true;

/**
 * What a use that an agent asks about comes to in the words of the one rule. A search counts as `other`, and so does
 * what thinks: agents call a search of the web one too, and thinking what writes into their memory; what only looks they do not ask about.
 */
export function toolUse(report: ToolReport, relayServers: readonly string[]): ToolUse {
  const told = toolName(report, relayServers);
  const name = told ?? report.title ?? report.kind ?? 'This tool';
  if (told !== null && relayTool(told, relayServers) !== null) return { kind: 'relay', name };
  if (told === 'ask_user' || told === 'AskUserQuestion') return { kind: 'question', name };
  if (changes.has(report.kind ?? '')) return { kind: 'edit', name, paths: pathsOf(report) };
  return { kind: report.kind === 'read' && !isForeign(told) ? 'read' : 'other', name };
}

export function toolTitle(report: ToolReport): string {
  const title = (report.title ?? toolName(report, []) ?? report.kind ?? 'tool').split('\n', 1)[0] ?? '';
  return title.length > 200 ? `${title.slice(0, 200)}…` : title;
}

/** All that the agent tells of what would run: it is what a person allows. `before` was told earlier under the same id, and stands apart. */
export function questionInput(question: ToolReport, before?: ToolReport): ApprovalQuestion['input'] {
  return jsonOf({ ...toldOf(question), ...(before ? { before: toldOf(before) } : {}) });
}

const toldOf = ({ title, kind, rawInput, locations, content }: ToolReport) => ({
  title,
  kind,
  ...(rawInput === undefined ? {} : { input: rawInput }),
  paths: locations.map(({ path }) => path),
  content: content ?? [],
});

type Json = Extract<LiveEvent, { type: 'vendor.event' }>['data'];

/** It came as JSON a moment ago; what reads as absent is absent. */
export const jsonOf = (value: unknown): Json => JSON.parse(JSON.stringify(value ?? null));

/** The text of what a tool shows. */
export const contentText = (content: readonly ToolContent[] | undefined): string =>
  (content ?? []).flatMap(({ content: block }) => (block?.text ? [block.text] : [])).join('\n');

const TextContent = z
  .looseObject({ content: z.array(z.looseObject({ text: z.string() })) })
  .transform(({ content }) => content.map(({ text }) => text).join('\n'));
/** What a tool gave, where the agent shows nothing of it: text, or what holds some. */
const RawOutput = z.union([
  z.string(),
  z.looseObject({ output: z.string() }).transform(({ output }) => output),
  TextContent,
  z.looseObject({ result: TextContent }).transform(({ result }) => result),
]);

export const outputText = ({ content, rawOutput }: Pick<ToolReport, 'content' | 'rawOutput'>): string =>
  contentText(content) || (RawOutput.safeParse(rawOutput).data ?? '');

const RawOutcome = z.looseObject({ metadata: z.looseObject({ exit: lenient(z.int()), exists: lenient(z.boolean()) }) });

/** What OpenCode says of a finished use beside its text: a command's exit code, and whether the file that it wrote was there before. */
export function outcomeIn(rawOutput: unknown): { readonly exit?: number | undefined; readonly exists?: boolean | undefined } {
  return RawOutcome.safeParse(rawOutput).data?.metadata ?? {};
}
