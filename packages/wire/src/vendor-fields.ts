import { z } from 'zod';

/**
 * How a vendor's frame is read. Only what decides (its type, its ids, a status) may fail a frame; each other field is declared with one of
 * these and falls back by itself, so that one odd field never costs what stands beside it. `costlyFields` of `./testing` proves it.
 */

/** A field that may be absent: null, or a value of another type, reads as absent. */
export const lenient = <Schema extends z.ZodType>(schema: Schema) => schema.optional().catch(undefined);

/** A list whose unreadable entries are left out one by one; anything but a list reads as an empty one. */
export const lenientList = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .array(schema.nullable().catch(null))
    .catch([])
    .transform((entries) => entries.filter((entry) => entry !== null));

/** A table of named values whose unreadable ones are left out one by one; anything else reads as an empty one. */
export const recordOf = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .record(z.string(), schema.nullable().catch(null))
    .catch({})
    .transform((values) =>
      Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]))),
    );

/** What is counted in whole numbers: negative, fractional and immense values become the nearest count, anything else nought. */
export const count = z.number().catch(0).transform(clampCount);

export function clampCount(value: number): number {
  return Math.min(Math.max(0, Math.round(value)), Number.MAX_SAFE_INTEGER);
}
