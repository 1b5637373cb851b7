import type { z } from 'zod';
import { type FieldIssue, RelayError } from './errors.ts';

/**
 * Parses what one of our own clients sent.
 * @throws RelayError `validation_failed` naming every wrong field by its path.
 */
export function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const issues = result.error.issues.slice(0, 20).flatMap(toFieldIssues);
  const first = issues[0];
  const where = first === undefined || first.path === '' ? '' : `${first.path}: `;
  throw new RelayError('validation_failed', `${where}${first?.message ?? 'The request does not fit its schema'}`, { issues });
}

function toFieldIssues(issue: z.core.$ZodIssue): FieldIssue[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: [...path, key].join('.'), message: 'This field is not known here' }));
  return [{ path: path.join('.'), message: issue.message }];
}
