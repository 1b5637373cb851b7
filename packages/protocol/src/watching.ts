import { z } from 'zod';
import { TimestampSchema } from './primitives.ts';
import { PrincipalNameSchema } from './principal-name.ts';

/**
 * Bounds of who steers and who watches. `controllers` of a session are named at most, each for `steeringMs` after it last steered; a time within
 * `sameActMs` of the one that is kept is not written. `watchers` are named at most, and told at most once in `tellMs`.
 */
export const watchingLimits = { controllers: 8, steeringMs: 900_000, sameActMs: 60_000, watchers: 16, tellMs: 250 } as const;

/** Somebody who steers a session. */
export const SessionControllerSchema = z.object({
  by: PrincipalNameSchema,
  since: TimestampSchema.describe('When it began to'),
  lastAt: TimestampSchema.describe('When it last did, to the minute'),
});
export type SessionController = z.infer<typeof SessionControllerSchema>;

export const SessionControllersSchema = z
  .array(SessionControllerSchema)
  .describe(
    'Who steers it: who started it, sent it alone mail with `now` or `urgent`, interrupted it, answered what it asked or changed its card, within fifteen minutes. The eight that did so last, the last one last',
  );

/** Who follows what an agent does at this moment, beside whoever is told of it. */
export const ActivityWatchersSchema = z.object({
  watchers: z
    .array(
      z.object({
        by: PrincipalNameSchema,
        since: TimestampSchema.describe('Of its oldest stream that is open'),
        streams: z.int().min(1).describe('How many it has open'),
      }),
    )
    .describe('One for each principal, the newest last; sixteen at most'),
  more: z.int().min(0).describe('How many principals follow it that are not named'),
});
export type ActivityWatchers = z.infer<typeof ActivityWatchersSchema>;
