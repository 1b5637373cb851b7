import { expect, test } from 'vitest';
import { z } from 'zod';
import * as protocol from '../src/index.ts';

const exported: Readonly<Record<string, unknown>> = protocol;
const exportedSchemas: Record<string, z.ZodType> = {};
for (const [name, value] of Object.entries(exported)) if (value instanceof z.ZodType) exportedSchemas[name] = value;
const names = z.registry<{ id: string }>();
for (const [name, schema] of Object.entries(exportedSchemas)) names.add(schema, { id: name });

/** The JSON Schema of what may be sent, with other exported schemas by name: `{ "$ref": "MessageSchema" }`. */
function shapeOf(schema: z.ZodType): unknown {
  const name = names.get(schema)?.id;
  const { $schema, $defs, id, ...shape } = z.toJSONSchema(schema, { io: 'input', metadata: names, unrepresentable: 'any' });
  // A recursive schema comes as a reference to its own definition.
  const own = name !== undefined && '$ref' in shape ? ($defs?.[name] ?? shape) : shape;
  return JSON.parse(JSON.stringify(own).replaceAll('#/$defs/', ''));
}

/** A shape that is exported is named; any other is spelt out. */
const reference = (schema: z.ZodType): unknown => names.get(schema)?.id ?? shapeOf(schema);

function mapValues<Value>(record: Readonly<Record<string, Value>>, lock: (value: Value) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, lock(value)]));
}

type Methods = Readonly<Record<string, { readonly params: z.ZodType; readonly result: z.ZodType }>>;
const lockMethods = (methods: Methods) =>
  mapValues(methods, ({ params, result }) => ({ params: reference(params), result: reference(result) }));

type Notifications = Readonly<Record<string, { readonly params: z.ZodType }>>;
const lockNotifications = (notifications: Notifications) => mapValues(notifications, ({ params }) => reference(params));

const lockRoutes = (routes: Readonly<Record<string, protocol.Route>>) =>
  mapValues(routes, ({ method, path, scope, anonymous, input, output }) => ({
    route: `${method} ${path}`,
    access: anonymous ? `${scope}, or a program on loopback without a token` : scope,
    input: reference(input),
    output: reference(output),
  }));

const wire = {
  protocolVersion: protocol.PROTOCOL_VERSION,
  paths: { api: protocol.API_PREFIX, events: protocol.EVENTS_PATH, mcp: protocol.MCP_PATH, webSocket: protocol.WEB_SOCKET_PATH },
  errors: mapValues(protocol.errorTable, ({ says, ...meaning }: protocol.ErrorMeaning) => meaning),
  errorDetails: mapValues<z.ZodObject>(protocol.errorDetails, (details) => shapeOf(details.omit({ httpStatus: true, unknownCode: true }))),
  scopes: protocol.scopes,
  relayEvents: protocol.relayEventTypes,
  agentEvents: protocol.AgentEventSchema.options.map((option) => option.shape.type.value),
  routes: lockRoutes(protocol.routes),
  socketMethods: lockMethods(protocol.socketMethods),
  socketNotifications: lockNotifications(protocol.socketNotifications),
  nodeMethods: lockMethods(protocol.nodeMethods),
  nodeCommands: lockMethods(protocol.nodeCommands),
  nodeNotifications: lockNotifications(protocol.nodeNotifications),
  mcpTools: mapValues<{ readonly input: z.ZodType }>(protocol.mcpTools, ({ input }) => reference(input)),
  schemas: mapValues(exportedSchemas, shapeOf),
};

/** JSON in which what fits a line stands on one, so that a changed field is a changed line. */
function print(value: unknown, indent = ''): string {
  const line = JSON.stringify(value);
  if (typeof value !== 'object' || value === null || indent.length + line.length <= 120) return line;
  const inner = `${indent} `;
  const parts = Array.isArray(value)
    ? value.map((item) => print(item, inner))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${print(item, inner)}`);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close}`;
}

const advice = `The wire differs from packages/protocol/test/wire-lock.json. If that is meant: raise PROTOCOL_VERSION in
src/version.ts where an old client or node could misread it, run \`npm run lock\` in the root, and commit the lock with it.`;

test('the wire is what wire-lock.json says, so that a change to it is deliberate', async () => {
  await expect(`${print(wire)}\n`, advice).toMatchFileSnapshot('wire-lock.json');
});

test('every exported schema says more than that anything goes', () => {
  const empty = Object.entries(exportedSchemas).filter(([, schema]) => Object.keys(shapeOf(schema) ?? {}).length === 0);
  expect(empty.map(([name]) => name)).toEqual([]);
});
