import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findTranscript, lookInTranscript } from './transcript.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'transcript-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const end = (id: number) => `[end msg:${id} peer n${id}]`;
const queue = (operation: string, id?: number) => ({ type: 'queue-operation', operation, ...(id ? { content: end(id) } : {}) });
const enqueue = (id: number) => queue('enqueue', id);
const dequeue = queue('dequeue');
const prompt = (id: number) => ({ type: 'user', message: { role: 'user', content: end(id) } });
const answer = { type: 'assistant', message: { id: 'm1', model: 'claude', content: [] } };

/** What a conversation of these lines says of the messages 1, 2 and 3. */
async function traces(...lines: readonly object[]) {
  const path = join(folder, 'c1.jsonl');
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return lookInTranscript(path, ['n1]', 'n2]', 'n3]']);
}

test('what is in the queue waits there, and what has left it does not: it was taken out, or is about to come in', async () => {
  expect(await traces(enqueue(1), enqueue(2))).toEqual(['queued', 'queued', 'absent']);
  expect(await traces(enqueue(1), enqueue(2), dequeue)).toEqual(['absent', 'queued', 'absent']);
  expect(await traces(enqueue(1), enqueue(2), queue('remove', 2))).toEqual(['queued', 'absent', 'absent']);
  expect(await traces(enqueue(1), enqueue(2), queue('remove'), enqueue(3))).toEqual(['absent', 'queued', 'queued']);
  expect(await traces(enqueue(1), enqueue(2), queue('popAll'))).toEqual(['absent', 'absent', 'absent']);
});

test('what has come in counts as that, whatever became of a copy', async () => {
  expect(await traces(enqueue(1), dequeue, prompt(1), enqueue(1), enqueue(2))).toEqual(['entered', 'queued', 'absent']);
  expect(await traces(dequeue, prompt(1), answer, { type: 'system', content: end(2) }, enqueue(3))).toEqual([
    'answered',
    'absent',
    'queued',
  ]);
});

test('a conversation that is not written yet is another thing than one that cannot be read', async () => {
  expect(await lookInTranscript(join(folder, 'none.jsonl'), ['n1]'])).toEqual(['unwritten']);
  expect(await lookInTranscript(null, ['n1]'])).toEqual(['unwritten']);
  expect(await lookInTranscript(folder, ['n1]'])).toEqual(['unknown']);
});

test('a conversation is found by its name in whichever project it lies', async () => {
  await traces();
  expect(findTranscript('c1', join(folder, '..'))).toContain('c1.jsonl');
  expect([findTranscript('c2', join(folder, '..')), findTranscript('../c1', folder), findTranscript('c1', join(folder, 'none'))]).toEqual([
    null,
    null,
    null,
  ]);
});
