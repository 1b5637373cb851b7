import { z } from 'zod';
import { isPreparation, type ReadRequest } from '../endpoint/answer-request.ts';
import { type ConversationEntry, type OfferedTool, summarise } from '../model/model-request.ts';

const Block = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  id: z.string().optional(),
  name: z.string().optional(),
  input: z.unknown().optional(),
  tool_use_id: z.string().optional(),
  content: z.unknown().optional(),
  is_error: z.boolean().optional(),
});
type Block = z.infer<typeof Block>;
const Content = z.union([z.string(), z.array(Block)]);

export const MessagesBody = z.looseObject({
  model: z.string(),
  system: Content.optional(),
  messages: z.array(z.looseObject({ role: z.string(), content: Content })),
  tools: z.array(z.looseObject({ name: z.string(), input_schema: z.unknown().optional() })).default([]),
  stream: z.boolean().default(false),
});
export type MessagesBody = z.infer<typeof MessagesBody>;

/** Reads a Messages API request into the vendor-neutral one. */
export function readMessagesRequest(
  body: MessagesBody,
  { headers, raw }: { headers: Readonly<Record<string, string>>; raw: unknown },
): ReadRequest {
  const system = plainText(body.system ?? '');
  const reader = new ConversationReader();
  for (const message of body.messages) {
    const blocks: Block[] =
      typeof message.content === 'string'
        ? [{ type: 'text', text: message.content, input: undefined, content: undefined }]
        : message.content;
    for (const block of blocks) reader.read(message.role, block);
  }
  const tools = body.tools.flatMap(offeredTool);
  const request = {
    vendor: 'anthropic',
    modelName: body.model,
    system,
    conversation: reader.entries,
    ...summarise(reader.entries),
    tools,
    headers,
    raw,
  } as const;
  return { request, preparedCallIds: reader.preparedCallIds, isSideCall: tools.length === 0 && asksForTitle(system) };
}

class ConversationReader {
  readonly entries: ConversationEntry[] = [];
  preparedCallIds: string[] = [];
  readonly #names = new Map<string, string>();

  read(role: string, block: Block): void {
    if (block.type === 'text') this.#text(role, block.text ?? '');
    if (block.type === 'tool_use') this.#call(block.id ?? '', bareName(block.name ?? ''), block.input);
    if (block.type === 'tool_result') this.#result(block.tool_use_id ?? '', plainText(block.content), block.is_error === true);
  }

  #text(role: string, text: string): void {
    if (role === 'assistant') {
      this.preparedCallIds = [];
      this.entries.push({ kind: 'assistantText', text });
      return;
    }
    const { said, context } = role === 'system' ? splitSystemText(text) : splitUserText(text);
    for (const note of context) this.entries.push({ kind: 'context', text: note });
    for (const words of said) {
      this.preparedCallIds = [];
      this.entries.push({ kind: 'userText', text: words });
    }
  }

  #call(id: string, name: string, input: unknown): void {
    this.preparedCallIds = [];
    this.#names.set(id, name);
    if (!isPreparation(id)) this.entries.push({ kind: 'toolCall', id, name, input });
  }

  #result(id: string, text: string, isError: boolean): void {
    if (isPreparation(id)) this.preparedCallIds.push(id);
    else this.entries.push({ kind: 'toolResult', id, name: this.#names.get(id) ?? '', text, isError });
  }
}

const reminder = /<system-reminder>[\s\S]*?<\/system-reminder>/gu;

function splitUserText(text: string): { said: readonly string[]; context: readonly string[] } {
  const said = text.replace(reminder, '').trim();
  return { said: said === '' ? [] : [said], context: text.match(reminder) ?? [] };
}

function splitSystemText(text: string): { said: readonly string[]; context: readonly string[] } {
  return { said: [], context: [text] };
}

const bareName = (name: string): string => /^mcp__.+?__(.+)$/u.exec(name)?.[1] ?? name;

function offeredTool({ name, input_schema }: MessagesBody['tools'][number]): OfferedTool[] {
  if (name === 'DeferredToolPlaceholder') return [];
  return [
    {
      name: bareName(name),
      fullName: name,
      form: name === 'ToolSearch' ? 'search' : 'function',
      namespace: undefined,
      schema: input_schema,
    },
  ];
}

const asksForTitle = (system: string): boolean => /\btitle\b/iu.test(system) && system.length < 4000;

const TextBlocks = z.array(z.looseObject({ text: z.string().default('') }));

/** The text of a string or of blocks, other kinds of blocks left out. */
function plainText(content: unknown): string {
  if (typeof content === 'string') return content;
  const blocks = TextBlocks.safeParse(content);
  return blocks.success
    ? blocks.data
        .map(({ text }) => text)
        .filter((text) => text !== '')
        .join('\n')
    : '';
}
