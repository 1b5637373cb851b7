/** Which part of the log, as the address of the page has it. */
export interface LogFilter {
  /** An event type, or a noun for all of its events. */
  readonly type?: string;
  /** Only what concerns this agent. */
  readonly agent?: string;
  readonly channel?: string;
  /** What follows this place in the log. */
  readonly after?: number;
}

/** Reads what somebody may have typed into the address. */
export function readEventFilter({ type, agent, channel, after }: Readonly<Record<string, unknown>>): LogFilter {
  const words = Object.entries({ type, agent, channel }).flatMap(([name, value]) => {
    const text = typeof value === 'number' ? String(value) : value; // a number in an address is read as one
    return typeof text === 'string' && text.trim() !== '' ? [[name, text.trim().replace(/^#/u, '')]] : [];
  });
  return {
    ...Object.fromEntries(words),
    ...(typeof after === 'number' && Number.isSafeInteger(after) && after >= 0 ? { after } : {}),
  };
}
