import type { FormAnswers, FormField } from 'agent-relay-protocol';
import { z } from 'zod';

interface Property {
  readonly type: 'string' | 'boolean' | 'number' | 'integer' | 'array';
  readonly words: { readonly title?: string | undefined; readonly description?: string | undefined };
  readonly choices: FormField['choices'];
}

const words = { title: z.string().optional(), description: z.string().optional() };
const Titled = z
  .array(z.looseObject({ const: z.string(), title: z.string().optional() }))
  .transform((values) => values.map(({ const: value, title = value }) => ({ value, label: title })));
const Plain = z.array(z.string()).transform((values) => values.map((value) => ({ value, label: value })));

const yesOrNo = [
  { value: 'true', label: 'Yes' },
  { value: 'false', label: 'No' },
];

const property = (type: Property['type'], { title, description }: Property['words'], choices: Property['choices'] = []): Property => ({
  type,
  words: { title, description },
  choices,
});

/** What a property of an MCP form may be. Strict in what decides: a field that nobody understands is not filled in. */
const PropertySchema = z.union([
  z.looseObject({ type: z.literal('boolean'), ...words }).transform((said) => property('boolean', said, yesOrNo)),
  z.looseObject({ type: z.enum(['number', 'integer']), ...words }).transform((said) => property(said.type, said)),
  z
    .looseObject({ type: z.literal('array'), items: z.looseObject({ enum: Plain }), ...words })
    .transform((said) => property('array', said, said.items.enum)),
  z
    .looseObject({ type: z.literal('array'), items: z.looseObject({ anyOf: Titled }), ...words })
    .transform((said) => property('array', said, said.items.anyOf)),
  z.looseObject({ type: z.literal('string'), oneOf: Titled, ...words }).transform((said) => property('string', said, said.oneOf)),
  z
    .looseObject({ type: z.literal('string'), enum: Plain, enumNames: z.array(z.string()).optional(), ...words })
    .transform((said) => property('string', said, named(said.enum, said.enumNames))),
  z
    .looseObject({ type: z.literal('string'), ...words })
    .refine((said) => !('enum' in said) && !('oneOf' in said))
    .transform((said) => property('string', said)),
]);

const FormSchema = z.looseObject({
  type: z.literal('object'),
  properties: z.record(z.string(), PropertySchema),
  required: z.array(z.string()).optional(),
});

/** A form of an MCP server as a person fills it in, and the content that their answers come to. */
export interface ElicitationForm {
  readonly form: FormField[];
  readonly contentOf: (answers: FormAnswers) => Readonly<Record<string, unknown>>;
}

/** Null for a form that is not understood whole. */
export function elicitationForm(requestedSchema: unknown): ElicitationForm | null {
  const parsed = FormSchema.safeParse(requestedSchema);
  if (!parsed.success) return null;
  const { properties, required = [] } = parsed.data;
  const fields = Object.entries(properties);
  const contentOf = (answers: FormAnswers) =>
    Object.fromEntries(
      fields.flatMap(([id, { type }]) => {
        const said = (Object.hasOwn(answers, id) ? (answers[id] ?? []) : []).filter((one) => one !== '');
        return said.length === 0 ? [] : [[id, contentValue(type, said)]];
      }),
    );
  return { form: fields.map(([id, field]) => fieldOf(id, field, required.includes(id))), contentOf };
}

function fieldOf(id: string, { type, words: { title, description }, choices }: Property, isRequired: boolean): FormField {
  return {
    id,
    text: description ?? title ?? id,
    ...(title === undefined ? {} : { title }),
    choices,
    allowsText: choices.length === 0,
    ...(type === 'array' ? { allowsSeveral: true } : {}),
    ...(isRequired ? {} : { isOptional: true }),
    ...(type === 'number' || type === 'integer' ? { format: type } : {}),
  };
}

const named = (choices: FormField['choices'], names: readonly string[] = []) =>
  choices.map(({ value, label }, index) => ({ value, label: names[index] ?? label }));

function contentValue(type: Property['type'], said: readonly string[]): unknown {
  if (type === 'array') return said;
  if (type === 'boolean') return said[0] === 'true';
  return type === 'string' ? said[0] : Number(said[0]);
}
