import { z } from 'zod';
import { AgentIdSchema, CursorSchema, lineOf, OpaqueIdSchema, PageLimitSchema, TimestampSchema } from '../primitives.ts';
import { route } from '../route.ts';
import { SearchedSchema, SearchHitSchema } from '../search.ts';

/** Routes of the table. */
export const searchRoutes = {
  'search/find': route({
    method: 'GET',
    path: '/search',
    scope: 'events:read',
    anonymous: false,
    summary: 'What was said and done, found by its words, newest first; a caller finds what it may read',
    input: z.strictObject({
      text: lineOf(500)
        .optional()
        .describe('Words that all occur, in whatever form; "words in quotes" stand together, `-word` does not occur'),
      in: SearchedSchema.optional().describe('Default: both'),
      agent: AgentIdSchema.optional().describe('Said by it or to it, or done by it'),
      session: OpaqueIdSchema.optional(),
      type: lineOf(64).optional().describe("Of the agent's event, as `file.changed`; of a message, as `task`"),
      tool: lineOf(128).optional().describe('The tool that was called'),
      file: lineOf(1000).optional().describe('A file that was changed: its path, or some whole names of it'),
      sinceAt: TimestampSchema.optional(),
      untilAt: TimestampSchema.optional(),
      before: z
        .string()
        .regex(/^\d{1,15}-\d{1,15}$/u, 'This is no cursor of a search')
        .meta({ examples: ['412-96'] })
        .optional()
        .describe('`nextCursor` of the page before'),
      limit: PageLimitSchema,
    }),
    output: z.object({
      data: z.array(SearchHitSchema),
      cursor: CursorSchema,
      nextCursor: z.string().optional().describe('Pass as `before` to read the next page; absent on the last one'),
      behind: z.int().min(0).describe('How many of the newest messages and entries cannot be found yet: they are being indexed'),
    }),
  }),
} as const;
