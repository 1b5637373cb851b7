import { mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { RefusedCommands } from './refused-commands.ts';

test('refused commands are told in the order in which they were begun, whatever their ids, and once', () => {
  const home = mkdtempSync(join(tmpdir(), 'codex-refused-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const commands = new RefusedCommands({ XDG_STATE_HOME: home }, 'thread');
  for (const [second, id] of ['b', 'd', 'a', 'c'].entries()) {
    commands.begun(id, `${id} is begun`);
    utimesSync(join(home, 'agent-relay', 'codex-sessions', 'thread', 'commands', id), second, second);
  }
  commands.ended('d', 'done');
  expect([commands.take(), commands.take()]).toEqual([['b is begun', 'a is begun', 'c is begun'], []]);
});
