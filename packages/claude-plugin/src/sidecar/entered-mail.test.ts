import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EnteredMail } from './entered-mail.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'entered-mail-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const note = () => join(folder, 'note.json');
const transcript = () => join(folder, 'transcript.jsonl');
const writes = (...lines: readonly object[]) => writeFileSync(transcript(), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));

const end = (id: number) => `[end msg:${id} peer n${id}]`;
const prompt = (...ids: readonly number[]) => ({ type: 'user', message: { role: 'user', content: ids.map(end).join('\n') } });
const context = (id: number) => ({ type: 'attachment', attachment: { type: 'hook_additional_context', content: [end(id)] } });
const answer = (id = 'm1', model = 'claude') => ({ type: 'assistant', message: { id, model, content: [] } });
const queued = (id: number) => ({ type: 'queue-operation', operation: 'enqueue', content: end(id) });

/** One process of the plugin beside one of Claude Code. */
function life({ claudePid = 1, conversation = 'c1', found = null as string | null } = {}) {
  const told: unknown[] = [];
  const mail = new EnteredMail({
    path: note(),
    claudePid,
    conversation,
    findTranscript: () => found,
    onRead: (ids) => told.push(['read', ...ids]),
    onLost: (ids, reason) => told.push(['lost', ...ids, reason]),
    onFault: (error) => told.push(error),
  });
  const takes = (ids: readonly number[], { byTool = false } = {}) =>
    mail.add(
      ids.map((messageId) => ({ messageId, nonce: byTool ? null : `n${messageId}` })),
      { conversation: 'c1', transcript: transcript() },
      { byTool },
    );
  return { mail, told, takes };
}

const nobodyKnows = expect.stringContaining('nobody knows whether its model has read it');

test('what was taken in is read once the model uses a tool, or stops, and is noted until then', async () => {
  const { mail, told, takes } = life();
  writes(prompt(1));
  takes([1]);
  await mail.look();
  expect([told, mail.has(1), existsSync(note())]).toEqual([[], true, true]);
  await mail.answered('tool');
  expect([told, mail.has(1), existsSync(note())]).toEqual([[['read', 1]], false, false]);
});

test('the answer of a tool is read once the model has stopped: another tool may begin before', async () => {
  const { mail, told, takes } = life();
  writes(prompt(1));
  takes([1], { byTool: true });
  await mail.answered('tool');
  expect(told).toEqual([]);
  await mail.answered('stop');
  expect(told).toEqual([['read', 1]]);
});

test('what Claude Code writes a little later is read then; what never comes into its conversation was kept out of it', async () => {
  const { mail, told, takes } = life();
  writes(queued(1), queued(2));
  takes([1, 2]);
  await mail.answered('stop');
  expect(told).toEqual([]);
  writes(queued(1), queued(2), prompt(1), answer());
  await mail.look();
  expect(told).toEqual([['read', 1]]);
  for (let looks = 0; looks < 40; looks += 1) await mail.look();
  expect(told.slice(1)).toEqual([['lost', 2, expect.stringContaining('did not keep it in its conversation')]]);
});

test('after a kill the next process reads what became of it in the conversation: answered, there and still to be answered, or unknown', async () => {
  life().takes([1, 2, 3, 4]);
  writes(prompt(1), answer('m1'), prompt(2), answer('m2', '<synthetic>'), context(4), queued(3));
  const { mail, told } = life({ claudePid: 2 });
  await mail.recover();
  expect(told).toEqual([
    ['read', 1],
    ['lost', 3, nobodyKnows],
  ]);
  await mail.answered('stop');
  expect(told.slice(2)).toEqual([['read', 2, 4]]);
  expect(existsSync(note())).toBe(false);
});

test('after a kill nobody knows of what is not in the conversation that goes on, or of one that cannot be read', async () => {
  life().takes([1]);
  writes(prompt(1));
  const another = life({ claudePid: 2, conversation: 'c2' });
  await another.mail.recover();
  expect(another.told).toEqual([['lost', 1, nobodyKnows]]);
  life().takes([1]);
  rmSync(transcript());
  const { mail, told } = life({ claudePid: 2 });
  await mail.recover();
  expect(told).toEqual([['lost', 1, nobodyKnows]]);
});

test('where the process beside it was killed alone, what was taken in goes on', async () => {
  life().takes([1]);
  const { mail, told } = life();
  await mail.recover();
  expect([told, mail.has(1)]).toEqual([[], true]);
  await mail.answered('stop');
  expect(told).toEqual([['read', 1]]);
});

test('what was only pushed is known to the same Claude Code, and waits again for the next one that has nothing of it', async () => {
  const { mail, takes } = life();
  const where = { conversation: 'c1', transcript: transcript() };
  const pushed = [1, 2, 3].map((messageId) => ({ messageId, nonce: `n${messageId}` }));
  mail.pushed(pushed, where);
  await mail.answered('stop');
  const same = life();
  await same.mail.recover();
  expect([1, 2, 3].map((id) => same.mail.pushedAs(id))).toEqual(['n1', 'n2', 'n3']);
  expect(same.told).toEqual([]);
  takes([1]);
  writes(prompt(2), answer(), prompt(3), queued(1));
  const next = life({ claudePid: 2 });
  await next.mail.recover();
  expect(next.told).toEqual([
    ['read', 2],
    ['lost', 1, nobodyKnows],
  ]);
  expect([next.mail.pushedAs(3), next.mail.has(3)]).toEqual([null, true]);
});

test('what was pushed, and is nowhere in the conversation that goes on, waits again', async () => {
  const { mail } = life();
  mail.pushed([{ messageId: 1, nonce: 'n1' }], { conversation: 'c1', transcript: transcript() });
  writes(queued(1));
  const { mail: next, told } = life({ claudePid: 2 });
  await next.recover();
  expect([told, next.pushedAs(1), next.has(1), existsSync(note())]).toEqual([[], null, false, false]);
});

test('what was pushed before any hook named the conversation is looked for in its file; where that cannot be read nobody knows', async () => {
  const early = { conversation: 'c1', transcript: null };
  life().mail.pushed([{ messageId: 1, nonce: 'n1' }], early);
  writes(prompt(1), answer());
  const next = life({ claudePid: 2, found: transcript() });
  await next.mail.recover();
  expect(next.told).toEqual([['read', 1]]);
  life().mail.pushed([{ messageId: 1, nonce: 'n1' }], early);
  const unreadable = life({ claudePid: 2, found: folder });
  await unreadable.mail.recover();
  expect(unreadable.told).toEqual([['lost', 1, nobodyKnows]]);
  life().mail.pushed([{ messageId: 1, nonce: 'n1' }], early);
  const unwritten = life({ claudePid: 2 });
  await unwritten.mail.recover();
  expect([unwritten.told, unwritten.mail.has(1)]).toEqual([[], false]);
});

test('what was pushed is looked for in the conversation that it was pushed to and in the one that the session is in now', async () => {
  const { mail } = life();
  const later = { conversation: 'c2', transcript: join(folder, 'later.jsonl') };
  mail.pushed([{ messageId: 1, nonce: 'n1' }], { conversation: 'c1', transcript: transcript() });
  mail.pushed([{ messageId: 2, nonce: 'n2' }], later);
  expect([...(await mail.tracesOf([1, 2, 3], later))]).toEqual([
    [1, 'unwritten'],
    [2, 'unwritten'],
  ]);
  writes(queued(1), queued(2));
  expect([...(await mail.tracesOf([1, 2], later))]).toEqual([
    [1, 'queued'],
    [2, 'unwritten'],
  ]);
  writeFileSync(later.transcript, `${JSON.stringify(prompt(1, 2))}\n${JSON.stringify(answer())}\n`);
  expect([...(await mail.tracesOf([1, 2], later))]).toEqual([
    [1, 'answered'],
    [2, 'answered'],
  ]);
});

test('the rest of the same answer is no answer to what one of its tools said', async () => {
  life().takes([1], { byTool: true });
  writes(answer('m1'), prompt(1), answer('m1'));
  const { mail, told } = life({ claudePid: 2 });
  await mail.recover();
  expect(told).toEqual([]);
  writes(answer('m1'), prompt(1), answer('m1'), answer('m2'));
  const third = life({ claudePid: 3 });
  await third.mail.recover();
  expect(third.told).toEqual([['read', 1]]);
});

test('a note that cannot be read, or written, stops nothing; the fault is told once', async () => {
  writeFileSync(note(), '{"half');
  const { mail, told, takes } = life();
  await mail.recover();
  rmSync(folder, { recursive: true, force: true });
  writeFileSync(folder, '');
  takes([1]);
  takes([2]);
  await mail.answered('stop');
  expect(told).toEqual([expect.any(Error), ['read', 1, 2]]);
});
