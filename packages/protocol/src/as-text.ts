/** The words of a thrown value: what people throw is not always an error. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : asText(error));

/**
 * A value of unknown shape as text: a string as it is, an error by its kind and message, else its JSON. `String` asks the value itself, and throws for one that says `toString` is
 * something else, as any JSON may; this never throws.
 */
export function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  try {
    // Functions, symbols and `undefined` have no JSON.
    return JSON.stringify(value) ?? typeof value;
  } catch {
    return typeof value;
  }
}
