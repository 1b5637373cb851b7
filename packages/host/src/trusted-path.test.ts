import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { trustedPath } from './trusted-path.ts';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'path-')));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('no program is looked for where an agent may write one', () => {
  const [project, bin, link] = [join(folder, 'project'), join(folder, 'bin'), join(folder, 'link')];
  for (const path of [join(project, 'tools'), join(folder, 'node_modules', '.bin'), bin]) mkdirSync(path, { recursive: true });
  symlinkSync(join(project, 'tools'), link);
  symlinkSync(join(folder, 'node_modules', '.bin'), join(folder, 'packages'));
  const planted = [
    '/gone/node_modules/.bin',
    '/gone/node_modules/.bin/',
    join(folder, 'packages'),
    project,
    join(project, 'tools'),
    link,
    '',
    '.',
    'bin',
  ];
  expect(trustedPath([...planted, bin, '/usr/bin', `${project}-b`].join(':'), [project])).toBe([bin, '/usr/bin', `${project}-b`].join(':'));
});
