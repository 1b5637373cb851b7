import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RequestAnswerer } from '../endpoint/answer-request.ts';
import { estimateTokens } from '../endpoint/estimate-tokens.ts';
import type { FakeEndpoint } from '../endpoint/fake-endpoint.ts';
import { type Exchange, HttpEndpoint, writeJson } from '../endpoint/http-endpoint.ts';
import { loopbackWithoutProxy } from '../endpoint/loopback-env.ts';
import type { Model } from '../model/steps.ts';
import { geminiDialect } from './dialect.ts';
import { GenerateContentWriter } from './generate-content-writer.ts';
import { GenerateContentBody, readGenerateContentRequest } from './read-request.ts';

export interface FakeGoogle extends FakeEndpoint {
  /** Writes settings into this home with which `gemini` sends nothing to anybody else and updates nothing. */
  writeGeminiHome(home: string): Promise<void>;
}

/** How calls are told apart: not at all, each by its own id, or all by the same. */
export type GoogleCallIds = 'none' | 'own' | 'same';

const callIdOf: Readonly<Record<GoogleCallIds, ((id: string) => string) | undefined>> = {
  none: undefined,
  own: (id) => id,
  same: () => 'call_0',
};

/** Starts a Gemini API on loopback whose model is a script. `callIds` is `none` unless said otherwise. */
export async function startFakeGoogle({ model, callIds = 'none' }: { model: Model; callIds?: GoogleCallIds }): Promise<FakeGoogle> {
  const answerer = new RequestAnswerer({ model, dialect: geminiDialect, callIdPrefix: 'call_' });
  const endpoint = await HttpEndpoint.listen((exchange, report) => route(exchange, { answerer, report, callId: callIdOf[callIds] }));
  const env = (): Record<string, string> => ({
    GEMINI_API_KEY: 'agent-relay-fake-gemini-key',
    GOOGLE_GEMINI_BASE_URL: endpoint.url,
    ...loopbackWithoutProxy,
  });
  return Object.assign(endpoint, { env, writeGeminiHome });
}

async function writeGeminiHome(home: string): Promise<void> {
  const settings = {
    general: { enableAutoUpdate: false, enableAutoUpdateNotification: false },
    privacy: { usageStatisticsEnabled: false },
    security: { auth: { selectedType: 'gemini-api-key' } },
    telemetry: { enabled: false },
  };
  await mkdir(join(home, '.gemini'), { recursive: true });
  await writeFile(join(home, '.gemini', 'settings.json'), JSON.stringify(settings));
}

interface RouteParts {
  readonly answerer: RequestAnswerer;
  readonly report: (violation: string) => void;
  readonly callId: ((id: string) => string) | undefined;
}

async function route(exchange: Exchange, { answerer, report, callId }: RouteParts): Promise<void> {
  const { method, path, response } = exchange;
  const [, modelName = '', verb] = /^\/v1(?:beta)?\/models\/([^/:]+):(\w+)$/u.exec(path) ?? [];
  if (method === 'POST' && verb === 'countTokens') {
    writeJson(response, 200, { totalTokens: estimateTokens(exchange.body) });
  } else if (method === 'POST' && (verb === 'generateContent' || verb === 'streamGenerateContent')) {
    const read = readGenerateContentRequest(GenerateContentBody.parse(exchange.body), {
      modelName,
      headers: exchange.headers,
      raw: exchange.body,
    });
    exchange.asked(read.request);
    const isStream = verb === 'streamGenerateContent';
    const writer = new GenerateContentWriter(response, { isStream, inputTokens: estimateTokens(exchange.body), callId });
    await answerer.answer(read, { writer, signal: exchange.signal, report });
  } else {
    writeJson(response, 404, { error: { code: 404, message: `${method} ${path} is not faked`, status: 'NOT_FOUND' } });
  }
}
