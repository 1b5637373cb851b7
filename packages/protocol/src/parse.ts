import type { z } from 'zod';
import { type FieldIssue, RelayError } from './errors.ts';

/**
 * Parses what one of our own clients sent.
 * @throws RelayError `validation_failed` naming every wrong field by its path.
 */
export function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = safeParse(schema, input) ?? safeParse(schema, measurable(input));
  if (result?.success) return result.data;
  if (!result) throw new RelayError('validation_failed', 'The request does not fit its schema', { issues: [] });
  const issues = result.error.issues.slice(0, MAX_ISSUES).flatMap(toFieldIssues).slice(0, MAX_ISSUES);
  const first = issues[0];
  const where = first === undefined || first.path === '' ? '' : `${first.path}: `;
  throw new RelayError('validation_failed', `${where}${first?.message ?? 'The request does not fit its schema'}`, { issues });
}

/** What of somebody else's JSON fits a schema; undefined where it does not. Never throws. */
export function readLoosely<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> | undefined {
  const result = safeParse(schema, value);
  return result?.success ? result.data : undefined;
}

/** Null where the schema itself fails: zod compares the `length` of whatever should be a text, and that may be an object that is no number. */
function safeParse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.ZodSafeParseResult<z.output<Schema>> | null {
  try {
    return schema.safeParse(value, inWords);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** The value without the lengths and sizes that are no numbers: what is wrong with the rest can then be told. */
function measurable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(measurable);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([name, of]) => typeof of !== 'object' || (name !== 'length' && name !== 'size'));
  return Object.fromEntries(kept.map(([name, of]) => [name, measurable(of)]));
}

/** How many wrong fields one refusal names. */
const MAX_ISSUES = 20;
/** Names from outside are told back, but not at any length. */
const MAX_PATH_LENGTH = 200;

/** The path of a field, short enough to be part of a sentence. */
export const clipPath = (path: string): string => (path.length > MAX_PATH_LENGTH ? `${path.slice(0, MAX_PATH_LENGTH)}…` : path);

/** What people read of a field that does not fit, behind its name; where a schema says it itself, that stands. */
const inWords = { error: (issue: z.core.$ZodRawIssue) => wordsFor(issue) };

function wordsFor(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'too_small':
      return (
        lengthWords(issue.origin, 'at least', Number(issue.minimum)) ?? (issue.inclusive ? `must be at least ${issue.minimum}` : undefined)
      );
    case 'too_big':
      return (
        lengthWords(issue.origin, 'at most', Number(issue.maximum)) ?? (issue.inclusive ? `must be at most ${issue.maximum}` : undefined)
      );
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be ${withArticle(issue.expected)}`;
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    default:
      return undefined;
  }
}

function lengthWords(origin: string, bound: 'at least' | 'at most', length: number): string | undefined {
  const unit = origin === 'string' ? 'character' : origin === 'array' ? 'entry' : null;
  if (unit === null) return undefined;
  if (bound === 'at least' && length === 1) return 'must not be empty';
  return `must have ${bound} ${length} ${length === 1 ? unit : unit === 'entry' ? 'entries' : 'characters'}`;
}

const withArticle = (noun: string): string => `${/^[aeio]/u.test(noun) ? 'an' : 'a'} ${noun}`;

function toFieldIssues(issue: z.core.$ZodIssue): FieldIssue[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: clipPath([...path, key].join('.')), message: 'This field is not known here' }));
  return [{ path: clipPath(path.join('.')), message: issue.message }];
}
