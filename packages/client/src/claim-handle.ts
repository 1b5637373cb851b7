import type { Claim, HeldClaim } from 'agent-relay-protocol';
import { isRetryable } from 'agent-relay-wire';
import type { RelayCalls } from './calls.ts';

type ClaimRequest = Parameters<RelayCalls['claims']['renew']>[0];
type Json = NonNullable<Parameters<RelayCalls['claims']['complete']>[0]['result']>;

/**
 * Work that this process owns. The lease renews itself at a third of its length until the work is completed, released or lost.
 *
 * States: `held`; `ended` after `complete`, `release`, or the loss of the lease. On loss `signal` aborts with the relay's reason
 * (`stale_fence`, `claim_closed`, …): stop the work, somebody else may have it.
 */
export class ClaimHandle {
  readonly claimId: string;
  readonly fence: number;
  readonly subjectId: number;
  /** Aborts when the claim is no longer ours. */
  readonly signal: AbortSignal;
  readonly #calls: RelayCalls;
  readonly #guard: Pick<ClaimRequest, 'agentId' | 'instanceId' | 'epoch'>;
  readonly #leaseMs: number;
  readonly #lost = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #expiry: ReturnType<typeof setTimeout> | undefined;
  #hasExpired = false;

  constructor(calls: RelayCalls, claim: HeldClaim, guard: Pick<ClaimRequest, 'agentId' | 'instanceId' | 'epoch'>, leaseMs: number) {
    this.claimId = claim.claimId;
    this.fence = claim.fence;
    this.subjectId = claim.subjectId;
    this.signal = this.#lost.signal;
    this.#calls = calls;
    this.#guard = guard;
    this.#leaseMs = leaseMs;
    this.#beginLease();
    this.#scheduleRenewal(leaseMs / 3);
  }

  async progress(progress: Json): Promise<void> {
    await this.#calls.claims.progress({ ...this.#write, progress });
  }

  /** Accepted exactly once; calling it again with the same handle answers the first completion. */
  async complete(result?: Json): Promise<Claim> {
    const claim = await this.#calls.claims.complete({ ...this.#write, ...(result === undefined ? {} : { result }) });
    this.#end();
    return claim;
  }

  async release(reason?: string): Promise<void> {
    if (this.#timer === undefined) return;
    this.#end();
    await this.#calls.claims.release({ ...this.#write, ...(reason === undefined ? {} : { reason }) });
  }

  /** Gives the work back unless it was completed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.signal.aborted) await this.release();
  }

  get #write(): Pick<ClaimRequest, 'id' | 'fence' | 'agentId' | 'instanceId' | 'epoch'> {
    return { id: this.claimId, fence: this.fence, ...this.#guard };
  }

  #end(): void {
    clearTimeout(this.#expiry);
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #beginLease(): void {
    clearTimeout(this.#expiry);
    this.#hasExpired = false;
    this.#expiry = setTimeout(() => {
      this.#hasExpired = true;
    }, this.#leaseMs);
  }

  #scheduleRenewal(delayMs: number): void {
    this.#timer = setTimeout(() => void this.#renew(), delayMs);
  }

  async #renew(): Promise<void> {
    try {
      await this.#calls.claims.renew({ ...this.#write, leaseMs: this.#leaseMs });
      if (this.#timer === undefined) return;
      this.#beginLease();
      this.#scheduleRenewal(this.#leaseMs / 3);
    } catch (error) {
      if (this.#timer === undefined) return;
      const isOver = !isRetryable(error) || this.#hasExpired;
      if (!isOver) return this.#scheduleRenewal(Math.min(1000, this.#leaseMs / 10));
      this.#end();
      this.#lost.abort(error);
    }
  }
}
