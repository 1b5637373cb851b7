/** What usage is broken down by, and what of it is drawn. */
export const usageGroups = ['agent', 'model', 'day'] as const;
export const usageMeasures = ['costUsd', 'outputTokens', 'inputTokens', 'turns'] as const;
export const usageSpans = [7, 30, 90, 365] as const;

export type UsageGroup = (typeof usageGroups)[number];
export type UsageMeasure = (typeof usageMeasures)[number];

/** As the address of the page has it; absent is by agent, for 30 days, and what of it is shown depends on what there is. */
export interface UsageFilter {
  readonly by?: UsageGroup;
  readonly show?: UsageMeasure;
  readonly days?: number;
  readonly agent?: string;
}

/** Reads what somebody may have typed into the address. */
export function readUsageFilter({ by, show, days, agent }: Readonly<Record<string, unknown>>): UsageFilter {
  const group = usageGroups.find((each) => each === by);
  const measure = usageMeasures.find((each) => each === show);
  const span = usageSpans.find((each) => each === days);
  const whose = typeof agent === 'number' ? String(agent) : agent; // a number in an address is read as one
  return {
    ...(group === undefined || group === usageGroups[0] ? {} : { by: group }),
    ...(measure === undefined ? {} : { show: measure }),
    ...(span === undefined || span === 30 ? {} : { days: span }),
    ...(typeof whose === 'string' && whose.trim() !== '' ? { agent: whose.trim() } : {}),
  };
}
