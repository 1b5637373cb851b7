import type { InboxItem } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import type { InboxFrame } from './inbox-frames.ts';
import { MailDesk } from './mail-desk.ts';

// As much of it as a frame says.
const mail = {
  message: {
    ...{ id: 1, from: 'Peer', subject: null, body: 'hello', mode: 'next', channel: null },
    ...{ claimable: false, hops: 0, sender: { relation: 'peer' } },
  },
  nonce: 'n1',
} as unknown as InboxItem;

const here = { conversation: 'c', transcript: null };

/** A desk at a session's inbox, and what came there. `pushedAs`: an earlier process had pushed it under this nonce. */
function desk(pushedAs: string | null = null) {
  let now = 0;
  const frames: InboxFrame[] = [];
  const taken: number[] = [];
  const made = new MailDesk({
    inbox: { post: async (posted) => void frames.push(...posted) },
    correspondents: { socketFor: async () => '/reply.sock' },
    entered: {
      has: (id) => taken.includes(id),
      add: (mails) => void taken.push(...mails.map(({ messageId }) => messageId)),
      look: async () => {},
      pushed: () => {},
      pushedAs: () => pushedAs,
      refused: () => {},
    },
    conversation: () => here,
    now: () => now,
    onSeen: () => {},
    onRefused: () => {},
  });
  /** So much later somebody looks. */
  const look = async (ms: number) => {
    now += ms;
    made.retry();
    await new Promise(setImmediate);
  };
  return { desk: made, frames, look };
}

test('what a session at rest has not read is pushed again, until it has', async () => {
  const { desk: made, frames, look } = desk();
  made.add([mail]);
  await look(20_000);
  expect(frames).toHaveLength(1);
  await look(1);
  expect(frames).toHaveLength(2);
  expect(frames[1]?.id).not.toBe(frames[0]?.id);
  made.readIn(frames[1]?.text ?? '', here);
  // The relay offers it until it hears more.
  expect(made.add([mail])).toBe(false);
  await look(60_000);
  expect([frames.length, made.isEmpty]).toEqual([2, true]);
});

test('a turn may take as long as it likes: what waits for its end is given its time from there', async () => {
  const { desk: made, frames, look } = desk();
  made.isBusy = true;
  made.add([mail]);
  await look(3_600_000);
  expect(frames).toHaveLength(1);
  made.isBusy = false;
  await look(20_000);
  expect(frames).toHaveLength(1);
  await look(1);
  expect(frames).toHaveLength(2);
});

test('what an earlier process had pushed may wait for the end of a turn: it is pushed again once one has ended without it, and known under either nonce', async () => {
  const { desk: made, frames, look } = desk('before');
  made.add([mail]);
  await look(3_600_000);
  made.isBusy = false;
  await look(20_000);
  expect(frames).toEqual([]);
  await look(1);
  expect(frames).toHaveLength(1);
  expect(made.readIn('[end msg:1 peer before]', here)).toEqual([1]);
});
