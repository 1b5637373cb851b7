/** Whether a text has more characters than that, which are Unicode code points as everywhere. */
export const isLongerThan = (text: string, limit: number): boolean => text.length > limit && [...text].length > limit;

/** How many rows a list answers when the caller does not say, and at most. */
export const DEFAULT_PAGE_SIZE = 100;
export const MAX_PAGE_SIZE = 1000;

/** Default and longest lease, and how long one claim may be renewed in all. */
export const DEFAULT_LEASE_MS = 600_000;
export const MAX_LEASE_MS = 3_600_000;
export const MAX_HOLD_MS = 86_400_000;

/** How long a page that said that somebody looks at it is believed, unless it says so again. */
export const LOOKED_AT_MS = 90_000;

/** The longest a waiting tool blocks: agents cut a tool call off at a minute. */
export const MAX_TOOL_WAIT_MS = 49_000;
