import type { InboxItem } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import type { InboxFrame } from './inbox-frames.ts';
import { MailDesk } from './mail-desk.ts';
import type { Trace } from './transcript.ts';

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
function desk({ pushedAs = null as string | null } = {}) {
  let now = 0;
  let trace: Trace = 'absent';
  const frames: InboxFrame[] = [];
  const taken: number[] = [];
  const read: number[] = [];
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
      tracesOf: async (ids) => new Map(ids.map((id) => [id, trace])),
      read: (ids) => void read.push(...ids),
    },
    conversation: () => here,
    now: () => now,
    onSeen: () => {},
    onRefused: () => {},
  });
  /** So much later somebody looks. */
  const look = async (ms: number) => {
    now += ms;
    await made.retry();
    await new Promise(setImmediate);
  };
  /** What the conversation says of every message from now on. */
  const says = (said: Trace) => {
    trace = said;
  };
  return { desk: made, frames, taken, read, look, says };
}

test('what a session at rest has not taken in, and its conversation knows nothing of, is pushed again, until it has', async () => {
  const { desk: made, frames, look } = desk();
  made.add([mail]);
  await look(20_000);
  expect(frames).toHaveLength(1);
  await look(1);
  expect(frames).toHaveLength(2);
  expect(frames[1]?.id).not.toBe(frames[0]?.id);
  made.takeIn(frames[1]?.text ?? '', here);
  // The relay offers it until it hears more.
  expect(made.add([mail])).toBe(false);
  await look(60_000);
  expect([frames.length, made.isEmpty]).toEqual([2, true]);
});

test.each(['queued', 'unknown'] as const)('what is %s for Claude Code is not pushed again, however long it takes', async (trace) => {
  const { desk: made, frames, look, says } = desk();
  made.add([mail]);
  says(trace);
  for (let hours = 0; hours < 5; hours += 1) await look(3_600_000);
  expect(frames).toHaveLength(1);
  says('absent');
  await look(20_001);
  expect(frames).toHaveLength(2);
});

test('what came into the conversation without a hook that said so is not pushed again', async () => {
  const { desk: made, frames, taken, read, look, says } = desk();
  made.add([mail]);
  says('entered');
  await look(20_001);
  expect([taken, made.isEmpty]).toEqual([[1], true]);
  const another = desk();
  another.desk.add([mail]);
  another.says('answered');
  await another.look(20_001);
  expect([another.read, another.desk.isEmpty]).toEqual([[1], true]);
  expect([frames.length, another.frames.length, read]).toEqual([1, 1, []]);
});

test('what the session says it dropped is looked for, for an earlier copy may be there; what its user is asked about is left alone', async () => {
  const { desk: made, frames, look, says } = desk();
  made.add([mail]);
  await look(0);
  says('queued');
  made.statusOf(frames[0]?.id, 'dropped', 'rate-limited');
  await look(1_000);
  expect(frames).toHaveLength(1);
  says('absent');
  made.statusOf(frames[0]?.id, 'dropped', 'rate-limited');
  await look(1_000);
  expect(frames).toHaveLength(2);
  made.statusOf(frames[1]?.id, 'held', undefined);
  await look(3_600_000);
  expect(frames).toHaveLength(2);
  made.statusOf(frames[1]?.id, 'expired', undefined);
  await look(1_000);
  expect(frames).toHaveLength(3);
});

test('a second copy that comes in all the same is kept from the model, and what came in with it is pushed once more', async () => {
  const { desk: made, frames, taken, look } = desk();
  made.add([mail]);
  await look(20_001);
  expect(frames).toHaveLength(2);
  const other = { ...mail, message: { ...mail.message, id: 2 }, nonce: 'n2' };
  expect(made.takeIn(frames[0]?.text ?? '', here)).toEqual({ taken: [1], isCopy: false });
  made.add([other]);
  await look(0);
  expect(frames).toHaveLength(3);
  expect(made.takeIn(`${frames[1]?.text}\n\n${frames[2]?.text}`, here)).toEqual({ taken: [], isCopy: true });
  expect(taken).toEqual([1]);
  await look(0);
  expect(made.takeIn(frames[3]?.text ?? '', here)).toEqual({ taken: [2], isCopy: false });
  // A person who sends the same words again means it.
  expect(made.takeIn(frames[0]?.text ?? '', here)).toEqual({ taken: [], isCopy: false });
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

test('what an earlier process had pushed may wait for the end of a turn: it is pushed again once one has ended without it, as it was', async () => {
  const { desk: made, frames, look } = desk({ pushedAs: 'before' });
  made.add([mail]);
  await look(3_600_000);
  made.isBusy = false;
  await look(20_000);
  expect(frames).toEqual([]);
  await look(1);
  expect(frames).toHaveLength(1);
  expect(made.takeIn('[end msg:1 peer before]', here)).toEqual({ taken: [1], isCopy: false });
  expect(made.takeIn(frames[0]?.text ?? '', here)).toEqual({ taken: [], isCopy: true });
});
