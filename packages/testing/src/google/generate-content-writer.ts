import type { ServerResponse } from 'node:http';
import type { AnswerWriter } from '../endpoint/answer-writer.ts';
import { estimateTokens } from '../endpoint/estimate-tokens.ts';
import { cutConnection, writeJson } from '../endpoint/http-endpoint.ts';
import type { ToolCall } from '../model/plan.ts';

export interface GenerateContentWriterOptions {
  readonly isStream: boolean;
  readonly inputTokens: number;
  /** The id that a call goes out with, from one that is its own. Without it calls have none. */
  readonly callId?: ((id: string) => string) | undefined;
}

/** Writes one answer of the Gemini API, streamed or whole. */
export class GenerateContentWriter implements AnswerWriter {
  readonly #response: ServerResponse;
  readonly #isStream: boolean;
  readonly #inputTokens: number;
  readonly #callId: ((id: string) => string) | undefined;
  readonly #parts: object[] = [];

  constructor(response: ServerResponse, { isStream, inputTokens, callId }: GenerateContentWriterOptions) {
    this.#response = response;
    this.#isStream = isStream;
    this.#inputTokens = inputTokens;
    this.#callId = callId;
  }

  async text(pieces: AsyncIterable<string>): Promise<void> {
    for await (const piece of pieces) this.#part({ text: piece });
  }

  thinking(text: string): void {
    this.#part({ text, thought: true });
  }

  /** The API may leave the id out: then the CLI makes its own. */
  call({ tool, input }: ToolCall, id: string): void {
    this.#part({ functionCall: { ...(this.#callId ? { id: this.#callId(id) } : {}), name: tool.fullName, args: input } });
  }

  fail(status: number, code: string | undefined, message = `The fake model failed with ${status}`): void {
    const error = { code: status, message, status: code ?? statusWords[status] ?? 'INTERNAL' };
    if (!this.#response.headersSent) {
      writeJson(this.#response, status, { error });
      return;
    }
    this.#event({ error });
    this.#response.end();
  }

  end(): void {
    const outputTokens = estimateTokens(this.#parts);
    const usageMetadata = {
      promptTokenCount: this.#inputTokens,
      candidatesTokenCount: outputTokens,
      totalTokenCount: this.#inputTokens + outputTokens,
    };
    if (!this.#isStream) {
      writeJson(this.#response, 200, { candidates: [{ ...content(this.#parts), finishReason: 'STOP' }], usageMetadata });
      return;
    }
    this.#event({ candidates: [{ ...content([{ text: '' }]), finishReason: 'STOP' }], usageMetadata });
    this.#response.end();
  }

  drop(): void {
    cutConnection(this.#response);
  }

  #part(part: object): void {
    this.#parts.push(part);
    if (this.#isStream) this.#event({ candidates: [content([part])] });
  }

  #event(data: object): void {
    if (!this.#response.headersSent) this.#response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    this.#response.write(`data: ${JSON.stringify(data)}\r\n\r\n`);
  }
}

const content = (parts: readonly object[]) => ({ content: { role: 'model', parts }, index: 0 });

const statusWords: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
};
