import type { RelayClient } from 'agent-relay-client';
import type { AgentEvent, DeliveryState, RelayEvent } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { judgeAgent, judgeFollower } from './judge.ts';

const read = (...messageIds: number[]): AgentEvent => ({ type: 'user.message', text: 'x', messageIds });
const saw = (messageId: number): AgentEvent => ({ type: 'input.accepted', messageId, evidence: 'echo', state: 'seen' });

interface MadeUp {
  readonly sessions: readonly (readonly AgentEvent[])[];
  readonly receipts: readonly (readonly [state: DeliveryState, reason: string | null])[];
  /** The number that the first session begins with. */
  readonly from?: number;
}

/** What the judge says of an agent to which messages 1, 2, … were sent, one for each receipt. */
function judged({ sessions, receipts, from = 1 }: MadeUp): Promise<readonly string[]> {
  const data = sessions.flatMap((events, session) =>
    events.map((event, index) => ({ sessionId: `s${session}`, seq: index + (session === 0 ? from : 1), event })),
  );
  const deliveries = async ({ id }: { readonly id: number }) => {
    const [state, reason] = receipts[id - 1] ?? [];
    return { data: [{ messageId: id, agentId: 'Worker', state, reason }] };
  };
  const client = { agents: { activity: async () => ({ data }) }, messages: { deliveries } };
  // Only what the judge asks for is there.
  return judgeAgent(
    client as unknown as RelayClient, // it is asked for nothing but these lists
    'Worker',
    receipts.map((_, index) => index + 1),
  );
}

test.each<[what: string, story: MadeUp, violations: readonly string[]]>([
  [
    'mail that a killed session had comes again in the next',
    {
      sessions: [
        [read(1), saw(1), read(2)],
        [read(2), saw(2)],
      ],
      receipts: [
        ['seen', null],
        ['answered', null],
      ],
    },
    [],
  ],
  [
    'a turn that was killed with its session',
    {
      sessions: [[read(1)], [read(2), saw(2)]],
      receipts: [
        ['delivered', 'its session ended'],
        ['seen', null],
      ],
    },
    [],
  ],
  [
    'a turn that was killed with its session, and its sender waits for ever',
    {
      sessions: [[read(1)], [read(2), saw(2)]],
      receipts: [
        ['delivered', null],
        ['seen', null],
      ],
    },
    ['message 1 is delivered (null), and Worker did not see it'],
  ],
  [
    'a turn that nobody killed',
    { sessions: [[read(1)]], receipts: [['delivered', 'said too early']] },
    ['message 1 is delivered (said too early), and Worker did not see it'],
  ],
  [
    'a receipt that says too much',
    { sessions: [[read(1)]], receipts: [['seen', null]] },
    ['message 1 is seen (null), and Worker did not see it'],
  ],
  [
    'a receipt that says too little',
    { sessions: [[read(1), saw(1)]], receipts: [['delivered', null]] },
    ['message 1 is delivered (null), and Worker saw it'],
  ],
  [
    'a message twice',
    { sessions: [[read(1), saw(1), read(1)]], receipts: [['seen', null]] },
    ['Worker read message 1 twice in one session'],
  ],
  [
    'a message out of order',
    {
      sessions: [[read(2, 1), saw(1), saw(2)]],
      receipts: [
        ['seen', null],
        ['seen', null],
      ],
    },
    ['Worker was sent 1,2 and read 2,1'],
  ],
  ['activity that is lost', { sessions: [[read(1), saw(1)]], receipts: [['seen', null]], from: 2 }, ['session s0 of Worker told 2,3']],
])('%s: %j', async (_, story, violations) => {
  expect(await judged(story)).toEqual(violations);
});

test('a follower that misses, doubles or turns round events is found, and so is a log that does', () => {
  const events = (...numbers: number[]) => numbers.map((seq) => ({ seq, type: 'agent.updated' }) as RelayEvent); // what the judge looks at
  expect(judgeFollower(events(1, 2, 3), events(1, 2, 3))).toEqual([]);
  for (const followed of [events(1, 3), events(1, 2, 2, 3), events(2, 1, 3), events(1, 2)])
    expect(judgeFollower(followed, events(1, 2, 3))).toHaveLength(1);
  expect(judgeFollower(events(1, 3, 2), events(1, 3, 2))).toEqual(['the log has event 2 behind a later one']);
});
