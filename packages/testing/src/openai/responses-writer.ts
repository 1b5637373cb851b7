import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { AnswerWriter } from '../endpoint/answer-writer.ts';
import { estimateTokens } from '../endpoint/estimate-tokens.ts';
import { cutConnection, writeEvent, writeJson } from '../endpoint/http-endpoint.ts';
import type { ToolCall } from '../model/plan.ts';

/** Writes one streamed answer of the Responses API. */
export class ResponsesWriter implements AnswerWriter {
  readonly #response: ServerResponse;
  readonly #inputTokens: number;
  readonly #id = `resp_${randomUUID()}`;
  readonly #items: object[] = [];
  #isStarted = false;

  constructor(response: ServerResponse, { inputTokens }: { inputTokens: number }) {
    this.#response = response;
    this.#inputTokens = inputTokens;
  }

  async text(pieces: AsyncIterable<string>): Promise<void> {
    const item = { type: 'message', id: `msg_${randomUUID()}`, role: 'assistant' };
    const place = { output_index: this.#items.length, item_id: item.id, content_index: 0 };
    let text = '';
    for await (const piece of pieces) {
      if (text === '') this.#event('response.output_item.added', { output_index: place.output_index, item: { ...item, content: [] } });
      text += piece;
      this.#event('response.output_text.delta', { ...place, delta: piece });
    }
    if (text !== '') this.#done({ ...item, content: [{ type: 'output_text', text }] });
  }

  thinking(text: string): void {
    const item = { type: 'reasoning', id: `rs_${randomUUID()}` };
    const place = { output_index: this.#items.length, item_id: item.id, summary_index: 0 };
    this.#event('response.output_item.added', { output_index: place.output_index, item: { ...item, summary: [] } });
    this.#event('response.reasoning_summary_part.added', { ...place, part: { type: 'summary_text', text: '' } });
    this.#event('response.reasoning_summary_text.delta', { ...place, delta: text });
    this.#event('response.reasoning_summary_text.done', { ...place, text });
    this.#done({ ...item, summary: [{ type: 'summary_text', text }], encrypted_content: Buffer.from(text).toString('base64') });
  }

  call({ tool, input }: ToolCall, callId: string): void {
    const { name, namespace, form } = tool;
    if (form === 'search') {
      this.#done({
        type: 'tool_search_call',
        id: `tsc_${randomUUID()}`,
        call_id: callId,
        status: 'completed',
        execution: 'client',
        arguments: input,
      });
    } else if (form === 'hosted') {
      this.#hostedSearch(input);
    } else if (form === 'freeform') {
      this.#done({ type: 'custom_tool_call', id: `ctc_${randomUUID()}`, call_id: callId, status: 'completed', name, input: String(input) });
    } else {
      this.#done({ type: 'function_call', id: `fc_${randomUUID()}`, call_id: callId, name, namespace, arguments: JSON.stringify(input) });
    }
  }

  fail(status: number, code: string | undefined, message = `The fake model failed with ${status}`): void {
    const error = { type: code ?? 'fake_error', code: code ?? String(status), message };
    if (!this.#response.headersSent) {
      writeJson(this.#response, status, { error });
      return;
    }
    this.#event('response.failed', { response: { id: this.#id, status: 'failed', error } });
    this.#response.end();
  }

  end(): void {
    const outputTokens = estimateTokens(this.#items);
    const usage = {
      input_tokens: this.#inputTokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: outputTokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: this.#inputTokens + outputTokens,
    };
    this.#event('response.completed', { response: { id: this.#id, status: 'completed', output: this.#items, usage } });
    this.#response.end();
  }

  drop(): void {
    cutConnection(this.#response);
  }

  /** Its item says first that it goes on, and only at its end what was looked for. */
  #hostedSearch(action: unknown): void {
    const item = { type: 'web_search_call', id: `ws_${randomUUID()}` };
    const place = { output_index: this.#items.length, item_id: item.id };
    this.#event('response.output_item.added', { output_index: place.output_index, item: { ...item, status: 'in_progress' } });
    for (const state of ['in_progress', 'searching', 'completed']) this.#event(`response.web_search_call.${state}`, place);
    this.#done({ ...item, status: 'completed', action });
  }

  #done(item: object): void {
    this.#event('response.output_item.done', { output_index: this.#items.length, item });
    this.#items.push(item);
  }

  #event(type: string, fields: object): void {
    if (!this.#isStarted) {
      this.#isStarted = true;
      writeEvent(this.#response, 'response.created', { response: { id: this.#id, status: 'in_progress' } });
    }
    writeEvent(this.#response, type, fields);
  }
}
