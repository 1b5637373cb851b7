import { type Claim, type HeldClaim, MAX_HOLD_MS, RelayError } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { assertHolds, endClaim, isLeaseOver, isRepeated, renewClaim, takeClaim, type WorkState } from './claim.ts';

test('a lease ends at its time, not after it', () => {
  const claim = taken(null, { status: 'open', fence: 0 }, 'a', 100, 50);
  expect([isLeaseOver(claim, 149), isLeaseOver(claim, 150)]).toEqual([false, true]);
  expect(() => assertHolds(claim, { status: 'held', fence: 1 }, { agentId: 'a', epoch: 1, fence: 1, now: 150 })).toThrow(RelayError);
});

test('a renewal goes no further than the longest hold', () => {
  const claim = taken(null, { status: 'open', fence: 0 }, 'a', 0, 1_000);
  expect(renewClaim(claim, MAX_HOLD_MS - 10, 1_000).leaseExpiresAt).toBe(MAX_HOLD_MS);
  expect(renewClaim(claim, 0, 10)).toBe(claim);
});

test('what is written under a claim: the same epoch, the same fence, the current claim', () => {
  const claim = taken(null, { status: 'open', fence: 3 }, 'a', 0, 1_000);
  const held: WorkState = { status: 'held', fence: 4 };
  const code = (work: WorkState, writer: Partial<{ agentId: string; epoch: number; fence: number | null }>) => {
    try {
      assertHolds(claim, work, { agentId: 'a', epoch: 1, fence: null, now: 1, ...writer });
      return 'held';
    } catch (error) {
      return error instanceof RelayError ? error.code : 'bug';
    }
  };
  expect(code(held, {})).toBe('held');
  expect(code(held, { fence: 4 })).toBe('held');
  expect(code(held, { fence: 3 })).toBe('stale_fence');
  expect(code(held, { epoch: 2 })).toBe('stale_fence');
  expect(code({ status: 'held', fence: 5 }, {})).toBe('stale_fence');
  expect(code(held, { agentId: 'b' })).toBe('forbidden');
});

/** A small generator with a seed, so that a failure can be run again. */
function createPick(seed: number): (count: number) => number {
  let state = seed;
  return (count) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % count;
  };
}

/** One piece of work that several agents want, kept as a store keeps it. */
class Contest {
  now = 0;
  readonly taken: HeldClaim[] = [];
  readonly completed = new Set<number>();
  readonly #stored = new Map<string, Claim>();
  #work: WorkState = { status: 'open', fence: 0 };
  #current: Claim | null = null;

  get holders(): number {
    return [...this.#stored.values()].filter((claim) => claim.status === 'held' && !isLeaseOver(claim, this.now)).length;
  }

  claim(agentId: string): void {
    const claim = taken(this.#current, this.#work, agentId, this.now, 50);
    if (claim === this.#current) return;
    this.taken.push(claim);
    this.#put(claim);
  }

  finish(claim: HeldClaim, status: 'completed' | 'released'): void {
    const writer = { agentId: claim.agentId, epoch: 1, fence: claim.fence, now: this.now };
    const stored = this.#stored.get(claim.claimId) ?? claim;
    if (isRepeated(stored, status, writer)) return;
    const held = assertHolds(stored, this.#work, writer);
    this.#put(endClaim(held, status === 'completed' ? { status, result: null } : { status, reason: null }, this.now));
    if (status === 'completed') this.completed.add(held.fence);
  }

  #put(claim: Claim): void {
    this.#stored.set(claim.claimId, claim);
    this.#current = claim;
    this.#work = { status: claim.status === 'held' ? 'held' : claim.status === 'completed' ? 'closed' : 'open', fence: claim.fence };
  }
}

test('whatever three agents try in whatever order: one holder at a time, rising fences, one completion', () => {
  let completions = 0;
  for (let seed = 1; seed <= 300; seed += 1) {
    const pick = createPick(seed);
    const contest = new Contest();
    for (let step = 0; step < 60; step += 1) {
      contest.now += pick(40);
      const claim = contest.taken[pick(Math.max(1, contest.taken.length))];
      const attempt =
        pick(2) === 0 || !claim
          ? () => contest.claim(`agent-${pick(3)}`)
          : () => contest.finish(claim, pick(6) === 0 ? 'completed' : 'released');
      refusalOf(attempt);
      expect(contest.holders).toBeLessThanOrEqual(1);
    }
    const fences = contest.taken.map(({ fence }) => fence);
    expect(fences).toEqual(fences.map((_fence, index) => index + 1));
    expect(contest.completed.size).toBeLessThanOrEqual(1);
    completions += contest.completed.size;
  }
  expect(completions).toBeGreaterThan(100);
});

/** A refusal is part of the game, anything else is a bug. */
function refusalOf(attempt: () => void): void {
  try {
    attempt();
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
  }
}

function taken(current: Claim | null, work: WorkState, agentId: string, now: number, leaseMs: number): HeldClaim {
  return takeClaim(work, current, { claimId: `claim-${work.fence + 1}`, kind: 'message', subjectId: 1, agentId, epoch: 1, now, leaseMs })
    .claim;
}
