import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { claudeSandboxFiles } from './sandbox-files.ts';

test('conversations of a folder that shares its project with another are not to be seen there', () => {
  const home = mkdtempSync(join(tmpdir(), 'agent-relay-sandbox-files-'));
  try {
    const project = join(home, '.claude', 'projects', '-a-b-c');
    const writable = (cwd: string) => claudeSandboxFiles({ cwd, env: { HOME: home } }).write;
    expect(writable('/a/b-c')).toEqual([project]);
    mkdirSync(project, { recursive: true });
    const conversation = (cwd: string) =>
      `${JSON.stringify({ type: 'summary' })}\n${JSON.stringify({ type: 'user', cwd, sessionId: 's' })}\n`;
    writeFileSync(join(project, 'one.jsonl'), conversation('/a/b-c'));
    expect(writable('/a/b-c')).toEqual([project]);
    expect(writable('/a-b/c')).toEqual([]);
    writeFileSync(join(project, 'two.jsonl'), conversation('/a-b/"c'));
    expect(writable('/a/b-c')).toEqual([]);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

test.runIf(process.platform !== 'win32')('a pipe that a session left among its conversations is not waited for', () => {
  const home = mkdtempSync(join(tmpdir(), 'agent-relay-sandbox-files-'));
  try {
    const project = join(home, '.claude', 'projects', '-a-b-c');
    mkdirSync(project, { recursive: true });
    execFileSync('mkfifo', [join(project, 'one.jsonl')]);
    // In a process of its own: whoever waits in there answers nothing any more.
    const place = JSON.stringify({ cwd: '/a/b-c', env: { HOME: home } });
    const script = `import { claudeSandboxFiles } from ${JSON.stringify(new URL('./sandbox-files.ts', import.meta.url).href)};
      console.log(JSON.stringify(claudeSandboxFiles(${place}).write));`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 30_000, encoding: 'utf8' });
    expect(stdout).toBe(`${JSON.stringify([project])}\n`);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
