import { lenient } from 'agent-relay-wire';
import { z } from 'zod';

const item = { turn: z.string(), item: z.string() };
const tool = z.enum(['write', 'run']);
const input = z.looseObject({ path: lenient(z.string()), command: lenient(z.string()) }).catch({});

/** What Parrot says, as far as we read it: unknown keys stay, unknown frames are passed on. */
const KnownFrameSchema = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('queued'), input: z.string() }),
  z.looseObject({ type: z.literal('turn'), turn: z.string() }),
  z.looseObject({ type: z.literal('heard'), turn: z.string(), input: z.string(), text: z.string().catch('') }),
  z.looseObject({ type: z.literal('word'), ...item, text: z.string() }),
  z.looseObject({ type: z.literal('said'), ...item, text: z.string() }),
  z.looseObject({ type: z.literal('tool'), ...item, tool, input }),
  z.looseObject({ type: z.literal('ask'), ...item, ask: z.string(), tool, input }),
  z.looseObject({
    type: z.literal('done'),
    ...item,
    result: z.enum(['ok', 'failed', 'refused']),
    output: z.string().catch(''),
    exitCode: lenient(z.int()),
  }),
  z.looseObject({ type: z.literal('end'), turn: z.string(), why: z.enum(['finished', 'stopped']) }),
  z.looseObject({ type: z.literal('failed'), turn: z.string(), error: z.string().catch('The turn failed') }),
]);

export const ReadyFrameSchema = z.looseObject({ type: z.literal('ready'), session: z.string(), version: z.string() });
export type ReadyFrame = z.infer<typeof ReadyFrameSchema>;

export type KnownFrame = z.infer<typeof KnownFrameSchema>;
export type ToolFrame = Extract<KnownFrame, { type: 'ask' | 'tool' }>;
export type ParrotFrame = KnownFrame | { readonly type: 'unknown'; readonly frame: unknown };

export function parseFrame(frame: unknown): ParrotFrame {
  const parsed = KnownFrameSchema.safeParse(frame);
  return parsed.success ? parsed.data : { type: 'unknown', frame };
}

/** What Parrot takes. */
export type ParrotCommand =
  | { readonly type: 'hello'; readonly instructions: string }
  | { readonly type: 'input'; readonly id: string; readonly text: string; readonly when: 'next' | 'now' | 'urgent' | 'context' }
  | { readonly type: 'answer'; readonly ask: string; readonly allow: boolean }
  | { readonly type: 'stop' };
