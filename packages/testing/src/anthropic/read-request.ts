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
  output_config: z
    .looseObject({
      format: z
        .looseObject({ schema: z.looseObject({ properties: z.looseObject({ title: z.unknown().optional() }).optional() }).optional() })
        .nullish(),
    })
    .optional(),
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
  return { request, preparedCallIds: reader.preparedCallIds, isSideCall: tools.length === 0 && asksForTitle(body) };
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
    const said = role === 'system' ? '' : text.replace(reminder, '').trim();
    const notes = role === 'system' ? [text] : (text.match(reminder) ?? []);
    for (const note of notes) this.#note(note);
    if (said.startsWith('[Request interrupted by user')) this.entries.push({ kind: 'context', text: said });
    else if (said !== '') this.#said(said);
  }

  /** Claude tells the model what was said during a turn in a note of its own. */
  #note(note: string): void {
    const messages = [...note.matchAll(saidMidTurn)].map(([, words = '']) => words);
    if (messages.length === 0) this.entries.push({ kind: 'context', text: note });
    for (const words of messages) this.#said(words);
  }

  #said(text: string): void {
    this.preparedCallIds = [];
    this.entries.push({ kind: 'userText', text });
  }

  #call(id: string, name: string, input: unknown): void {
    this.preparedCallIds = [];
    this.#names.set(id, name);
    if (!isPreparation(id)) this.entries.push({ kind: 'toolCall', id, name, input });
  }

  #result(id: string, text: string, isError: boolean): void {
    if (isPreparation(id)) this.preparedCallIds.push(id);
    else
      this.entries.push({
        kind: 'toolResult',
        id,
        name: this.#names.get(id) ?? '',
        text: text.replace(midTurnReminder, '').trimEnd(),
        isError,
      });
    // 2.1.120 puts what was said during the turn into the tool's result; newer versions use a message with the role "system".
    for (const note of text.match(midTurnReminder) ?? []) this.#note(note);
  }
}

const reminder = /<system-reminder>[\s\S]*?<\/system-reminder>/gu;
const midTurnReminder = /<system-reminder>\nThe user sent a new message while[\s\S]*?<\/system-reminder>/gu;
const saidMidTurn = /The user sent a new message while you were working:\n([\s\S]*?)\n\n(?:This is how Claude Code|IMPORTANT: After)/gu;

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

/** The CLI names a session with a call that wants `{"title": …}` and nothing else. */
const asksForTitle = ({ output_config }: MessagesBody): boolean => output_config?.format?.schema?.properties?.title !== undefined;

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
