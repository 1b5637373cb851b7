import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { AnswerWriter } from '../endpoint/answer-writer.ts';
import { estimateTokens } from '../endpoint/estimate-tokens.ts';
import { cutConnection, writeEvent, writeJson } from '../endpoint/http-endpoint.ts';
import type { ToolCall } from '../model/plan.ts';

type Block =
  | { type: 'text'; text: string }
  | { type: 'thinking'; thinking: string; signature: string }
  | { type: 'tool_use'; id: string; name: string; input: unknown };

/** Writes one answer of the Messages API, streamed or whole. */
export class MessagesWriter implements AnswerWriter {
  readonly #response: ServerResponse;
  readonly #modelName: string;
  readonly #isStream: boolean;
  readonly #inputTokens: number;
  readonly #id = `msg_${randomUUID()}`;
  readonly #blocks: Block[] = [];
  #isStarted = false;

  constructor(
    response: ServerResponse,
    { modelName, isStream, inputTokens }: { modelName: string; isStream: boolean; inputTokens: number },
  ) {
    this.#response = response;
    this.#modelName = modelName;
    this.#isStream = isStream;
    this.#inputTokens = inputTokens;
  }

  async text(pieces: AsyncIterable<string>): Promise<void> {
    const block = { type: 'text' as const, text: '' };
    let index = -1;
    for await (const piece of pieces) {
      if (index < 0) index = this.#open(block, { type: 'text', text: '' });
      block.text += piece;
      this.#event('content_block_delta', { index, delta: { type: 'text_delta', text: piece } });
    }
    if (index >= 0) this.#event('content_block_stop', { index });
  }

  thinking(text: string): void {
    const signature = Buffer.from(text).toString('base64');
    const index = this.#open({ type: 'thinking', thinking: text, signature }, { type: 'thinking', thinking: '', signature: '' });
    this.#event('content_block_delta', { index, delta: { type: 'thinking_delta', thinking: text } });
    this.#event('content_block_delta', { index, delta: { type: 'signature_delta', signature } });
    this.#event('content_block_stop', { index });
  }

  call({ tool, input }: ToolCall, id: string): void {
    const named = { type: 'tool_use' as const, id, name: tool.fullName };
    const index = this.#open({ ...named, input }, { ...named, input: {} });
    this.#event('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json: JSON.stringify(input) } });
    this.#event('content_block_stop', { index });
  }

  fail(status: number, code: string | undefined, message = `The fake model failed with ${status}`): void {
    const error = { type: 'error', error: { type: code ?? errorType(status), message } };
    if (!this.#response.headersSent) {
      writeJson(this.#response, status, error);
      return;
    }
    this.#event('error', error);
    this.#response.end();
  }

  end(): void {
    this.#start();
    const stop = { stop_reason: this.#blocks.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn', stop_sequence: null };
    const usage = { input_tokens: this.#inputTokens, output_tokens: estimateTokens(this.#blocks) };
    if (!this.#isStream) {
      writeJson(this.#response, 200, { ...this.#message(), content: this.#blocks, ...stop, usage });
      return;
    }
    this.#event('message_delta', { delta: stop, usage });
    this.#event('message_stop', {});
    this.#response.end();
  }

  drop(): void {
    cutConnection(this.#response);
  }

  #open(block: Block, contentBlock: object): number {
    this.#start();
    const index = this.#blocks.push(block) - 1;
    this.#event('content_block_start', { index, content_block: contentBlock });
    return index;
  }

  #start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    const usage = { input_tokens: this.#inputTokens, output_tokens: 0 };
    this.#event('message_start', { message: { ...this.#message(), content: [], stop_reason: null, stop_sequence: null, usage } });
  }

  #message(): object {
    return { id: this.#id, type: 'message', role: 'assistant', model: this.#modelName };
  }

  #event(type: string, fields: object): void {
    if (this.#isStream) writeEvent(this.#response, type, fields);
  }
}

const errorTypes: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

const errorType = (status: number): string => errorTypes[status] ?? 'api_error';
