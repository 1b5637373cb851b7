import { ARRIVAL_MS } from 'agent-relay-protocol';
import type { GuardLimits } from '../../domain/loop-guard.ts';
import type { SpawnLimits } from '../../domain/spawn-rules.ts';

/** The relay's times, all in milliseconds. */
export interface RelaySettings {
  /** An agent that has not been heard of for this long is offline. */
  readonly staleTtlMs: number;
  /** An agent that has been offline for this long is removed; its epoch is remembered. */
  readonly offlinePruneMs: number;
  readonly reapIntervalMs: number;
  /** What is older is pruned; null keeps everything. */
  readonly retentionMs: number | null;
  /** What agents did, and what they asked; left out, as everything else. */
  readonly activityRetentionMs?: number;
  readonly approvalRetentionMs?: number;
  /** What they used, and who did what: kept for longer. */
  readonly usageRetentionMs: number;
  readonly auditRetentionMs: number;
  /** A claim's lease when the claimant names none. */
  readonly leaseMs: number;
  /** How long what was handed out is waited for before its receipt is written: a confirmation that comes first saves it. */
  readonly dispatchedDelayMs: number;
  /** Events that one integration may report in a minute. */
  readonly reportsPerMinute: number;
  /** An agent online whose mail nobody fetched for this long is stalled. */
  readonly stalledAfterMs: number;
  /** How long after its own start a relay expects its machines to arrive: who starts an agent before waits for the first of them. */
  readonly arrivalMs: number;
  readonly guard: GuardLimits;
  readonly spawn: SpawnLimits;
}

export const defaultSettings: RelaySettings = {
  staleTtlMs: 120_000,
  offlinePruneMs: 86_400_000,
  reapIntervalMs: 60_000,
  retentionMs: 30 * 86_400_000,
  usageRetentionMs: 400 * 86_400_000,
  auditRetentionMs: 400 * 86_400_000,
  leaseMs: 600_000,
  dispatchedDelayMs: 50,
  stalledAfterMs: 120_000,
  arrivalMs: ARRIVAL_MS,
  reportsPerMinute: 120,
  guard: { hops: 100, pairPerMinute: 120, threadPerMinute: 240, repeats: 20, tokensPerHour: 0 },
  spawn: { depth: 5, children: 50 },
};
