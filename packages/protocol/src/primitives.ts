import { z } from 'zod';

/** An agent's durable id: letters, digits and `. _ @ + ~ -`, 1–128 characters, beginning with a letter or digit. */
export const AgentIdSchema = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[\p{L}\p{N}][\p{L}\p{N}._@+~-]*$/u, 'An id is made of letters, digits and . _ @ + ~ - and begins with a letter or digit');

/** A tag, capability or channel name: 1–64 characters without spaces, commas, colons or a leading `#`. */
export const GroupNameSchema = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[^\s,:#\p{Cc}][^\s,:\p{Cc}]*$/u, 'A group name has no spaces, commas, colons or control characters');

/** A name or label for people: one line, 1–128 characters, no space at either end. */
export const LabelSchema = z
  .string()
  .min(1)
  .max(128)
  .regex(/^\S(?:[^\p{Cc}]*\S)?$/u, 'A label is one line without control characters or spaces at its ends');

/** Where a message goes: see `parseAddress`. */
export const AddressSchema = z.string().min(1).max(200);

/** A place in the log. The sequence numbers every committed message and event of a relay; a message's id is the sequence of its creation. */
export const CursorSchema = z.int().min(0);

export const MessageIdSchema = z.int().min(1);
export const TimestampSchema = z.int().min(0).describe('Unix milliseconds');
export const EpochSchema = z.int().min(1);
export const OpaqueIdSchema = z.string().min(1).max(128);
export const MetaSchema = z.record(z.string().max(128), z.json());

/** Largest message body, in UTF-16 code units. */
export const MAX_BODY_LENGTH = 64 * 1024;

/** Largest request a relay reads, in bytes, over HTTP and in one WebSocket frame. */
export const MAX_REQUEST_BYTES = 1024 * 1024;

/** How many rows a list answers when the caller does not say, and at most. */
export const DEFAULT_PAGE_SIZE = 100;
export const MAX_PAGE_SIZE = 1000;

export const PageLimitSchema = z.int().min(1).max(MAX_PAGE_SIZE).optional();

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
        'Pass as `since`, `after` or `before`, whichever the list takes, to read the next page; absent on the last one. A page may hold fewer rows than `limit`: one answer carries about a quarter of a million characters',
      ),
  });
