import { z } from 'zod';
import { isPreparation, type ReadRequest } from '../endpoint/answer-request.ts';
import { type ConversationEntry, type OfferedTool, summarise } from '../model/model-request.ts';

const Tool = z.looseObject({
  type: z.string(),
  name: z.string().optional(),
  parameters: z.unknown().optional(),
  tools: z.array(z.looseObject({ type: z.string(), name: z.string().optional(), parameters: z.unknown().optional() })).optional(),
});
type Tool = z.infer<typeof Tool>;

const Item = z.looseObject({
  type: z.string().default('message'),
  id: z.string().nullish(),
  role: z.string().optional(),
  content: z.unknown().optional(),
  call_id: z.string().optional(),
  name: z.string().optional(),
  arguments: z.unknown().optional(),
  input: z.unknown().optional(),
  output: z.unknown().optional(),
  action: z.unknown().optional(),
  tools: z.array(Tool).optional(),
});
type Item = z.infer<typeof Item>;

export const ResponsesBody = z.looseObject({
  model: z.string(),
  instructions: z.string().nullish(),
  input: z.array(Item),
  tools: z.array(Tool).nullish(),
});
export type ResponsesBody = z.infer<typeof ResponsesBody>;

/** Reads a Responses API request into the vendor-neutral one. */
export function readResponsesRequest(
  body: ResponsesBody,
  { headers, raw }: { headers: Readonly<Record<string, string>>; raw: unknown },
): ReadRequest {
  const reader = new ConversationReader();
  for (const item of body.input) reader.read(item);
  const developer = body.input.flatMap((item) => (item.role === 'developer' || item.role === 'system' ? [plainText(item.content)] : []));
  const system = [body.instructions ?? '', ...developer].filter((text) => text !== '').join('\n');
  // What a search found stays offered: it is in the conversation from then on.
  const found = body.input.flatMap((item) => (item.type === 'tool_search_output' ? (item.tools ?? []) : []));
  const tools = withoutDoubles([...(body.tools ?? []), ...found].flatMap(offeredTools));
  const request = {
    vendor: 'openai',
    modelName: body.model,
    system,
    conversation: reader.entries,
    ...summarise(reader.entries),
    tools,
    headers,
    raw,
  } as const;
  return {
    request,
    preparedCallIds: reader.preparedCallIds,
    isSideCall: isForTitle(headers) || (tools.every(({ form }) => form === 'hosted') && asksForTitle([system, ...textsOf(reader.entries)])),
  };
}

class ConversationReader {
  readonly entries: ConversationEntry[] = [];
  preparedCallIds: string[] = [];
  readonly #names = new Map<string, string>();

  read(item: Item): void {
    const id = item.call_id ?? '';
    switch (item.type) {
      case 'message':
        this.#text(item.role ?? '', plainText(item.content));
        break;
      case 'function_call':
      case 'custom_tool_call':
        this.#call(id, item.name ?? '', item.type === 'function_call' ? parsed(item.arguments) : item.input);
        break;
      case 'web_search_call':
        this.#call(item.id ?? '', 'web_search', item.action);
        break;
      case 'tool_search_call':
        this.#call(id, 'tool_search', item.arguments);
        break;
      case 'function_call_output':
      case 'custom_tool_call_output':
        // An output of no call is what a client gave as additional context: words of others, not a tool's.
        if (item.call_id === undefined) this.#text('user', plainText(item.output));
        else this.#result(id, plainText(item.output));
        break;
      case 'tool_search_output':
        this.#result(id, JSON.stringify(item.tools ?? []));
        break;
    }
  }

  #text(role: string, text: string): void {
    if (role === 'assistant') this.entries.push({ kind: 'assistantText', text });
    else if (role === 'user' && !isContext(text)) this.entries.push({ kind: 'userText', text });
    else this.entries.push({ kind: 'context', text });
    if (this.entries.at(-1)?.kind !== 'context') this.preparedCallIds = [];
  }

  #call(id: string, name: string, input: unknown): void {
    this.preparedCallIds = [];
    this.#names.set(id, name);
    if (!isPreparation(id)) this.entries.push({ kind: 'toolCall', id, name, input });
  }

  #result(id: string, text: string): void {
    if (isPreparation(id)) this.preparedCallIds.push(id);
    else this.entries.push({ kind: 'toolResult', id, name: this.#names.get(id) ?? '', text, isError: false });
  }
}

/** What Codex itself says in the user's role. */
const contextTags = [
  'environment_context',
  'user_instructions',
  'turn_aborted',
  'user_shell_command',
  'skill',
  'subagent_notification',
  'stdin',
];

const isContext = (text: string): boolean =>
  contextTags.some((tag) => text.trimStart().startsWith(`<${tag}`)) || text.startsWith('# AGENTS.md instructions');

function offeredTools(tool: Tool): OfferedTool[] {
  const { name } = tool;
  if (tool.type === 'tool_search')
    return [{ name: 'tool_search', fullName: 'tool_search', form: 'search', namespace: undefined, schema: tool.parameters }];
  if (tool.type === 'web_search')
    return [{ name: 'web_search', fullName: 'web_search', form: 'hosted', namespace: undefined, schema: undefined }];
  if (name === undefined) return [];
  if (tool.type === 'custom') return [{ name, fullName: name, form: 'freeform', namespace: undefined, schema: undefined }];
  if (tool.type === 'function') return [{ name, fullName: name, form: 'function', namespace: undefined, schema: tool.parameters }];
  if (tool.type !== 'namespace') return [];
  return (tool.tools ?? []).flatMap((inner) =>
    inner.name === undefined
      ? []
      : [{ name: inner.name, fullName: `${name}__${inner.name}`, form: 'function' as const, namespace: name, schema: inner.parameters }],
  );
}

const withoutDoubles = (tools: readonly OfferedTool[]): OfferedTool[] => [...new Map(tools.map((tool) => [tool.fullName, tool])).values()];

const isForTitle = (headers: Readonly<Record<string, string>>): boolean =>
  (headers['x-codex-turn-metadata'] ?? '').includes('"thread_source":"thread_title"');

const textsOf = (entries: readonly ConversationEntry[]): readonly string[] =>
  entries.flatMap((entry) => ('text' in entry ? [entry.text] : []));

/** How codex-acp has a conversation named, in a thread of its own. */
const asksForTitle = (texts: readonly string[]): boolean =>
  texts.some((text) => text.includes('generate a very short title for a conversation'));

function parsed(text: unknown): unknown {
  if (typeof text !== 'string') return text;
  try {
    return JSON.parse(text);
  } catch {
    return text; // arguments that are no JSON are shown as they are
  }
}

const TextParts = z.array(z.looseObject({ text: z.string().default('') }));

function plainText(content: unknown): string {
  if (typeof content === 'string') return content;
  const parts = TextParts.safeParse(content);
  return parts.success
    ? parts.data
        .map(({ text }) => text)
        .filter((text) => text !== '')
        .join('\n')
    : '';
}
