import { z } from 'zod';
import { isPreparation, type ReadRequest } from '../endpoint/answer-request.ts';
import { type ConversationEntry, type OfferedTool, summarise } from '../model/model-request.ts';

const Part = z.looseObject({
  text: z.string().optional(),
  thought: z.boolean().optional(),
  functionCall: z.looseObject({ id: z.string().optional(), name: z.string(), args: z.unknown().optional() }).optional(),
  functionResponse: z.looseObject({ id: z.string().optional(), name: z.string().optional(), response: z.unknown().optional() }).optional(),
});
type Part = z.infer<typeof Part>;
const Content = z.looseObject({ role: z.string().default('user'), parts: z.array(Part).default([]) });

export const GenerateContentBody = z.looseObject({
  contents: z.array(Content),
  systemInstruction: Content.optional(),
  tools: z
    .array(
      z.looseObject({
        functionDeclarations: z
          .array(z.looseObject({ name: z.string(), parameters: z.unknown().optional(), parametersJsonSchema: z.unknown().optional() }))
          .default([]),
      }),
    )
    .default([]),
  generationConfig: z.looseObject({ responseMimeType: z.string().optional() }).optional(),
});
export type GenerateContentBody = z.infer<typeof GenerateContentBody>;

/** Reads a request of the Gemini API into the vendor-neutral one. */
export function readGenerateContentRequest(
  body: GenerateContentBody,
  { modelName, headers, raw }: { modelName: string; headers: Readonly<Record<string, string>>; raw: unknown },
): ReadRequest {
  const reader = new ConversationReader();
  for (const { role, parts } of body.contents) for (const part of parts) reader.read(role, part);
  const tools = body.tools.flatMap(({ functionDeclarations }) => functionDeclarations.map(offeredTool));
  const request = {
    vendor: 'google',
    modelName,
    system: (body.systemInstruction?.parts ?? []).flatMap(({ text }) => text ?? []).join('\n'),
    conversation: reader.entries,
    ...summarise(reader.entries),
    tools,
    headers,
    raw,
  } as const;
  // The CLI asks which model fits a prompt, and who speaks next, and wants nothing but JSON.
  const isSideCall = tools.length === 0 && body.generationConfig?.responseMimeType === 'application/json';
  return { request, preparedCallIds: reader.preparedCallIds, isSideCall };
}

class ConversationReader {
  readonly entries: ConversationEntry[] = [];
  preparedCallIds: string[] = [];
  readonly #names = new Map<string, string>();

  read(role: string, { text, thought, functionCall, functionResponse }: Part): void {
    if (text !== undefined && thought !== true) this.#text(role, text);
    if (functionCall) this.#call(functionCall.id ?? '', bareName(functionCall.name), functionCall.args);
    if (functionResponse) this.#result(functionResponse.id ?? '', functionResponse.name ?? '', functionResponse.response);
  }

  #text(role: string, text: string): void {
    if (role === 'model') this.entries.push({ kind: 'assistantText', text });
    else if (text.trimStart().startsWith('<session_context>')) this.entries.push({ kind: 'context', text });
    else this.entries.push({ kind: 'userText', text });
    if (this.entries.at(-1)?.kind !== 'context') this.preparedCallIds = [];
  }

  #call(id: string, name: string, input: unknown): void {
    this.preparedCallIds = [];
    this.#names.set(id, name);
    if (!isPreparation(id)) this.entries.push({ kind: 'toolCall', id, name, input });
  }

  #result(id: string, name: string, response: unknown): void {
    if (isPreparation(id)) {
      this.preparedCallIds.push(id);
      return;
    }
    const { output, error } = Response.parse(response);
    const text = error ?? output ?? JSON.stringify(response ?? null);
    this.entries.push({ kind: 'toolResult', id, name: this.#names.get(id) ?? bareName(name), text, isError: error !== undefined });
  }
}

const Response = z.looseObject({ output: z.string().optional().catch(undefined), error: z.string().optional().catch(undefined) }).catch({});

/** Gemini offers the tool of an MCP server as `mcp_server_tool`, and a server's name has no underscore. */
const bareName = (name: string): string => /^mcp_[^_]+_(.+)$/u.exec(name)?.[1] ?? name;

const offeredTool = ({
  name,
  parameters,
  parametersJsonSchema,
}: GenerateContentBody['tools'][number]['functionDeclarations'][number]): OfferedTool => ({
  name: bareName(name),
  fullName: name,
  form: 'function',
  namespace: undefined,
  schema: parametersJsonSchema ?? parameters,
});
