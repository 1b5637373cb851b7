import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const program = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const run = (args: readonly string[]) =>
  new Promise<{ readonly code: unknown; readonly stderr: string }>((resolve) => {
    execFile(process.execPath, ['--conditions=agent-relay-source', program, ...args], { timeout: 120_000 }, (error, _stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stderr }),
    );
  });

test.each([
  [['--version'], 0, ''],
  [['--nonsense'], 2, "unknown option '--nonsense'"],
  [['--port', 'abc'], 2, "option '-p, --port <port>'"],
  [['--sandbox', 'foo'], 2, "option '--sandbox <kind>'"],
] as const)('%j ends with %i', async (args, code, words) => {
  expect(await run(args)).toEqual({ code, stderr: expect.stringContaining(words) });
});
