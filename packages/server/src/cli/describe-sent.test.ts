import type { SentMessage } from 'agent-relay-protocol';
import { expect, it } from 'vitest';
import { describeSent } from './describe-sent.ts';

const sent = (matched: number, offline: number) =>
  // Only what the line is made of.
  describeSent({ id: 7, to: 'tag:x', matched, offline } as SentMessage);

it('says whom a send reached, and who of them is not there', () => {
  expect([sent(1, 0), sent(1, 1), sent(3, 1), sent(0, 0)]).toEqual([
    '[msg:7] to tag:x: reached 1 agent',
    '[msg:7] to tag:x: reached 1 agent, offline now: it waits there, and starts an agent that mail wakes',
    '[msg:7] to tag:x: reached 3 agents, 1 of them offline now: it waits there, and starts an agent that mail wakes',
    '[msg:7] to tag:x: reached 0 agents',
  ]);
});
