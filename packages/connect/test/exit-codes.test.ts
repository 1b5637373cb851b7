import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const program = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const run = (args: readonly string[], env = process.env) =>
  new Promise<{ readonly code: unknown; readonly stderr: string }>((resolve) => {
    execFile(process.execPath, ['--conditions=agent-relay-source', program, ...args], { timeout: 120_000, env }, (error, _stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stderr }),
    );
  });
const notHere = process.platform === 'darwin' ? 'bwrap' : 'seatbelt';

test.each([
  [['--version'], 0, ''],
  [['--nonsense'], 2, "unknown option '--nonsense'"],
  [['pair', '--nonsense'], 2, "unknown option '--nonsense'"],
  [['piar'], 2, 'there is no command piar; did you mean pair?'],
  [['start', '--name', 'desk'], 2, 'there is no command start; relay-connect --help'],
  [['--url', 'nowhere'], 2, "option '--url <url>'"],
  [['--socket', 's', '--ca', 'c.pem'], 2, "option '--socket <path>' cannot be used with option '--ca <file>'"],
  // A machine on which every session would be refused says so when it starts.
  [['--sandbox', notHere], 1, notHere],
] as const)('%j ends with %i', async (args, code, words) => {
  expect(await run(args)).toEqual({ code, stderr: expect.stringContaining(words) });
});

test.each([
  [['pair', '--url', 'http://relay.test'], /^warning: The way to http:\/\/relay\.test leads through a proxy .* can read the token\./u],
  [['--url', 'http://relay.test', '--token', 'x', '--grace', '0'], /"msg":"a proxy can read the token of this machine"/u],
] as const)('%j through a proxy says once that it reads along', async (args, words) => {
  const folder = mkdtempSync(join(tmpdir(), 'proxied-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const proxy = 'http://127.0.0.1:1';
  const env = { PATH: process.env['PATH'], HOME: folder, HTTP_PROXY: proxy, http_proxy: proxy };
  const { stderr } = await run(args, env);
  expect(stderr).toMatch(words);
  expect(stderr.match(/read the token\./gu)).toHaveLength(1);
});
