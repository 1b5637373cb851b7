import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentEvent } from 'agent-relay-protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withLinkedFiles } from './linked-files.ts';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'linked-')));
  mkdirSync(join(folder, 'src'));
  symlinkSync('src', join(folder, 'door'));
  symlinkSync('nowhere', join(folder, 'dangling'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const asked = (over: object): AgentEvent => ({
  type: 'approval.requested',
  approvalId: 'a',
  kind: 'edit',
  title: 'Edit',
  cwd: folder,
  options: [{ id: 'allow', label: 'Allow', outcome: 'allow' }],
  ...over,
});

test.each<[string, object, readonly string[]]>([
  ['an edit', { input: { file_path: 'door/new/a.ts' } }, ['src/new/a.ts']],
  ['a command', { kind: 'execute', input: { command: 'rm -r door && touch door/x' } }, ['src/', 'src/x']],
])('%s through a link says where that leads', (_, over, files) => {
  expect(withLinkedFiles(asked(over))).toEqual({ ...asked(over), linkedFiles: files.map((file) => `${folder}/${file}`) });
});

test.each<[string, object]>([
  ['without links', { input: { file_path: 'src/a.ts' } }],
  ['through one that leads nowhere', { input: { file_path: 'dangling' } }],
  ['that nobody is asked', { options: [], input: { file_path: 'door/a.ts' } }],
  ['that names no file', { kind: 'other', input: 'text' }],
])('a question %s stays as it is', (_, over) => expect(withLinkedFiles(asked(over))).toEqual(asked(over)));
