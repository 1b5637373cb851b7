import { routeNames } from 'agent-relay-protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { startTestRelay, type TestRelay } from '../src/testing.ts';
import { type RawAnswer, rawRequest } from './support/raw-http.ts';

/** What the tests below read of a document, and nothing of the code that made it. */
interface Schema {
  readonly [keyword: string]: unknown;
}
interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly schema: Schema;
}
interface Operation {
  readonly operationId: string;
  readonly parameters: readonly Parameter[];
  readonly security: readonly object[];
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } };
  readonly responses: Readonly<Record<string, { readonly $ref?: string; readonly content?: Readonly<Record<string, { schema: Schema }>> }>>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>>; readonly responses: Readonly<Record<string, object>> };
}

let relay: TestRelay;
let document: Document;

beforeAll(async () => {
  relay = await startTestRelay({ arrivalMs: 0 });
  document = (await rawRequest(`${relay.url}/api/openapi.json`)).body as Document;
});
afterAll(() => relay.close());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

/** A value that a schema of the document allows: what it names as an example, else the least of its kind. */
function sample(schema: Schema, all: boolean): unknown {
  const { $ref, examples, anyOf, oneOf } = schema as { $ref?: string; examples?: unknown[]; anyOf?: Schema[]; oneOf?: Schema[] };
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  if (examples && !(all && schema['type'] === 'object' && 'properties' in schema)) return examples[0];
  if (schema['format'] === 'uri') return 'https://example.com/';
  if ($ref !== undefined) return sample(document.components.schemas[$ref.split('/').at(-1) ?? ''] ?? {}, all);
  const choice = (anyOf ?? oneOf)?.[0];
  if (choice) return sample(choice, all);
  switch (schema['type']) {
    case 'string':
      return 'x'.repeat(Math.max(1, Number(schema['minLength'] ?? 1)));
    case 'integer':
    case 'number':
      return Number(schema['minimum'] ?? 0);
    case 'boolean':
      return true;
    case 'array':
      return [sample(schema['items'] as Schema, all)];
    case 'object': {
      const required = (schema['required'] ?? []) as string[];
      const fields = Object.entries((schema['properties'] ?? {}) as Record<string, Schema>);
      return Object.fromEntries(
        fields.filter(([name]) => all || required.includes(name)).map(([name, field]) => [name, sample(field, all)]),
      );
    }
    default:
      return 'anything';
  }
}

async function call(path: string, method: string, operation: Operation, all: boolean): Promise<RawAnswer> {
  const values = operation.parameters
    .filter(({ required }) => all || required)
    .map((each) => ({ ...each, value: sample(each.schema, all) }));
  let url = path;
  const query = new URLSearchParams();
  for (const { name, in: place, value } of values) {
    if (place === 'path') url = url.replace(`{${name}}`, encodeURIComponent(String(value)));
    if (place === 'query') for (const each of Array.isArray(value) ? value : [value]) query.append(name, String(each));
  }
  const schema = operation.requestBody?.content['application/json'].schema;
  return rawRequest(`${relay.url}${url}${query.size > 0 ? `?${query}` : ''}`, {
    method: method.toUpperCase(),
    headers: { authorization: `Bearer ${relay.ownerToken}`, ...(schema ? { 'content-type': 'application/json' } : {}) },
    ...(schema ? { body: JSON.stringify(sample(schema, all)) } : {}),
  });
}

/** The schema with everything it refers to, as a checker of its own. */
function checkerOf(schema: Schema): z.ZodType {
  const text = JSON.stringify({ ...schema, $defs: document.components.schemas }).replaceAll('#/components/schemas/', '#/$defs/');
  // Patterns are Unicode ones, as JSON Schema has them; zod reads them without the flag.
  return z.fromJSONSchema(JSON.parse(text, (key, value) => (key === 'pattern' && typeof value === 'string' ? undefined : value)));
}

const besideRoutes = ['events_stream', 'login_exchange', 'login_end', 'node_pairing_request', 'node_pairing_outcome'];

test('the document tells of every route, once, and of the endpoints beside them', () => {
  expect(document.openapi).toBe('3.1.0');
  const told = operations().map(({ operation }) => operation.operationId);
  expect(told.sort()).toEqual([...routeNames.map((name) => name.replace('/', '_')), ...besideRoutes].sort());
});

test('everything it refers to is in it', () => {
  const text = JSON.stringify(document);
  const known = new Set([
    ...Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`),
    ...Object.keys(document.components.responses).map((name) => `#/components/responses/${name}`),
  ]);
  const references = [...text.matchAll(/"\$ref":"([^"]*)"/gu)].map(([, reference]) => reference);
  expect(references.length).toBeGreaterThan(200);
  expect(references.filter((reference) => !known.has(reference ?? ''))).toEqual([]);
});

/** The answer is one the operation declares, and has the shape it declares for it. */
function expectDeclared({ operation }: { operation: Operation }, answer: RawAnswer): void {
  const { $ref, content } = operation.responses[answer.status] ?? {};
  const response =
    $ref === undefined ? { content } : (document.components.responses[$ref.split('/').at(-1) ?? ''] as { content: typeof content });
  const schema = response.content?.['application/json']?.schema;
  expect([operation.operationId, answer.status, schema !== undefined, answer.text.slice(0, 200)]).toEqual([
    operation.operationId,
    answer.status,
    true,
    answer.text.slice(0, 200),
  ]);
  expect([operation.operationId, checkerOf(schema ?? {}).safeParse(answer.body).error?.issues]).toEqual([operation.operationId, undefined]);
}

test.each([
  ['least', false],
  ['most', true],
])(
  'every route takes a request made from the document alone, with the %s it may carry, and answers as the document says',
  async (_, all) => {
    const answers = new Map<string, RawAnswer>();
    // What makes things first, what removes them last, so that the rest finds something.
    const order = ['post', 'get', 'patch', 'delete'];
    const sorted = operations()
      .filter(({ operation }) => operation.operationId !== 'events_stream')
      .sort((one, other) => order.indexOf(one.method) - order.indexOf(other.method));
    for (const each of sorted) {
      const answer = await call(each.path, each.method, each.operation, all);
      answers.set(each.operation.operationId, answer);
      expectDeclared(each, answer);
    }
    // Nothing that the document allows is malformed, but for fields that exclude or need each other: only a token of kind agent names one, only a channel
    // has a transport, a rule is for an agent or a tag, and says what it allows or names a question; a hook of the relay's writes or posts.
    const malformed = [...answers]
      .filter(([, { status }]) => [400, 405, 413, 415, 500].includes(status))
      .map(([name]) => name)
      .sort();
    expect(malformed).toEqual(all ? ['agents_register', 'hooks_set', 'tokens_create'] : ['hooks_set', 'rules_create']);
    // With everything at once some name what is not there; the examples alone make things.
    for (const name of all ? [] : ['agents_register', 'messages_send', 'tokens_create', 'system_stats', 'agents_list', 'messages_list']) {
      expect([name, answers.get(name)?.status]).toEqual([name, expect.toSatisfy((status: number) => status < 300)]);
    }
  },
);

test('an empty security requirement is what a program without a token may use, and nothing else', async () => {
  for (const { path, method, operation } of operations()) {
    if (besideRoutes.includes(operation.operationId)) continue;
    const { status } = await rawRequest(`${relay.url}${path.replaceAll(/\{\w+\}/gu, '1')}`, {
      method: method.toUpperCase(),
      headers: { 'content-type': 'application/json' },
      ...(method === 'get' || method === 'delete' ? {} : { body: '{"no such field":1}' }),
    });
    const isOpen = operation.security.some((requirement) => Object.keys(requirement).length === 0);
    expect([operation.operationId, status]).toEqual([operation.operationId, isOpen ? expect.toSatisfy((code) => code !== 401) : 401]);
  }
});

test('the event stream is as the document says', async () => {
  const stop = new AbortController();
  const query = new URLSearchParams({ after: '0', types: 'agent' });
  const response = await fetch(`${relay.url}/api/events?${query}`, { signal: stop.signal, headers: { 'last-event-id': '0' } });
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
  stop.abort();
});

test('the page needs nothing but itself, and names every operation', async () => {
  const { status, headers, text } = await rawRequest(`${relay.url}/api/docs`);
  expect(status).toBe(200);
  expect(headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'/u);
  expect(text).not.toMatch(/<script|<link|<img|https?:\/\/(?!json-schema)/u);
  for (const { operation } of operations()) expect(text).toContain(`id="${operation.operationId}"`);
});
