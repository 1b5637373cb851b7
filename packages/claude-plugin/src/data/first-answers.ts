import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  LATEST_PROTOCOL_VERSION,
  PROTOCOL_VERSION_META_KEY,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/server';
import { firstQuestion } from '../sidecar/first-question.ts';
import { openToolServer } from '../sidecar/tool-server.ts';

const clientInfo = { name: 'build', version: '1' };

interface Question {
  readonly method: string;
  readonly params: object;
}

/** What the server of the tools answers the last of these. */
async function answerTo(questions: readonly Question[]): Promise<Readonly<Record<string, unknown>>> {
  const [input, output] = [new PassThrough(), new PassThrough({ encoding: 'utf8' })];
  const server = openToolServer({ input, output, call: () => Promise.reject(new Error('Nobody calls')), onError: () => {} });
  let answer = '{}';
  for (const [id, question] of questions.entries()) {
    input.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...question })}\n`);
    [answer] = await once(output, 'data');
  }
  await server.close();
  return JSON.parse(answer);
}

/** A question that says with each request what is spoken, as protocol versions from 2026 do. */
const withVersion = (method: string, version: string): Question => ({
  method,
  params: {
    _meta: { [PROTOCOL_VERSION_META_KEY]: version, [CLIENT_INFO_META_KEY]: clientInfo, [CLIENT_CAPABILITIES_META_KEY]: {} },
  },
});
const initialize = (protocolVersion: string): Question => ({
  method: 'initialize',
  params: { protocolVersion, capabilities: {}, clientInfo },
});

const unknown = await answerTo([withVersion('server/discover', 'none')]);
const { supported } = (unknown['error'] as { readonly data: { readonly supported: readonly string[] } }).data; // the protocol's own shape of that error
const exchanges = [
  ...supported.flatMap((version) => ['server/discover', 'tools/list'].map((method) => [withVersion(method, version)])),
  ...SUPPORTED_PROTOCOL_VERSIONS.map((version) => [initialize(version)]),
  [initialize(LATEST_PROTOCOL_VERSION), { method: 'tools/list', params: {} }],
];

/** What the server of the tools answers the questions that each session begins with, by `firstQuestion`. */
export const firstAnswers: Readonly<Record<string, unknown>> = Object.fromEntries(
  await Promise.all(exchanges.map(async (questions) => [firstQuestion({ ...questions.at(-1) }), (await answerTo(questions))['result']])),
);
