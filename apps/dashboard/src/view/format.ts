/** A time of day; with the date when it was not today. */
export function formatTime(at: number, now: number = Date.now()): string {
  const date = new Date(at);
  const time = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
  return date.toDateString() === new Date(now).toDateString() ? time : `${date.toLocaleDateString()} ${time}`;
}

/** What a person reads of an error. */
export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error));
