import { RequestAnswerer } from '../endpoint/answer-request.ts';
import { estimateTokens } from '../endpoint/estimate-tokens.ts';
import type { FakeEndpoint } from '../endpoint/fake-endpoint.ts';
import { type Exchange, HttpEndpoint, writeJson } from '../endpoint/http-endpoint.ts';
import { loopbackWithoutProxy } from '../endpoint/loopback-env.ts';
import type { Model } from '../model/steps.ts';
import { type CodexHomeOptions, writeCodexConfig } from './codex-home.ts';
import { codexDialect } from './dialect.ts';
import { ResponsesBody, readResponsesRequest } from './read-request.ts';
import { ResponsesWriter } from './responses-writer.ts';

export interface FakeOpenAi extends FakeEndpoint {
  /** Writes a `config.toml` into this folder, so that a Codex with it as CODEX_HOME talks to this endpoint. */
  writeCodexHome(directory: string, options?: CodexHomeOptions): Promise<void>;
}

/** Starts a Responses API on loopback whose model is a script. */
export async function startFakeOpenAi({ model }: { model: Model }): Promise<FakeOpenAi> {
  const answerer = new RequestAnswerer({ model, dialect: codexDialect, callIdPrefix: 'call_' });
  const endpoint = await HttpEndpoint.listen((exchange, report) => route(exchange, { answerer, report }));
  return Object.assign(endpoint, {
    env: (): Record<string, string> => ({ ...loopbackWithoutProxy }),
    writeCodexHome: (directory: string, options?: CodexHomeOptions) => writeCodexConfig(directory, endpoint.url, options),
  });
}

async function route(
  exchange: Exchange,
  { answerer, report }: { answerer: RequestAnswerer; report: (violation: string) => void },
): Promise<void> {
  const { method, path, response } = exchange;
  if (method === 'GET' && path === '/v1/models') {
    writeJson(response, 200, { object: 'list', data: [{ id: 'gpt-5.5', object: 'model', created: 0, owned_by: 'fake' }] });
  } else if (method === 'POST' && path === '/v1/responses') {
    const read = readResponsesRequest(ResponsesBody.parse(exchange.body), { headers: exchange.headers, raw: exchange.body });
    exchange.asked(read.request);
    const writer = new ResponsesWriter(response, { inputTokens: estimateTokens(exchange.body) });
    await answerer.answer(read, { writer, signal: exchange.signal, report });
  } else {
    writeJson(response, 404, { error: { code: 'not_found', message: `${method} ${path} is not faked` } });
  }
}
