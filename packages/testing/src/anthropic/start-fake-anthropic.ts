import { RequestAnswerer } from '../endpoint/answer-request.ts';
import { estimateTokens } from '../endpoint/estimate-tokens.ts';
import type { FakeEndpoint } from '../endpoint/fake-endpoint.ts';
import { type Exchange, HttpEndpoint, writeJson } from '../endpoint/http-endpoint.ts';
import { loopbackWithoutProxy } from '../endpoint/loopback-env.ts';
import type { Model } from '../model/steps.ts';
import { claudeDialect, openCodeDialect } from './dialect.ts';
import { MessagesWriter } from './messages-writer.ts';
import { writeOpenCodeConfig } from './open-code-config.ts';
import { MessagesBody, readMessagesRequest } from './read-request.ts';

export interface FakeAnthropic extends FakeEndpoint {
  /** Writes the settings into this home with which `opencode` talks to this endpoint; start it with `speaker: 'opencode'`. */
  writeOpenCodeHome(home: string): Promise<void>;
}

/** The API key in `env()`. A home made by `tempHome()` has it approved already. */
export const fakeAnthropicApiKey = 'agent-relay-fake-anthropic-key';

const dialects = { claude: claudeDialect, opencode: openCodeDialect } as const;

/** Starts a Messages API on loopback whose model is a script. `speaker` is the CLI whose tools the script's steps are said in. */
export async function startFakeAnthropic({
  model,
  speaker = 'claude',
}: {
  model: Model;
  speaker?: keyof typeof dialects;
}): Promise<FakeAnthropic> {
  const answerer = new RequestAnswerer({ model, dialect: dialects[speaker], callIdPrefix: 'toolu_' });
  const endpoint = await HttpEndpoint.listen((exchange, report) => route(exchange, { answerer, report }));
  const env = (): Record<string, string> => ({
    ANTHROPIC_BASE_URL: endpoint.url,
    ANTHROPIC_API_KEY: fakeAnthropicApiKey,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    CLAUDE_CODE_MAX_RETRIES: '1',
    DISABLE_AUTOUPDATER: '1',
    DISABLE_TELEMETRY: '1',
    // It would read all certificates of the machine at its start, and here is no TLS.
    CLAUDE_CODE_CERT_STORE: 'bundled',
    ...loopbackWithoutProxy,
  });
  return Object.assign(endpoint, { env, writeOpenCodeHome: (home: string) => writeOpenCodeConfig(home, endpoint.url) });
}

async function route(
  exchange: Exchange,
  { answerer, report }: { answerer: RequestAnswerer; report: (violation: string) => void },
): Promise<void> {
  const { method, path, response } = exchange;
  if (method === 'HEAD') {
    response.writeHead(200).end();
  } else if (method === 'GET' && path === '/v1/models') {
    const model = { type: 'model', id: 'claude-fake', display_name: 'Fake', created_at: '2026-01-01T00:00:00Z' };
    writeJson(response, 200, { data: [model], has_more: false, first_id: model.id, last_id: model.id });
  } else if (method === 'POST' && path === '/v1/messages/count_tokens') {
    writeJson(response, 200, { input_tokens: estimateTokens(exchange.body) });
  } else if (method === 'POST' && path === '/v1/messages') {
    await answerMessages(exchange, { answerer, report });
  } else {
    writeJson(response, 404, { type: 'error', error: { type: 'not_found_error', message: `${method} ${path} is not faked` } });
  }
}

async function answerMessages(
  exchange: Exchange,
  { answerer, report }: { answerer: RequestAnswerer; report: (violation: string) => void },
): Promise<void> {
  const body = MessagesBody.parse(exchange.body);
  const read = readMessagesRequest(body, { headers: exchange.headers, raw: exchange.body });
  exchange.asked(read.request);
  const writer = new MessagesWriter(exchange.response, {
    modelName: body.model,
    isStream: body.stream,
    inputTokens: estimateTokens(exchange.body),
  });
  await answerer.answer(read, { writer, signal: exchange.signal, report });
}
