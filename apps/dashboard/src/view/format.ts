/** A time of day. */
export const formatTime = (at: number): string =>
  new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });

/** What a person reads of an error. */
export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error));
