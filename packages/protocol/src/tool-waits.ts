import { toolWaits } from './data/tool-waits.ts';
import { MAX_TOOL_WAIT_MS } from './limits.ts';
import { waitIn } from './wait-in.ts';

/** How long a relay may keep a call of one of its tools waiting, whatever it is called with, in milliseconds. */
export function toolWaitMsOf(name: string, input: unknown): number {
  const wait = Object.hasOwn(toolWaits, name) ? toolWaits[name] : undefined;
  return waitIn(wait ?? {}, typeof input === 'object' && input !== null ? input : {});
}

/** The longest that any tool of the relay's may be kept waiting, for those who have one limit for all. */
export const longestToolWaitMs = (): number => Math.max(MAX_TOOL_WAIT_MS, ...Object.values(toolWaits).map(({ ms = 0 }) => ms));
