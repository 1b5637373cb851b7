import { messageOf, RelayError } from 'agent-relay-protocol';
import { printable, withTimeout } from 'agent-relay-wire';
import { findExecutable, lastWords, spawnProcess } from 'agent-relay-wire/node';
import type { ProviderAvailability } from '../contract.ts';
import { printedBy } from './printed-by.ts';

type Environment = Readonly<Record<string, string>>;

/** What is known of a vendor's program before it runs. */
export interface VendorProgram {
  /** What people call it: `Claude Code`. */
  readonly name: string;
  /** A path, or a name that is looked up in the session's `PATH`. */
  readonly command: string;
  /** How it is installed, as the end of a sentence: "install it …". */
  readonly install: string;
  /** Where the program itself lies, when what is found under the command is only a wrapper. Default `findExecutable`. */
  readonly find?: (command: string, env: Environment) => Promise<string | undefined>;
  /** How long it may take to say its version. Default 30 000: on a busy machine Gemini CLI takes half of it. */
  readonly versionTimeoutMs?: number;
}

/** Where the program lies. @throws RelayError `provider_unavailable` with how to install it. */
export async function findProgram(program: VendorProgram, env: Environment): Promise<string> {
  const path = await pathOf(program, env);
  if (path === undefined) throw new RelayError('provider_unavailable', notInstalled(program));
  return path;
}

/** Asks the program for its version, as `Provider.detect` does: there are installations that are only a stub. Never throws. */
export async function detectProgram(program: VendorProgram, env: Environment): Promise<ProviderAvailability> {
  let path: string | undefined;
  try {
    path = await pathOf(program, env);
    if (path === undefined) return { available: false, reason: notInstalled(program) };
    return await askVersion(program, path, env);
  } catch (error) {
    return doesNotRun(program, path ?? program.command, messageOf(error));
  }
}

/** Of what a program printed, in a sentence. */
const MAX_QUOTED = 80;

const pathOf = ({ command, find = (name, env) => findExecutable(name, { env }) }: VendorProgram, env: Environment) => find(command, env);

function notInstalled({ name, command, install }: VendorProgram): string {
  if (!/[/\\]/u.test(command)) return `${name} is not installed on this machine; install it ${install}`;
  return `${name} is not installed at ${command}; install it ${install}, or name the right file`;
}

const doesNotRun = ({ name, install }: VendorProgram, path: string, why: string): ProviderAvailability => ({
  available: false,
  reason: `${name} at ${path} does not run (${why}); install it again ${install}`,
});

async function askVersion(program: VendorProgram, path: string, env: Environment): Promise<ProviderAvailability> {
  const what = `answer of ${program.command} --version`;
  const { printed, words } = await withTimeout((signal) => versionSaid(path, env, signal), program.versionTimeoutMs ?? 30_000, { what });
  const version = /\d+\.\d+\S*/u.exec(printed)?.[0];
  if (version !== undefined) return { available: true, version, command: path };
  const [line = ''] = printed.trim().split('\n', 1);
  const said = line === '' ? 'it printed no version' : `it printed "${printable(line).slice(0, MAX_QUOTED)}" and no version`;
  return doesNotRun(program, path, words.split('\n', 1)[0] || said);
}

async function versionSaid(
  path: string,
  env: Environment,
  signal: AbortSignal,
): Promise<{ readonly printed: string; readonly words: string }> {
  const child = await spawnProcess({ command: path, args: ['--version'], env, stdin: 'ignore' });
  const { printed } = await printedBy(child, signal);
  return { printed, words: lastWords(child) };
}
