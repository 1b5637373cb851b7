import { runCli } from '../../src/cli/run-cli.ts';
import type { TestRelay } from '../../src/testing.ts';

/** One command line as the owner, in an empty home, with what it printed. Behind a `--` nothing is an option. */
export async function agentRelay(relay: TestRelay, ...args: string[]) {
  const out: string[] = [];
  const notes: string[] = [];
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  const code = await runCli([...args.slice(0, end), '--url', relay.url, '--token', relay.ownerToken, ...args.slice(end)], {
    env: { HOME: '/nonexistent' },
    cwd: '/',
    signal: new AbortController().signal,
    out: (line) => out.push(line),
    note: (line) => notes.push(line),
    ask: null,
  });
  return { code, out: out.join('\n'), notes: notes.join('\n') };
}
