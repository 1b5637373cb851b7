import { z } from 'zod';
import { MAX_PAGE_SIZE } from './limits.ts';
import { agentIdForm, groupNameForm, labelForm } from './name-forms.ts';

/*
 * Lengths count characters, that is Unicode code points, as zod and JSON Schema do: an emoji of one code point is one.
 */

/**
 * An agent's durable id: letters, digits and `. _ @ + ~ -`, 1–128 characters, beginning with a letter or digit. `find` is a word of the API
 * (`GET /agents/find`): an agent of that id could not be fetched.
 */
export const AgentIdSchema = z
  .string()
  .min(1)
  .max(agentIdForm.longest)
  .regex(
    agentIdForm.pattern,
    'An id is made of letters, digits and . _ @ + ~ -, begins with a letter or digit, and is not the word "find"',
  );

/** A tag, capability or channel name: 1–64 characters without spaces, commas, colons or a leading `#`. */
export const GroupNameSchema = z
  .string()
  .min(1)
  .max(groupNameForm.longest)
  .regex(groupNameForm.pattern, 'A group name has no spaces, commas, colons or control characters');

/** A name or label for people: one line, 1–128 characters, no space at either end. */
export const LabelSchema = z
  .string()
  .min(1)
  .max(labelForm.longest)
  .regex(labelForm.pattern, 'A label is one line without control characters or spaces at its ends');

/** One line of at most so many characters: a name, a model, a machine. */
export const lineOf = (maximum: number) =>
  z
    .string()
    .min(1)
    .max(maximum)
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]+$/u, 'This is one line without control characters');

/** A model as its vendor names it, or a short name of it. Programs are given it as an argument: it may not be one of their options. */
export const ModelNameSchema = lineOf(128).regex(/^[^-]/u, 'A model does not begin with -');

/** A vendor's own id of a stored conversation. Programs are given it as an argument: it may not be one of their options. */
export const ConversationIdSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][\w.:-]{0,255}$/u,
    'The id of a conversation is made of letters, digits and _ . : -, and begins with a letter or digit',
  );

/** Where a message goes: see `parseAddress`. */
export const AddressSchema = z.string().min(1).max(200);

/** A place in the log. The sequence numbers every committed message and event of a relay; a message's id is the sequence of its creation. */
export const CursorSchema = z.int().min(0);

export const MessageIdSchema = z.int().min(1);
/** The last one that a date can tell. */
const LAST_TIMESTAMP = 8_640_000_000_000_000;
export const TimestampSchema = z.int().min(0).max(LAST_TIMESTAMP).describe('Unix milliseconds');
export const EpochSchema = z.int().min(1);
export const OpaqueIdSchema = z.string().min(1).max(128);
/** What every event of the log has: its place there, and when it happened. */
export const told = { seq: CursorSchema, at: TimestampSchema };
export const MetaSchema = z.record(z.string().max(128), z.json());

/** Largest message body, in characters. */
export const MAX_BODY_LENGTH = 64 * 1024;

/** Largest request a relay reads, in bytes, over HTTP and in one WebSocket frame. */
export const MAX_REQUEST_BYTES = 1024 * 1024;

export const PageLimitSchema = z.int().min(1).max(MAX_PAGE_SIZE).optional();

/** Of lists in the order of their numbers, oldest first: where the page begins, and how long it is. */
export const pageAfter = {
  after: CursorSchema.optional().describe('`nextCursor` of the page before: what has a greater number'),
  since: CursorSchema.optional().describe('What older programs call `after`, which goes first'),
  limit: PageLimitSchema,
};

/** Of lists from the newest: where the page ends, and how long it is. */
export const pageBefore = {
  before: CursorSchema.optional().describe('`nextCursor` of the page before: what has a smaller number'),
  limit: PageLimitSchema,
};

/** Of lists that can be read from either end. */
export const pageEitherWay = {
  ...pageAfter,
  before: CursorSchema.optional().describe(
    'The page that ends before this number; `nextCursor` of a page of the newest, to read back from there',
  ),
  newest: z.boolean().optional().describe('The last page instead of the first; oldest first within it all the same'),
};

/** Of lists by id: where the page begins, and how long it is. What was never paged is a page of the largest size. */
export const pageById = {
  after: OpaqueIdSchema.optional().describe('`nextCursor` of the page before'),
  limit: PageLimitSchema.describe('Defaults to 1000'),
};

/** As `listOf`, in order of ids. */
export const listByIdOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    data: z.array(item),
    cursor: CursorSchema,
    nextCursor: z.string().optional().describe('Pass as `after` to read the next page; absent on the last one'),
  });

/** How many there are of each status. */
export const StatusCountsSchema = z.record(z.string(), z.int().min(0)).describe('By status: how many there are, 0 said as well');
export type StatusCounts = z.infer<typeof StatusCountsSchema>;

/** What is counted, and the cursor at which it was true. */
export const counted = z.object({ counts: StatusCountsSchema, cursor: CursorSchema });

/** A list, and the cursor at which it was true: read the events after `cursor` and nothing is missed or doubled. */
export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    data: z.array(item),
    cursor: CursorSchema,
    nextCursor: z
      .int()
      .min(0)
      .optional()
      .describe(
        'Pass as `after`, or as `before` where the list is read from the newest, to read the next page; absent on the last one. A page may hold fewer rows than `limit`: one answer carries about a quarter of a million characters',
      ),
  });
