import * as protocol from 'agent-relay-protocol';
import { z } from 'zod';

/** A JSON Schema of draft 2020-12, which OpenAPI 3.1 uses as it is. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly description?: string;
}

/** Every named shape, and those of each route. */
export interface ComponentSchemas {
  readonly schemas: Readonly<Record<string, JsonSchema>>;
  readonly inputOf: (name: protocol.RouteName) => JsonSchema;
  readonly outputOf: (name: protocol.RouteName) => JsonSchema;
}

const ROOT = '#/components/schemas/';

/** What a reader can try; a pattern says which texts are good, not what one looks like. */
const examples: Readonly<Record<string, unknown>> = {
  AgentId: 'Worker',
  Address: 'tag:backend',
  GroupName: 'backend',
  Label: 'Backend fixer',
  OpaqueId: '7f0c2f6e-3d0b-4a57-9a2f-0f5f0a4c2a11',
  MessageId: 42,
  Cursor: 1042,
  Timestamp: 1_790_000_000_000,
  Epoch: 1,
  Traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  Meta: { ticket: 7 },
  SendMessage: { to: 'Worker', body: 'How far are you?' },
  RegisterAgent: { name: 'Worker', capabilities: ['review'], tags: ['backend'] },
  StartSession: { name: 'Worker', provider: 'echo', task: 'Find the flaky test' },
  ReportEvent: { type: 'alarm', title: 'Disk full on db1', dedupeKey: 'db1-disk', target: 'cap:ops' },
  tasks_status_request: { status: 'done', result: 'Rolled back' },
  PushPublicKey: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
  PushSecret: 'BTBZMqHH6r4Tts7J_aSIgg',
  CreateToken: { name: 'ci', scopes: ['messages:write'], targets: ['tag:ops'] },
};

export function componentSchemas(): ComponentSchemas {
  const registry = z.registry<{ id: string }>();
  const names = new Map<z.ZodType, string>();
  const add = (schema: z.ZodType, id: string) => {
    if (names.has(schema)) return;
    names.set(schema, id);
    registry.add(schema, { id });
  };
  const exported: Readonly<Record<string, unknown>> = protocol;
  for (const [name, value] of Object.entries(exported)) if (value instanceof z.ZodType) add(value, name.replace(/Schema$/u, ''));
  for (const name of protocol.routeNames) {
    add(protocol.routes[name].input, `${operationId(name)}_request`);
    add(protocol.routes[name].output, `${operationId(name)}_response`);
  }
  const converted = z.toJSONSchema(registry, {
    io: 'input',
    unrepresentable: 'any',
    uri: (id) => ROOT + id,
    override: ({ zodSchema, jsonSchema }) => {
      // Only `z.json()` is lazy: any JSON at all, which a recursive definition says less well.
      if (zodSchema._zod.def.type !== 'lazy') return;
      for (const keyword of Object.keys(jsonSchema)) delete jsonSchema[keyword];
    },
  });
  // What several of them share without a name is that same "any JSON".
  const text = JSON.stringify(converted.schemas).replaceAll(/#\/components\/schemas\/__shared#\/\$defs\/\w+/gu, `${ROOT}Json`);
  const { __shared, ...named }: Record<string, JsonSchema> = JSON.parse(text); // written on the line above
  const schemas: Record<string, JsonSchema> = { Json: { description: 'Any JSON value' } };
  for (const [name, { $schema, $id, ...schema }] of Object.entries(named)) {
    schemas[name] = name in examples ? { ...schema, examples: [examples[name]] } : schema;
  }
  const nameOf = (schema: z.ZodType): string => names.get(schema) ?? '';
  const inputs = new Set(protocol.routeNames.map((name) => nameOf(protocol.routes[name].input)));
  return {
    // What a request takes is told where it is told whether path, query or body carries it.
    schemas: Object.fromEntries(Object.entries(schemas).filter(([name]) => !(inputs.has(name) && name.endsWith('_request')))),
    inputOf: (name) => schemas[nameOf(protocol.routes[name].input)] ?? {},
    outputOf: (name) => ({ $ref: ROOT + nameOf(protocol.routes[name].output) }),
  };
}

export const operationId = (name: string): string => name.replace('/', '_');
