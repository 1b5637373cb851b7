import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const program = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const run = (args: readonly string[]) =>
  new Promise<{ readonly code: unknown; readonly stdout: string; readonly stderr: string }>((resolve) => {
    execFile(process.execPath, ['--conditions=agent-relay-source', program, ...args], { timeout: 120_000 }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });

test.each([
  [['--version'], 0, ''],
  [['--nonsense'], 2, "unknown option '--nonsense'"],
  [['--port', 'abc'], 2, "option '-p, --port <port>'"],
  [['--sandbox', 'foo'], 2, "option '--sandbox <kind>'"],
] as const)('%j ends with %i', async (args, code, words) => {
  expect(await run(args)).toMatchObject({ code, stderr: expect.stringContaining(words) });
});

test('--help says what an option is by itself in words', async () => {
  const { code, stdout } = await run(['--help']);
  expect([code, stdout]).toEqual([0, expect.stringContaining('(default: any with the token)')]);
  expect(stdout).not.toMatch(/default: (?:\[|true|false)/u);
});
