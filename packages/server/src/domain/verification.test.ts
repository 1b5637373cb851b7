import type { Message, Sender } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { verify } from './verification.ts';

const said = (sender: Sender) => {
  const message = { id: 7, from: 'anna', to: 'id:b', sender, createdAt: 1, hops: 0, threadId: 7, deletedAt: null } as Message; // what is looked at
  const { isProven, isPerson, verdict } = verify({ message, root: null, isForYou: null, bodySha256: '' });
  return { isProven, isPerson, verdict };
};

test('what a person beside the owner writes is the word of a person, and not of an agent', () => {
  expect(said({ relation: 'peer', principal: 'person:anna' })).toEqual({
    isProven: true,
    isPerson: true,
    verdict: 'person:anna, a person, wrote message 7; their own credential proves it.',
  });
});

test.each([
  { relation: 'peer', principal: 'agent:person' },
  { relation: 'peer', principal: 'person:' },
  { relation: 'claimed', principal: 'person:anna' },
  { relation: 'claimed', principal: 'owner' },
  { relation: 'channel', principal: 'person:anna' },
  { relation: 'channel', principal: 'owner' },
] as const)('%o is no word of a person', (sender) => expect(said(sender).isPerson).toBe(false));
