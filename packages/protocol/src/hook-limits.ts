/** How many runs of hooks are remembered for people who ask. */
export const RECENT_HOOK_RUNS = 100;
