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
const notHere = process.platform === 'darwin' ? 'bwrap' : 'seatbelt';

test.each([
  [['--version'], 0, ''],
  [['--nonsense'], 2, "unknown option '--nonsense'"],
  [['pair', '--nonsense'], 2, "unknown option '--nonsense'"],
  [['piar'], 2, 'there is no command piar; did you mean pair?'],
  [['start', '--name', 'desk'], 2, 'there is no command start; relay-connect --help'],
  [['--url', 'nowhere'], 2, "option '--url <url>'"],
  // A machine on which every session would be refused says so when it starts.
  [['--sandbox', notHere], 1, notHere],
] as const)('%j ends with %i', async (args, code, words) => {
  expect(await run(args)).toEqual({ code, stderr: expect.stringContaining(words) });
});
