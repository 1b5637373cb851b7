import {
  API_PREFIX,
  type ErrorCode,
  EVENTS_PATH,
  errorTable,
  NODE_PAIRING_OUTCOME_PATH,
  NODE_PAIRING_PATH,
  PROTOCOL_VERSION,
  RELAY_VERSION,
  type Route,
  type RouteName,
  routeNames,
  routes,
} from 'agent-relay-protocol';
import { SESSION_COOKIE } from '../credentials.ts';
import { LOGIN_EXCHANGE_PATH, LOGIN_SESSION_PATH } from '../http/http-app.ts';
import { type ComponentSchemas, componentSchemas, type JsonSchema, operationId } from './component-schemas.ts';

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
  readonly style?: string;
  readonly explode?: boolean;
}

export interface MediaTypes {
  readonly [type: string]: { readonly schema: JsonSchema };
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: MediaTypes };
  readonly responses: Readonly<Record<string, { readonly $ref?: string; readonly description?: string; readonly content?: MediaTypes }>>;
  readonly 'x-scope'?: string | null;
  readonly 'x-method'?: string;
}

export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: Readonly<Record<string, string>>;
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: JsonSchema): MediaTypes => ({ 'application/json': { schema } });

const withToken = [{ bearer: [] }, { header: [] }, { cookie: [], session: [] }];
/** An empty requirement is how OpenAPI says that a caller may do without. */
const withoutToken = [{}, ...withToken];

/** The relay's HTTP API as OpenAPI 3.1, derived from the route table and nothing else. */
export function openApiDocument(): OpenApiDocument {
  const components = componentSchemas();
  const paths: Record<string, Record<string, Operation>> = {};
  const put = (path: string, method: string, operation: Operation) => {
    paths[path] = { ...paths[path], [method]: operation };
  };
  for (const name of routeNames) {
    const route: Route = routes[name];
    put(API_PREFIX + route.path.replaceAll(/:(\w+)/gu, '{$1}'), route.method.toLowerCase(), operationOf(name, route, components));
  }
  put(API_PREFIX + EVENTS_PATH, 'get', eventStream(components));
  put(API_PREFIX + LOGIN_EXCHANGE_PATH, 'post', loginExchange);
  put(API_PREFIX + LOGIN_SESSION_PATH, 'delete', loginEnd);
  put(API_PREFIX + NODE_PAIRING_PATH, 'post', pairingRequest);
  put(API_PREFIX + NODE_PAIRING_OUTCOME_PATH, 'post', pairingOutcome);
  return {
    openapi: '3.1.0',
    info: { title: 'Agent Relay', version: RELAY_VERSION, summary: 'Coding agents message, watch and steer each other', description },
    servers: [{ url: '/' }],
    paths,
    components: { schemas: { ...components.schemas, Error: errorSchema }, responses: errorResponses(), securitySchemes },
  };
}

const description = [
  `Protocol ${PROTOCOL_VERSION}. A program on the relay’s own machine may leave the token out where a security requirement is empty.`,
  '`x-scope` is what a scoped token needs; null where every caller may. `x-method` is the same operation on the WebSocket at `/ws`, as a',
  'JSON-RPC 2.0 method whose params are path, query and body in one object. MCP is at `/mcp`.',
].join(' ');

function operationOf(name: RouteName, route: Route, components: ComponentSchemas): Operation {
  const { properties = {}, required = [], ...rest } = components.inputOf(name);
  const inPath = new Set([...route.path.matchAll(/:(\w+)/gu)].map(([, parameter]) => parameter ?? ''));
  const takesBody = route.method === 'POST' || route.method === 'PATCH';
  const inBody = Object.keys(properties).filter((field) => takesBody && !inPath.has(field));
  const parameters = Object.entries(properties)
    .filter(([field]) => !inBody.includes(field))
    .map(([field, schema]) => parameterOf(field, schema, inPath.has(field), required.includes(field)));
  const needed = required.filter((field) => inBody.includes(field));
  const body: JsonSchema = {
    ...rest,
    properties: Object.fromEntries(inBody.map((field) => [field, properties[field] ?? {}])),
    ...(needed.length > 0 ? { required: needed } : {}),
  };
  return {
    operationId: operationId(name),
    summary: route.summary,
    tags: [name.split('/')[0] ?? name],
    security: route.anonymous ? withoutToken : withToken,
    parameters,
    ...(inBody.length > 0 ? { requestBody: { required: needed.length > 0, content: json(body) } } : {}),
    responses: { ...failures, ...successes(route, components.outputOf(name)) },
    'x-scope': route.scope,
    'x-method': name,
  };
}

function parameterOf(name: string, schema: JsonSchema, inPath: boolean, required: boolean): Parameter {
  const { description: text, ...shape } = schema;
  return {
    name,
    in: inPath ? 'path' : 'query',
    required: inPath || required,
    ...(text === undefined ? {} : { description: text }),
    schema: shape,
    ...(schema.type === 'array' ? { style: 'form', explode: true } : {}),
  };
}

function successes({ status = 200, statuses }: Route, schema: JsonSchema): Operation['responses'] {
  const answer = { description: 'Done', content: json(schema) };
  if (typeof status === 'number') return { [status]: answer };
  const meanings = Object.entries(statuses ?? { 200: 'It was there already', 201: 'It is new' });
  return Object.fromEntries(meanings.map(([code, meaning]) => [code, { ...answer, description: meaning }]));
}

const everyFailure = ['400', '401', '403', '404', '409', '413', '415', '421', '422', '429', '503', '507'] as const;

const failures: Operation['responses'] = {
  ...Object.fromEntries(everyFailure.map((status) => [status, { $ref: `#/components/responses/${status}` }])),
  default: { $ref: '#/components/responses/default' },
};

function eventStream({ schemas }: ComponentSchemas): Operation {
  const { properties = {} } = schemas['EventFilter'] ?? {};
  const lastEventId: Parameter = {
    name: 'Last-Event-ID',
    in: 'header',
    required: false,
    description: 'The id of the last event that was read; stands for `after`',
    schema: { type: 'string' },
  };
  return {
    operationId: 'events_stream',
    summary: 'The log as server-sent events: replay after a cursor, then live',
    description:
      'The id of an event is the cursor, its name the type, its data a RelayEvent. `reset`, with an EventReset, says that the cursor cannot be continued. Comments show that the relay is alive.',
    tags: ['events'],
    security: withoutToken,
    parameters: [...Object.entries(properties).map(([name, schema]) => parameterOf(name, schema, false, false)), lastEventId],
    responses: {
      200: { description: 'Events until the caller leaves', content: { 'text/event-stream': { schema: { type: 'string' } } } },
      ...Object.fromEntries(['400', '401', '403'].map((status) => [status, { $ref: `#/components/responses/${status}` }])),
    },
    'x-scope': 'events:read',
    'x-method': 'events/subscribe',
  };
}

const credential = (name: string): JsonSchema => ({
  type: 'object',
  properties: { [name]: { type: 'string', minLength: 1, maxLength: 512 } },
  required: [name],
  additionalProperties: false,
});

const loginExchange: Operation = {
  operationId: 'login_exchange',
  summary: 'A login code, once, or a token, for the session cookie of a browser',
  tags: ['login'],
  security: [{}],
  parameters: [],
  requestBody: {
    required: true,
    content: json({ oneOf: [credential('code'), credential('token')] }),
  },
  responses: {
    200: {
      description: 'The cookie is set; the word is in the body',
      content: json({
        type: 'object',
        properties: {
          expiresAt: { anyOf: [ref('Timestamp'), { type: 'null' }] },
          session: { type: 'string', description: 'The word that goes with the cookie, in X-Agent-Relay-Session' },
          tokenId: { type: 'string', description: 'Of a login code: under which id the session is listed with the tokens' },
        },
        required: ['expiresAt', 'session'],
      }),
    },
    ...Object.fromEntries(['400', '401', '403', '429'].map((status) => [status, { $ref: `#/components/responses/${status}` }])),
  },
};

const loginEnd: Operation = {
  operationId: 'login_end',
  summary: 'Ends the session of this browser, and has it forget its cookie',
  tags: ['login'],
  security: [{}, { cookie: [], session: [] }],
  parameters: [],
  responses: {
    200: {
      description: '`ended` is false when the cookie stood for a token, which lives on, or for nothing',
      content: json({ type: 'object', properties: { ended: { type: 'boolean' } }, required: ['ended'] }),
    },
    403: { $ref: '#/components/responses/403' },
  },
};

const refusals = (statuses: readonly string[]): Operation['responses'] =>
  Object.fromEntries(statuses.map((status) => [status, { $ref: `#/components/responses/${status}` }]));

const pairingRequest: Operation = {
  operationId: 'node_pairing_request',
  summary: 'A machine asks to be let in, without a token: somebody who may accepts the code that it shows',
  tags: ['nodes'],
  security: [{}],
  parameters: [],
  requestBody: { required: true, content: json(ref('RequestPairing')) },
  responses: {
    201: { description: 'It waits', content: json(ref('PairingOffer')) },
    ...refusals(['400', '403', '413', '415', '429']),
  },
};

const pairingOutcome: Operation = {
  operationId: 'node_pairing_outcome',
  summary: 'What became of it: the token of the machine, until that has been used once',
  tags: ['nodes'],
  security: [{}],
  parameters: [],
  requestBody: { required: true, content: json(ref('PairingSecret')) },
  responses: {
    200: { description: 'It waits still, or was accepted', content: json(ref('PairingOutcome')) },
    ...refusals(['400', '403', '404', '413', '415', '429']),
  },
};

const codes = Object.keys(errorTable) as ErrorCode[]; // the keys of the table are exactly ErrorCode

const errorSchema: JsonSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { type: 'string', enum: codes },
        message: { type: 'string', description: 'For people; branch on `code`' },
        issues: {
          type: 'array',
          description: 'Which fields were wrong, and why',
          items: {
            type: 'object',
            required: ['path', 'message'],
            properties: { path: { type: 'string' }, message: { type: 'string' } },
          },
        },
        details: { type: 'object', description: 'What the code needs to be acted upon, e.g. `candidates` or `scope`' },
      },
    },
  },
};

/** One answer for each status, naming the codes that carry it. */
function errorResponses(): Record<string, unknown> {
  const responses: Record<string, unknown> = {};
  for (const status of everyFailure) {
    const carried = codes.filter((code) => String(errorTable[code].httpStatus) === status);
    responses[status] = {
      description: carried.map((code) => `\`${code}\`: ${errorTable[code].says}`).join('\n\n'),
      content: json(ref('Error')),
    };
  }
  responses['default'] = { description: 'Any other failure, in the same shape', content: json(ref('Error')) };
  return responses;
}

const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'A token of the owner, an agent, a node, or one made with `POST /api/tokens`' },
  header: { type: 'apiKey', in: 'header', name: 'X-Agent-Relay-Token' },
  cookie: {
    type: 'apiKey',
    in: 'cookie',
    name: SESSION_COOKIE,
    description: 'A browser that came through a login link. The name goes on with `_` and the generation of the log',
  },
  session: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Agent-Relay-Session',
    description: 'The word that belongs to the cookie: neither is worth anything alone',
  },
};
