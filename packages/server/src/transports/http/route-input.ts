import { type FieldIssue, RelayError } from 'agent-relay-protocol';
import type { z } from 'zod';

type Coercion = (text: string) => unknown;

/** How text from a path or a query becomes what the schema of a field expects; a field that is not named here stays text. */
export type FieldCoercions = ReadonlyMap<string, { readonly isList: boolean; readonly coerce: Coercion }>;

const asText: Coercion = (text) => text;
// What is no number or boolean stays text: the schema then says so, with the field's path.
const asNumber: Coercion = (text) => (/^-?\d{1,16}(?:\.\d{1,16})?$/u.test(text) ? Number(text) : text);
const asBoolean: Coercion = (text) => (text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text);

/** Reads the coercions off a route's input schema, once; `formerly` names fields that older programs call otherwise. */
export function coercionsOf(input: z.ZodType, formerly: Readonly<Record<string, string>> = {}): FieldCoercions {
  const shape: unknown = Reflect.get(input, 'shape');
  if (typeof shape !== 'object' || shape === null) return new Map();
  const now = new Map(Object.entries(shape).map(([name, schema]) => [name, coercionOf(schema)] as const));
  const before = Object.entries(formerly).flatMap(([old, name]) => {
    const coercion = now.get(name);
    return coercion && !now.has(old) ? [[old, coercion] as const] : [];
  });
  return new Map([...now, ...before]);
}

function coercionOf(schema: unknown) {
  const field = unwrap(schema);
  const isList = field.type === 'array';
  return { isList, coerce: coercionFor(isList ? unwrap(field.element).type : field.type) };
}

interface SchemaDefinition {
  readonly type?: unknown;
  readonly innerType?: unknown;
  readonly element?: unknown;
}

function unwrap(schema: unknown): SchemaDefinition {
  let definition = definitionOf(schema);
  while (definition.innerType !== undefined) definition = definitionOf(definition.innerType);
  return definition;
}

function definitionOf(schema: unknown): SchemaDefinition {
  const definition: unknown = typeof schema === 'object' && schema !== null ? Reflect.get(schema, 'def') : undefined;
  return typeof definition === 'object' && definition !== null ? definition : {};
}

function coercionFor(type: unknown): Coercion {
  if (type === 'number') return asNumber;
  return type === 'boolean' ? asBoolean : asText;
}

/** The query as the schema reads it: repeated or comma-separated values make a list; anything else given twice is a list too, and refused. */
export function readQuery(query: URLSearchParams, coercions: FieldCoercions): Record<string, unknown> {
  // No prototype: a field named __proto__ is then a field like any other, and unknown.
  const fields: Record<string, unknown> = Object.create(null);
  for (const name of new Set(query.keys())) {
    const texts = query.getAll(name);
    const { isList = false, coerce = asText } = coercions.get(name) ?? {};
    if (isList) {
      const listed = texts.flatMap((text) => text.split(','));
      fields[name] = listed.filter((text) => text !== '').map(coerce);
    } else fields[name] = texts.length === 1 ? coerce(texts[0] ?? '') : texts.map(coerce);
  }
  return fields;
}

interface InputParts {
  readonly pathParameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

/**
 * Path, query and body as the one object a route takes.
 * @throws RelayError `validation_failed` when the body is no object, or a field is given twice with different values.
 */
export function mergeInput({ pathParameters, query, body }: InputParts, coercions: FieldCoercions): Record<string, unknown> {
  const merged: Record<string, unknown> = Object.create(null);
  if (body !== undefined) {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      throw new RelayError('validation_failed', 'The body is a JSON object', { issues: [{ path: '', message: 'must be an object' }] });
    }
    for (const [name, value] of Object.entries(body)) merged[name] = value;
  }
  const conflicts: FieldIssue[] = [];
  const add = (name: string, value: unknown) => {
    if (name in merged && merged[name] !== value)
      conflicts.push({ path: name, message: 'This field is given twice with different values' });
    merged[name] = value;
  };
  for (const [name, value] of Object.entries(readQuery(query, coercions))) add(name, value);
  for (const [name, text] of Object.entries(pathParameters)) add(name, coercions.get(name)?.coerce(text) ?? text);
  if (conflicts[0]) throw new RelayError('validation_failed', `${conflicts[0].path}: ${conflicts[0].message}`, { issues: conflicts });
  return merged;
}
