import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assertHarmless, type FolderOfSession } from './harmful-folder.ts';

let home: string;
beforeAll(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'harmful-')));
  for (const name of ['.agent-relay/node/workspaces/Worker-1', '.claude/worktrees/fix/src', '.ssh', 'src/app/.git/hooks', 'rules'])
    mkdirSync(join(home, name), { recursive: true });
  writeFileSync(join(home, '.agent-relay/node.yaml'), '{}');
  writeFileSync(join(home, 'rules/node.yaml'), '{}');
  symlinkSync(join(home, 'rules/node.yaml'), join(home, 'linked.yaml'));
});
afterAll(() => rmSync(home, { recursive: true }));

const refusalOf = (cwd: string, over: Partial<FolderOfSession> = {}) =>
  assertHarmless({
    ...{ cwd: join(home, cwd), mode: 'agentic', isInSandbox: false, workspacesFolder: join(home, '.agent-relay/node/workspaces') },
    ...{ listed: [], ownersFiles: [], ...over },
  }).then(
    () => null,
    (error: unknown) => error,
  );
const refused = (words: string) => expect.objectContaining({ code: 'forbidden', message: expect.stringContaining(words) });

test.each([
  ['.ssh', '.ssh'],
  ['.agent-relay', '.agent-relay'],
  ['.claude', '.claude'],
  ['.claude/worktrees', '.claude'],
  ['src/app/.git/hooks', '.git'],
])('an agent that is held to its folder does not work in %s, where what it writes is run', async (cwd, part) => {
  expect(await refusalOf(cwd)).toEqual(refused(`lies in ${part}`));
  expect(await refusalOf(cwd, { mode: 'unrestricted', isInSandbox: true })).toEqual(refused(`lies in ${part}`));
  expect(await refusalOf(cwd, { mode: 'unrestricted' })).toBeNull();
  expect(await refusalOf(cwd, { mode: 'safe' })).toBeNull();
  expect(await refusalOf(cwd, { listed: [home] })).toEqual(refused(`lies in ${part}`));
  expect(await refusalOf(cwd, { listed: [join(home, cwd)] })).toBeNull();
});

test('it works in projects, in work trees wherever they lie, and in fresh folders', async () => {
  for (const cwd of ['', 'src/app', '.claude/worktrees/fix', '.claude/worktrees/fix/src', '.agent-relay/node/workspaces/Worker-1'])
    expect(await refusalOf(cwd)).toBeNull();
});

test('it works in no folder that holds what it is held to, nor in one of the machine’s own, also where that is listed', async () => {
  const ownersFiles = [join(home, 'linked.yaml'), join(home, '.agent-relay/node')];
  const over = { ownersFiles, listed: [home, join(home, 'rules'), join(home, '.agent-relay/node')] };
  for (const cwd of ['', 'rules']) expect(await refusalOf(cwd, over)).toEqual(refused(`holds ${ownersFiles[0]}`));
  expect(await refusalOf('.agent-relay/node', over)).toEqual(refused('holds'));
  expect(await refusalOf('src/app', over)).toBeNull();
  expect(await refusalOf('.agent-relay/node/workspaces/Worker-1', over)).toBeNull();
  expect(await refusalOf('', { ...over, mode: 'unrestricted' })).toBeNull();
});
