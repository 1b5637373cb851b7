import type { Message, Principal } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { isInAudience, isOfferedNow } from './audience.ts';
import type { Interval } from './membership.ts';
import { type Addressee, type Addressees, nobody, rightsOf } from './readership.ts';

const anonymous: Principal = { type: 'anonymous', workspace: 'default' };
const LAST = 400;
const addresses = ['tag:big', 'broadcast', 'channel:*', 'channel:x', 'channel:y'];

/** The same numbers in every run, from 0 up to and without `below`. */
function numbers(): (below: number) => number {
  let state = 7;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

interface Member extends Addressee {
  intervals: Map<string, readonly Interval[]>;
  provenThrough: number;
}

/** Agents of whom a program without a token could act as few; what it asked of them is counted. */
class Crowd implements Addressees {
  readonly everybody: Member[];
  version = 0;
  asked = 0;

  constructor(members: Member[]) {
    this.everybody = members;
  }

  find(agentId: string): Member | undefined {
    this.asked += 1;
    return this.everybody.find((member) => member.agentId === agentId);
  }

  *members(address: string): Iterable<Member> {
    for (const member of this.everybody) if (member.intervals.get(address)?.at(-1)?.untilSeq === null) yield member;
  }

  readonly isBound = (agentId: string): boolean => agentId.startsWith('bound');
  readonly isIntegration = (): boolean => false;
}

function intervalsBy(next: (below: number) => number): Map<string, readonly Interval[]> {
  const intervals = new Map<string, readonly Interval[]>();
  for (const address of addresses) {
    const found: Interval[] = [];
    for (let from = next(LAST); from < LAST && next(3) > 0; from += 1 + next(80)) {
      const untilSeq = from + 1 + next(60);
      found.push({ fromSeq: from, untilSeq });
      from = untilSeq;
    }
    const last = found.at(-1);
    if (last && next(2) === 0) found[found.length - 1] = { fromSeq: last.fromSeq, untilSeq: null };
    if (found.length > 0) intervals.set(address, found);
  }
  return intervals;
}

/** The rule as it is said: every member is looked at. */
function isRead(message: Message, crowd: Crowd): boolean {
  const { id, from, to, channel, claimable } = message;
  const couldBe = (agentId: string) =>
    !crowd.isBound(agentId) && id > (crowd.everybody.find((member) => member.agentId === agentId)?.provenThrough ?? 0);
  if ((to === 'broadcast' && channel === null) || couldBe(from)) return true;
  return [to, ...(to.startsWith('channel:') ? ['channel:*'] : [])].some((address) =>
    [...crowd.members(address)].some(
      (member) => couldBe(member.agentId) && (isInAudience(message, member) || (claimable && isOfferedNow(message, member))),
    ),
  );
}

const saidTo = (to: string, more: Partial<Message>): Message =>
  ({ id: 1, from: 'bound', to, channel: null, claimable: false, ...more }) as Message;

test('what a program reads of mail to a large group is what it would read if every member were looked at', () => {
  const next = numbers();
  let read = 0;
  let tried = 0;
  for (let round = 0; round < 8; round += 1) {
    const crowd = new Crowd(
      Array.from({ length: 150 }, (_, index) => ({
        agentId: index < 130 ? `bound ${index}` : `plain ${index}`,
        intervals: intervalsBy(next),
        provenThrough: next(2) * next(LAST),
        agent: null,
      })),
    );
    const rights = rightsOf({ type: 'program', principal: anonymous }, crowd);
    for (let change = 0; change < 5; change += 1) {
      for (let message = 0; message < 200; message += 1) {
        const said = saidTo(['tag:big', 'broadcast', 'channel:x', 'channel:y', 'channel:z'][next(5)] ?? '', {
          id: 1 + next(LAST),
          from: next(4) === 0 ? `plain ${130 + next(20)}` : 'bound',
          channel: [null, 'x', 'y', 'z'][next(4)] ?? null,
          claimable: next(4) === 0,
        });
        const expected = isRead(said, crowd);
        expect([said, rights.mayRead(said, nobody)]).toEqual([said, expected]);
        read += Number(expected);
        tried += 1;
      }
      const changed = crowd.everybody[130 + next(20)];
      if (!changed) continue;
      changed.intervals = intervalsBy(next);
      changed.provenThrough = next(2) * next(LAST);
      crowd.version += 1;
    }
  }
  expect(read).toBeGreaterThan(tried / 10);
  expect(read).toBeLessThan((tried * 9) / 10);
});

test('a group is walked once for what was said to it, and not for each message', () => {
  const joinedLater = new Map([['tag:big', [{ fromSeq: LAST, untilSeq: null }]]]);
  const member = (agentId: string) => ({ agentId, intervals: joinedLater, provenThrough: 0, agent: null });
  const crowd = new Crowd(Array.from({ length: 1_000 }, (_, index) => member(`plain ${index}`)));
  const { mayRead } = rightsOf({ type: 'program', principal: anonymous }, crowd);
  for (let id = 1; id < LAST; id += 1) expect(mayRead(saidTo('tag:big', { id }), nobody)).toBe(false);
  expect(crowd.asked).toBeLessThan(1_000 + LAST * 20);
  expect(mayRead(saidTo('tag:big', { id: LAST }), nobody)).toBe(true);
});
