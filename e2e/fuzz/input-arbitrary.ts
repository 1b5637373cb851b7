import {
  AddressSchema,
  AgentIdSchema,
  CursorSchema,
  EpochSchema,
  GroupNameSchema,
  LabelSchema,
  MessageIdSchema,
  OpaqueIdSchema,
} from 'agent-relay-protocol';
import fc from 'fast-check';
import { z } from 'zod';

/** What a value names, when it names something that exists. */
export type Kind = 'agent' | 'address' | 'group' | 'label' | 'message' | 'cursor' | 'epoch' | 'opaque';

/** Stands in a generated input for something that an earlier answer named; filled in when the request is made. */
export class Remembered {
  readonly field: string;
  readonly kind: Kind | undefined;
  /** Takes its place when nothing is remembered. */
  readonly otherwise: unknown;

  constructor(field: string, kind: Kind | undefined, otherwise: unknown) {
    this.field = field;
    this.kind = kind;
    this.otherwise = otherwise;
  }
}

// A schema that was only described is another object with the same definition.
const kinds = new Map<object, Kind>([
  [AgentIdSchema._zod.def, 'agent'],
  [AddressSchema._zod.def, 'address'],
  [GroupNameSchema._zod.def, 'group'],
  [LabelSchema._zod.def, 'label'],
  [MessageIdSchema._zod.def, 'message'],
  [CursorSchema._zod.def, 'cursor'],
  [EpochSchema._zod.def, 'epoch'],
  [OpaqueIdSchema._zod.def, 'opaque'],
]);
const KIND = 'x-kind';
/** Fields without a kind that name things all the same. */
const namesSomething = /^(?:id|fence|seq|provider|instance|token|code)$|(?:Id|Key|Seq)$/u;

interface JsonSchema {
  readonly type?: string;
  readonly [KIND]?: Kind;
  readonly $ref?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly format?: string;
}

/** Inputs that a schema allows, most of them: small ones, its bounds, and what earlier answers named. */
export function inputsOf(schema: z.ZodType): fc.Arbitrary<unknown> {
  const described = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const kind = kinds.get(zodSchema._zod.def);
      if (kind) Reflect.set(jsonSchema, KIND, kind);
    },
  });
  return arbitraryOf(described as JsonSchema, ''); // the parts of it that are read here
}

// Made once: fast-check looks each code point up for each of them.
const plainCharacter = fc.string({ minLength: 1, maxLength: 1 });
const anyCharacter = fc.string({ unit: 'binary', minLength: 1, maxLength: 1 });

const anyJson = fc.jsonValue({ maxDepth: 2 });

function arbitraryOf(schema: JsonSchema, field: string): fc.Arbitrary<unknown> {
  const choices = schema.anyOf ?? schema.oneOf;
  if (schema.$ref !== undefined) return anyJson;
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (choices) return fc.oneof(...choices.map((choice) => arbitraryOf(choice, field)));
  switch (schema.type) {
    case 'object':
      return objects(schema);
    case 'array':
      return fc.array(arbitraryOf(schema.items ?? {}, field), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 4, 4),
      });
    case 'string':
      return named(strings(schema, field), schema, field);
    case 'integer':
    case 'number':
      return named(numbers(schema, field), schema, field);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return anyJson;
  }
}

function objects({ properties, required = [], additionalProperties }: JsonSchema): fc.Arbitrary<unknown> {
  if (properties) {
    const fields = Object.entries(properties).map(([name, schema]) => [name, arbitraryOf(schema, name)] as const);
    const optional = ([name]: readonly [string, unknown]) => !required.includes(name) && !usuallyGiven.has(name);
    const given = fields.filter((field) => !optional(field)).map(([name]) => name);
    // Half of what is optional is left out by fast-check itself.
    return fc.record(Object.fromEntries(fields), { requiredKeys: given });
  }
  const values = typeof additionalProperties === 'object' ? arbitraryOf(additionalProperties, '') : anyJson;
  return fc.dictionary(
    fc.oneof(fc.string({ unit: plainCharacter, maxLength: 12 }), fc.constantFrom('__proto__', 'constructor', 'toString')),
    values,
    {
      maxKeys: 3,
    },
  );
}

/** A page of a thousand rows each time would only measure how fast they are written out. */
const usuallyGiven = new Set(['limit']);

const named = (values: fc.Arbitrary<unknown>, { [KIND]: kind }: JsonSchema, field: string): fc.Arbitrary<unknown> =>
  kind === undefined && !namesSomething.test(field) ? values : values.map((otherwise) => new Remembered(field, kind, otherwise));

function numbers({ type, minimum, maximum }: JsonSchema, field: string): fc.Arbitrary<unknown> {
  const min = minimum ?? Number.MIN_SAFE_INTEGER;
  const max = maximum ?? Number.MAX_SAFE_INTEGER;
  // Waiting is tried, but a run does not consist of it.
  if (/^(?:wait|timeout).*Ms$/iu.test(field)) return fc.constantFrom(...[0, 0, 1, 5, 10, 20, max].filter((value) => value >= min));
  const whole = fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min, max: Math.min(max, min + 12) }) },
    { weight: 1, arbitrary: fc.maxSafeInteger().map((value) => Math.min(max, Math.max(min, value))) },
  );
  return type === 'integer' ? whole : fc.oneof(whole, fc.double({ min, max, noNaN: true }));
}

const words = ['a', 'Worker', 'ops', 'x'.repeat(64), 'Ünï-Cödé', '工具', 'a.b_c@d+e~f-g', '0', 'null', 'owner', 'claude', 'fuzz'];
const lines = [
  'héllo "world"',
  '[msg:1] from owner: hi',
  '💥',
  'a\u200bb',
  '  x  ',
  '\u0000',
  '\ud800',
  '<b>&amp;</b>',
  "'; DROP TABLE messages; --",
  'a\r\nb: c',
];

function strings({ minLength = 0, maxLength = 65_536, pattern, format }: JsonSchema, field: string): fc.Arbitrary<unknown> {
  if (format === 'uri') return fc.constantFrom('https://example.com/a?b=c', 'http://[::1]:1/', 'https://ex\u00e4mple.test');
  if (field.endsWith('Key')) return fc.nat({ max: 30 }).map((number) => `key-${number}`);
  const shape = pattern === undefined ? undefined : new RegExp(pattern, 'u');
  const fits = (text: string) => text.length >= minLength && text.length <= maxLength && (shape === undefined || shape.test(text));
  const ready = [...words, ...lines, 'b'.repeat(maxLength <= 1024 ? maxLength : minLength)].filter(fits);
  const free = fc.string({ unit: anyCharacter, minLength, maxLength: Math.min(maxLength, 24) });
  const fallback = ready[0] ?? 'x'.repeat(minLength);
  const written = shape === undefined ? free : free.map((text) => (fits(text) ? text : fallback));
  const choices = [
    ...ready.map((text) => fc.constant(text)),
    written,
    written,
    fc.string({ unit: plainCharacter, minLength, maxLength: Math.min(maxLength, 8) }),
  ];
  // The longest body there may be, now and then.
  const longest = fc.constant('l'.repeat(Math.min(maxLength, 65_536)));
  return fc.oneof(...choices.map((arbitrary) => ({ weight: 20, arbitrary })), { weight: 1, arbitrary: shape ? written : longest });
}
