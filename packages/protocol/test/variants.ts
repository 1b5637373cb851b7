import { z } from 'zod';

/** A word that no version has. */
export const LATER = 'of-a-later-version';

/**
 * Values that a schema allows, and such with `LATER` in the place of one of its words: each enumeration, at each place where it stands, has
 * both. Answers few: what varies in one field meets the first variant of all others.
 */
export function variants(schema: z.core.$ZodType): readonly unknown[] {
  if (schema instanceof z.ZodEnum) return [schema.options[0], LATER];
  if (schema instanceof z.ZodLiteral) return [...schema.values];
  if (schema instanceof z.ZodDiscriminatedUnion) return variantsOfUnion(schema);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(variants);
  if (schema instanceof z.ZodObject) return variantsOfObject(schema);
  if (schema instanceof z.ZodArray) return variants(schema.def.element).map((element) => [element]);
  if (schema instanceof z.ZodRecord) return variants(schema.def.valueType).map((value) => ({ key: value }));
  if (schema instanceof z.ZodNullable) return [...variants(schema.def.innerType), null];
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return variants(schema.def.innerType);
  if (schema instanceof z.ZodPipe) return variants(schema.def.in);
  if (schema instanceof z.ZodBoolean) return [true];
  if (schema instanceof z.ZodNumber) return [1];
  if (schema instanceof z.ZodString) return ['a1'];
  if (schema instanceof z.ZodNull) return [null];
  // What may be any JSON.
  if (schema instanceof z.ZodLazy || schema instanceof z.ZodUnknown) return ['anything'];
  throw new Error(`No variants of ${schema._zod.def.type}`);
}

function variantsOfObject({ shape }: z.ZodObject): readonly unknown[] {
  const fields = Object.entries(shape).map(([key, inner]) => [key, variants(inner)] as const);
  const first = Object.fromEntries(fields.map(([key, values]) => [key, values[0]]));
  return [first, ...fields.flatMap(([key, values]) => values.slice(1).map((value) => ({ ...first, [key]: value })))];
}

function variantsOfUnion({ options, def: { discriminator } }: z.ZodDiscriminatedUnion): readonly unknown[] {
  const known = options.flatMap((option) => variants(option));
  return [...known, { ...(known[0] as object), [discriminator]: LATER }]; // the options of a discriminated union are objects
}
