import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { fileRules } from './architecture/file-rules.ts';
import { folderRules } from './architecture/folder-rules.ts';
import { packageRules } from './architecture/package-rules.ts';
import { loadWorkspace } from './architecture/workspace.ts';

const workspace = loadWorkspace(fileURLToPath(new URL('..', import.meta.url)));

test('the rules see the sources of every package', () => {
  const seen = new Set(workspace.files.map((file) => file.package.folder));
  const unseen = workspace.packages.map(({ folder }) => folder).filter((folder) => !seen.has(folder));
  expect(unseen).toEqual([]);
});

for (const rule of [...packageRules, ...folderRules, ...fileRules]) {
  test(rule.claim, () => expect(rule.violations(workspace)).toEqual([]));
}
