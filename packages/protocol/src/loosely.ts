import { z } from 'zod';
import { AgentEventSchema } from './agent-event.ts';
import { knownAgentEvent } from './known-agent-event.ts';

/** What a word of a later version may be. */
const WordSchema = z.string().min(1).max(64);

/**
 * The schema by which one program of ours reads what another said that may be of a later version. Fields it does not know are passed over; a
 * word that an enumeration does not name passes as it is; an agent's event of a type it does not know is read by `knownAgentEvent`. All
 * else is as the schema says. The types name the words of this version: who decides by a word has a rule for the rest, who shows it shows it.
 */
export function loosely<Schema extends z.ZodType>(schema: Schema): z.ZodType<z.output<Schema>> {
  // What passes besides is not among the types, see above.
  return loosened(schema) as z.ZodType<z.output<Schema>>;
}

function loosened(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodEnum) return WordSchema;
  if (schema instanceof z.ZodDiscriminatedUnion) return looseUnion(schema);
  if (schema instanceof z.ZodObject) return looseObject(schema);
  if (schema instanceof z.ZodUnion) return schema.clone({ ...schema.def, options: schema.def.options.map(loosened) });
  if (schema instanceof z.ZodArray) return schema.clone({ ...schema.def, element: loosened(schema.def.element) });
  if (schema instanceof z.ZodRecord) return schema.clone({ ...schema.def, valueType: loosened(schema.def.valueType) });
  if (schema instanceof z.ZodOptional) return z.optional(loosened(schema.def.innerType));
  if (schema instanceof z.ZodNullable) return z.nullable(loosened(schema.def.innerType));
  if (schema instanceof z.ZodDefault) return schema.clone({ ...schema.def, innerType: loosened(schema.def.innerType) });
  return schema;
}

/** `kept` is told apart by its words, and stays as it is. */
function looseObject(schema: z.ZodObject, kept?: string): z.ZodObject {
  const { catchall, ...def } = schema.def;
  const shape = Object.fromEntries(Object.entries(schema.shape).map(([key, inner]) => [key, key === kept ? inner : loosened(inner)]));
  return schema.clone({ ...def, shape, ...(catchall && !(catchall instanceof z.ZodNever) ? { catchall } : {}) });
}

function looseUnion(schema: z.ZodDiscriminatedUnion): z.core.$ZodType {
  const { discriminator, options } = schema.def;
  const known = schema.clone({
    ...schema.def,
    options: options.map((option) => (option instanceof z.ZodObject ? looseObject(option, discriminator) : option)),
  });
  if (options === AgentEventSchema.def.options) return z.pipe(z.transform(knownAgentEvent), known);
  const words = new Set(options.flatMap(({ _zod: { propValues } }) => [...(propValues?.[discriminator] ?? [])]));
  return z.union([known, z.looseObject({ [discriminator]: WordSchema.refine((word) => !words.has(word)) })]);
}
