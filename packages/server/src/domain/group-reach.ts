import type { Message } from 'agent-relay-protocol';
import type { Member } from './audience.ts';
import { EVERY_CHANNEL, type Interval } from './membership.ts';

/** The groups of a workspace, as of now. */
interface Groups {
  members(address: string): Iterable<Member>;
  /** Another number whenever an answer may be another. */
  readonly version: number;
}

/** Up to which number a reader has nothing of what concerns this agent; infinite when it has none of it. */
type ClosedThrough = (agentId: string) => number;

type Said = Pick<Message, 'id' | 'to' | 'channel' | 'claimable'>;

/** A member that the reader reads as, from a number on. */
interface Readable {
  readonly intervals: Member['intervals'];
  readonly closedThrough: number;
}

/** A stretch of the log, `[from, until)`. */
interface Stretch {
  readonly from: number;
  readonly until: number;
}

/** What was said to those who belong to two addresses at once. */
interface Reached {
  /** Apart from each other, in order. */
  readonly stretches: readonly Stretch[];
  /** One of them is there now: it is offered the work that has a higher number. */
  readonly offeredAfter: number;
}

/**
 * What one reader reads of the mail to groups. Each group is walked once and not for each message to it; what is remembered of it is asked
 * again when who there is has changed.
 */
export class GroupReach {
  readonly #groups: Groups;
  readonly #closedThrough: ClosedThrough;
  readonly #reaches = new Map<string, MemberReach>();
  #version: number | null = null;

  constructor(groups: Groups, closedThrough: ClosedThrough) {
    this.#groups = groups;
    this.#closedThrough = closedThrough;
  }

  /** Whether somebody that the reader reads as is addressed; who said it is not excepted. */
  has(said: Said): boolean {
    if (this.#version !== this.#groups.version) this.#reaches.clear();
    this.#version = this.#groups.version;
    const belonged = said.to.startsWith('channel:') ? [said.to, EVERY_CHANNEL] : [said.to];
    const followed = said.channel === null ? null : [`channel:${said.channel}`, EVERY_CHANNEL];
    return belonged.some((group) => {
      const reach = this.#reachOf(group);
      return belonged.some((address) => (followed ?? [address]).some((other) => reach.has(said, address, other)));
    });
  }

  #reachOf(group: string): MemberReach {
    const known = this.#reaches.get(group) ?? new MemberReach(group, this.#groups.members(group), this.#closedThrough);
    this.#reaches.set(group, known);
    return known;
  }
}

/** What a reader has through the members of one group. */
class MemberReach {
  /** Those who belong or belonged to the group or a channel. */
  readonly #belonging = new Map<string, Readable[]>();
  readonly #reached = new Map<string, Reached>();

  constructor(group: string, members: Iterable<Member>, closedThrough: ClosedThrough) {
    for (const { agentId, intervals } of members) {
      const readable = { intervals, closedThrough: closedThrough(agentId) };
      if (readable.closedThrough === Number.POSITIVE_INFINITY) continue;
      for (const address of intervals.keys()) if (address === group || address.startsWith('channel:')) this.#add(address, readable);
    }
  }

  /** Whether it was said to a member that belonged to both addresses, or is offered to one that does now. */
  has({ id, claimable }: Said, address: string, other: string): boolean {
    const [ones, others] = [this.#belonging.get(address), this.#belonging.get(other)];
    if (!ones || !others) return false;
    const key = `${address}\n${other}`;
    const reached = this.#reached.get(key) ?? reachedBy(ones.length < others.length ? ones : others, address, other);
    this.#reached.set(key, reached);
    return contains(reached.stretches, id) || (claimable && id > reached.offeredAfter);
  }

  #add(address: string, readable: Readable): void {
    const belonging = this.#belonging.get(address);
    if (belonging) belonging.push(readable);
    else this.#belonging.set(address, [readable]);
  }
}

function reachedBy(readables: readonly Readable[], address: string, other: string): Reached {
  const stretches: Stretch[] = [];
  let offeredAfter = Number.POSITIVE_INFINITY;
  for (const { intervals, closedThrough } of readables) {
    const [ones, others] = [intervals.get(address) ?? [], intervals.get(other) ?? []];
    for (const { from, until } of bothOf(ones, others))
      if (until > closedThrough + 1) stretches.push({ from: Math.max(from, closedThrough + 1), until });
    const belongsNow = ones.at(-1)?.untilSeq === null && others.at(-1)?.untilSeq === null;
    if (belongsNow) offeredAfter = Math.min(offeredAfter, closedThrough);
  }
  return { stretches: joined(stretches), offeredAfter };
}

/** Where both lists have something; each is in order. */
function bothOf(ones: readonly Interval[], others: readonly Interval[]): Stretch[] {
  const both: Stretch[] = [];
  for (let [at, otherAt] = [0, 0]; ; ) {
    const [one, other] = [ones[at], others[otherAt]];
    if (!one || !other) return both;
    const [until, otherUntil] = [one.untilSeq ?? Number.POSITIVE_INFINITY, other.untilSeq ?? Number.POSITIVE_INFINITY];
    const from = Math.max(one.fromSeq, other.fromSeq);
    if (from < Math.min(until, otherUntil)) both.push({ from, until: Math.min(until, otherUntil) });
    if (until <= otherUntil) at += 1;
    else otherAt += 1;
  }
}

function joined(stretches: Stretch[]): Stretch[] {
  const apart: Stretch[] = [];
  for (const stretch of stretches.sort((one, other) => one.from - other.from)) {
    const last = apart.at(-1);
    if (last && stretch.from <= last.until) apart[apart.length - 1] = { from: last.from, until: Math.max(last.until, stretch.until) };
    else apart.push(stretch);
  }
  return apart;
}

/** Whether one of the stretches, apart and in order, has the number. */
function contains(stretches: readonly Stretch[], seq: number): boolean {
  let [low, high] = [0, stretches.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((stretches[middle]?.from ?? 0) <= seq) low = middle + 1;
    else high = middle;
  }
  const last = stretches[low - 1];
  return last !== undefined && seq < last.until;
}
