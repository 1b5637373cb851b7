import type { DeliveryEvidence, DeliveryState } from 'agent-relay-protocol';

/** All states in their order. */
export const deliveryStates = [
  'queued',
  'dispatched',
  'delivered',
  'seen',
  'answered',
  'failed',
  'expired',
] as const satisfies readonly DeliveryState[];

/** What is known about one recipient's copy. */
export interface DeliveryRecord {
  readonly state: DeliveryState;
  readonly evidence: DeliveryEvidence | null;
  /** Confirmed after it had failed or expired. */
  readonly late: boolean;
  readonly reason: string | null;
  readonly updatedAt: number;
  readonly readAt: number | null;
}

export const queuedRecord = (updatedAt: number): DeliveryRecord => ({
  state: 'queued',
  evidence: null,
  late: false,
  reason: null,
  updatedAt,
  readAt: null,
});

export interface DeliveryStep {
  readonly state: DeliveryState;
  readonly evidence?: DeliveryEvidence | null | undefined;
  readonly reason?: string | null | undefined;
}

const confirmed: readonly DeliveryState[] = ['delivered', 'seen', 'answered'];
const rank = { queued: 0, dispatched: 1, delivered: 2, seen: 3, answered: 4 } as const;

export const isConfirmed = (state: DeliveryState): boolean => confirmed.includes(state);
/** The copy still waits: nobody has it, or nobody has said so. */
export const isDeliveryOpen = (state: DeliveryState): boolean => state === 'queued' || state === 'dispatched';

/** Whether a copy got at least as far as `state`. */
export function hasReached(actual: DeliveryState, state: 'dispatched' | 'delivered' | 'seen' | 'answered'): boolean {
  if (actual === 'failed' || actual === 'expired') return false;
  return rank[actual] >= rank[state];
}

/**
 * The record after one step, or null when the step says nothing new. States only move forward; failure and expiry end a copy that is not
 * confirmed, and a confirmation that comes later overrides them and is marked late.
 */
export function advanceDelivery(current: DeliveryRecord, step: DeliveryStep, now: number): DeliveryRecord | null {
  const isEnded = current.state === 'failed' || current.state === 'expired';
  const next: DeliveryRecord = {
    state: step.state,
    evidence: step.evidence ?? null,
    late: current.late || isEnded,
    reason: step.reason ?? null,
    updatedAt: now,
    readAt: current.readAt,
  };
  // What became of a message that is confirmed already: its turn died, say. Told once, beside the state.
  if (isConfirmed(step.state) && current.state === step.state && current.reason === null && next.reason !== null) {
    return { ...current, reason: next.reason, updatedAt: now };
  }
  if (isConfirmed(step.state)) return isEnded || !hasReached(current.state, confirmedState(step.state)) ? next : null;
  if (isEnded || isConfirmed(current.state)) return null;
  switch (step.state) {
    case 'dispatched':
      return current.state === 'queued' ? next : null;
    case 'expired':
      // A hand-over stops the clock: what was dispatched may still be confirmed and is never said to have expired.
      return current.state === 'dispatched' ? null : next;
    case 'failed':
      return next;
    default:
      return null;
  }
}

const confirmedState = (state: DeliveryState): 'delivered' | 'seen' | 'answered' =>
  state === 'seen' || state === 'answered' ? state : 'delivered';

/** What a copy's record amounts to now: one that nobody was handed before its message ran out has expired, written down or not. */
export function recordAt(record: DeliveryRecord, expiresAt: number | null, wasHandedOver: boolean, now: number): DeliveryRecord {
  if (record.state !== 'queued' || wasHandedOver || expiresAt === null || expiresAt > now) return record;
  return { ...record, state: 'expired', updatedAt: expiresAt };
}
