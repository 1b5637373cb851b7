import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { endLeftBehind, ProcessNote, SESSION_FOLDER } from './process-note.ts';

test("a note of a session that is gone removes that session's own folder, and no other that it may name", async () => {
  const state = mkdtempSync(join(tmpdir(), 'process-note-'));
  const own = mkdtempSync(join(tmpdir(), SESSION_FOLDER));
  const others = [join(state, 'work'), join(state, 'codex-relay-x')];
  const notes = join(state, 'agent-relay', 'codex-relay-processes');
  for (const folder of [...others, notes]) mkdirSync(folder, { recursive: true });
  const named = [own, ...others, `${own}/../${others[0]?.slice(tmpdir().length + 1)}`];
  named.forEach((folder, at) => {
    const owner = { pid: 2 ** 30, startedAt: 'long ago' };
    writeFileSync(join(notes, `${at}.json`), JSON.stringify({ owner, folder, processes: [] }));
  });
  await endLeftBehind({ XDG_STATE_HOME: state });
  expect([own, ...others].map(existsSync)).toEqual([false, true, true]);
  rmSync(state, { recursive: true });
});

test('where nothing can be written there is no note, and no harm', async () => {
  const state = mkdtempSync(join(tmpdir(), 'process-note-'));
  const file = join(state, 'a-file');
  writeFileSync(file, '');
  expect(await ProcessNote.begin({ XDG_STATE_HOME: file }, '/nowhere')).toBeNull();
  const note = await ProcessNote.begin({ XDG_STATE_HOME: state }, '/nowhere');
  rmSync(state, { recursive: true });
  writeFileSync(state, '');
  note?.add({ pid: process.pid, startedAt: 'now' });
  note?.end();
  rmSync(state);
});
