import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';

export interface FieldSamples {
  /** Frames as the vendor sends them; together they hold every field that the schema names. */
  readonly samples: readonly unknown[];
  /** The fields that may fail a frame, or their entry of a list: `turn.id`, `items[].type`. */
  readonly decides: readonly string[];
}

type Path = readonly (string | number)[];

const missing = Symbol('missing');
const oddValues: readonly unknown[] = [missing, null, true, -1.5, 'odd', [], [null], {}, { odd: [1] }];

/**
 * Holds a schema of vendor frames to its rule: each field but those that decide may be null, missing or of another type, and costs nothing but
 * itself. Answers what does not hold, in sentences; also a field that no sample shows, and one whose right value does not stay.
 */
export function costlyFields(schema: z.ZodType, { samples, decides }: FieldSamples): readonly string[] {
  const declared = fieldsOf(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  const unshown = declared.filter((field) => samples.every((sample) => places(sample, field).length === 0));
  return [
    ...unshown.map((field) => `no sample shows ${field}`),
    ...samples.flatMap((sample) => {
      const whole = schema.safeParse(sample);
      if (!whole.success) return [`a sample cannot be read: ${whole.error.message}`];
      return declared.flatMap((field) =>
        places(sample, field).flatMap((path) => costOf({ schema, sample, whole: whole.data, path, decides })),
      );
    }),
  ];
}

interface Trial {
  readonly schema: z.ZodType;
  readonly sample: unknown;
  readonly whole: unknown;
  readonly path: Path;
  readonly decides: readonly string[];
}

function costOf({ schema, sample, whole, path, decides }: Trial): string[] {
  const name = nameOf(path);
  const isDeciding = decides.includes(name) || name.endsWith('[]');
  const right = valueAt(sample, path);
  const lost = stays(valueAt(whole, path), right) ? [] : [`${name}: the right value does not stay`];
  // What decides about an entry of a list or a table costs that entry; what decides about the frame may cost the frame.
  const entry = isDeciding ? entryAround(path) : path;
  if (entry === null) return lost;
  const costs = oddValues
    .filter((odd) => !isOfSameKind(odd, right))
    .flatMap((odd) => {
      const read = schema.safeParse(replaced(sample, path, odd));
      const said = odd === missing ? 'missing' : JSON.stringify(odd);
      if (!read.success) return [`${name} ${said} costs the frame`];
      return isDeepStrictEqual(replaced(read.data, isDeciding ? [] : path, missing), restOf(whole, read.data, { path, isDeciding, entry }))
        ? []
        : [`${name} ${said} costs what stands beside it`];
    });
  return [...lost, ...costs];
}

function restOf(whole: unknown, read: unknown, { path, isDeciding, entry }: { path: Path; isDeciding: boolean; entry: Path }): unknown {
  if (!isDeciding) return replaced(whole, path, missing);
  return isDeepStrictEqual(read, whole) ? whole : replaced(whole, entry, missing);
}

/** What holds other fields may be read into another form: they are looked at themselves. */
const stays = (read: unknown, right: unknown): boolean =>
  typeof right === 'object' ? isOfSameKind(read, right) : isDeepStrictEqual(read, right);

function entryAround(path: Path): Path | null {
  const at = path.findLastIndex((step) => typeof step === 'number');
  return at < 0 ? null : path.slice(0, at + 1);
}

function isOfSameKind(odd: unknown, right: unknown): boolean {
  if (odd === missing) return false;
  if (Array.isArray(odd) || Array.isArray(right)) return Array.isArray(odd) && Array.isArray(right);
  return typeof odd === typeof right && (odd === null) === (right === null);
}

const nameOf = (path: Path): string =>
  path
    .map((step) => (typeof step === 'number' ? '[]' : `.${step}`))
    .join('')
    .slice(1);

type JsonSchema = z.core.JSONSchema._JSONSchema;

/** Every field that a schema names, as `a.b[].c`, and `a.*.c` in a table of named values. */
function fieldsOf(schema: JsonSchema, prefix = ''): string[] {
  if (typeof schema === 'boolean') return [];
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => {
    const field = prefix === '' ? key : `${prefix}.${key}`;
    return [field, ...fieldsOf(inner, field)];
  });
  const { items } = schema;
  // Of entries that may be anything none is odd.
  const entries = items && !Array.isArray(items) && Object.keys(items).length > 0 ? [`${prefix}[]`, ...fieldsOf(items, `${prefix}[]`)] : [];
  const { additionalProperties } = schema;
  const values = additionalProperties === undefined ? [] : fieldsOf(additionalProperties, `${prefix}.*`);
  const choices = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])].flatMap((choice) => fieldsOf(choice, prefix));
  return [...new Set([...own, ...entries, ...values, ...choices])];
}

/** Where a field stands in a sample: once for each entry of the lists on its way. */
function places(sample: unknown, field: string): Path[] {
  let found: Path[] = [[]];
  for (const step of field.replaceAll('[]', '.[]').split('.')) {
    found = found.flatMap((path) => {
      const value = valueAt(sample, path);
      if (step === '[]') return Array.isArray(value) ? value.map((_, index) => [...path, index]) : [];
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
      return Object.keys(value)
        .filter((key) => step === '*' || step === key)
        .map((key) => [...path, key]);
    });
  }
  return found;
}

const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((at, step) => (typeof at === 'object' && at !== null ? Reflect.get(at, step) : undefined), value);

/** The value with another at that place; `missing` takes it away, and with an empty path nothing is done. */
function replaced(value: unknown, path: Path, by: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    return value.flatMap((entry, index) => {
      if (index !== step) return [entry];
      if (rest.length > 0) return [replaced(entry, rest, by)];
      return by === missing ? [] : [by];
    });
  }
  const others = Object.entries(value).filter(([key]) => key !== step);
  if (rest.length > 0) return Object.fromEntries([...others, [step, replaced(Reflect.get(value, step), rest, by)]]);
  return Object.fromEntries(by === missing ? others : [...others, [step, by]]);
}
