import type { RecentHookResult } from './hook.ts';
import { RECENT_HOOK_RUNS } from './hook-limits.ts';

/** How much of the output of each is remembered. */
const RECENT_OUTPUT_LENGTH = 400;

/** The newest runs, this one among them. */
export function withRecentRun(runs: readonly RecentHookResult[], { output, ...run }: RecentHookResult): readonly RecentHookResult[] {
  const tail = output === undefined ? {} : { output: output.slice(-RECENT_OUTPUT_LENGTH) };
  return [...runs.slice(1 - RECENT_HOOK_RUNS), { ...run, ...tail }];
}
