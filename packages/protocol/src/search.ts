import { z } from 'zod';
import { AgentIdSchema, MessageIdSchema, TimestampSchema } from './primitives.ts';

export const SearchedSchema = z.enum(['messages', 'activity']);
export type Searched = z.infer<typeof SearchedSchema>;

/** What was found, a stretch of it, in pieces: those that were looked for are marked. */
export const SnippetSchema = z.array(z.object({ text: z.string(), isMatch: z.boolean() }));
export type Snippet = z.infer<typeof SnippetSchema>;

const found = { at: TimestampSchema, snippet: SnippetSchema };

export const SearchHitSchema = z.discriminatedUnion('in', [
  z.object({
    in: z.literal('messages'),
    id: MessageIdSchema.describe('Of the message'),
    from: AgentIdSchema,
    to: z.string(),
    channel: z.string().nullable(),
    threadId: MessageIdSchema,
    ...found,
  }),
  z.object({
    in: z.literal('activity'),
    id: z.int().min(1).describe('Of the entry: `before` and `after` of the activity of its agent'),
    agentId: AgentIdSchema,
    sessionId: z.string(),
    type: z.string().describe('Of the event'),
    tool: z.string().nullable().describe('The tool that was called'),
    files: z.array(z.object({ path: z.string(), change: z.string() })).describe('What `file.changed` tells of'),
    ...found,
  }),
]);
export type SearchHit = z.infer<typeof SearchHitSchema>;
