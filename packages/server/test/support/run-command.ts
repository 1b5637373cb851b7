import { runCli } from '../../src/cli/run-cli.ts';
import type { OwnProgram } from '../../src/cli/terminal.ts';
import type { TestRelay } from '../../src/testing.ts';
import { type Outcome, ownCli } from './command.ts';

interface Surroundings {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly program?: OwnProgram | undefined;
}

/** The flags of Node that run our sources. */
const flags = ['--conditions=agent-relay-source'];

/** One command line as `startCommand` runs it, in this process: what a process of its own would print, without its start. */
export async function runHere(args: readonly string[], { env, cwd, program = { flags, path: ownCli } }: Surroundings): Promise<Outcome> {
  let out = '';
  let note = '';
  const code = await runCli(args, {
    ...{ env, cwd, program, ask: null, signal: new AbortController().signal },
    out: (line) => {
      out += `${line}\n`;
    },
    note: (line) => {
      note += `${line}\n`;
    },
  });
  return { code, out, note };
}

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
