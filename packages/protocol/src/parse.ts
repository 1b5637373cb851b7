import type { z } from 'zod';
import { type FieldIssue, RelayError } from './errors.ts';

/**
 * Parses what one of our own clients sent.
 * @throws RelayError `validation_failed` naming every wrong field by its path.
 */
export function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const issues = result.error.issues.slice(0, MAX_ISSUES).flatMap(toFieldIssues).slice(0, MAX_ISSUES);
  const first = issues[0];
  const where = first === undefined || first.path === '' ? '' : `${first.path}: `;
  throw new RelayError('validation_failed', `${where}${first?.message ?? 'The request does not fit its schema'}`, { issues });
}

/** How many wrong fields one refusal names. */
const MAX_ISSUES = 20;
/** Names from outside are told back, but not at any length. */
const MAX_PATH_LENGTH = 200;

/** The path of a field, short enough to be part of a sentence. */
export const clipPath = (path: string): string => (path.length > MAX_PATH_LENGTH ? `${path.slice(0, MAX_PATH_LENGTH)}…` : path);

function toFieldIssues(issue: z.core.$ZodIssue): FieldIssue[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: clipPath([...path, key].join('.')), message: 'This field is not known here' }));
  return [{ path: clipPath(path.join('.')), message: issue.message }];
}
