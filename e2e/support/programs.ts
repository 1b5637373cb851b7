import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { databasePathOf, ownerTokenPath } from 'agent-relay-server';
import type { FakeAnthropic, FakeGoogle, FakeOpenAi, TempHome } from 'agent-relay-testing';
import { agentCliPaths, freePort } from 'agent-relay-testing';
import { environmentOf } from 'agent-relay-wire/node';

/** The built program, as a user's `npx agent-relay` runs it. */
export const agentRelayProgram = fileURLToPath(new URL('../../packages/server/dist/cli.js', import.meta.url));

/** The built `relay-connect`. */
export const relayConnectProgram = fileURLToPath(new URL('../../packages/connect/dist/cli.js', import.meta.url));

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `agent-relay …` to its end. A code other than 0 is no rejection: it is what is tested. */
export function runAgentRelay(
  args: readonly string[],
  options: { readonly env: NodeJS.ProcessEnv; readonly cwd?: string; readonly node?: string },
): Promise<CommandResult> {
  return new Promise((resolve) => {
    execFile(
      options.node ?? process.execPath,
      [agentRelayProgram, ...args],
      { env: options.env, cwd: options.cwd, timeout: 120_000 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr });
      },
    );
  });
}

const programsOf = (home: TempHome): string => join(home.directory, 'bin');

/** A folder with `claude` and `codex` as commands, to be put on a PATH. */
export async function linkAgentClis(home: TempHome): Promise<string> {
  const folder = programsOf(home);
  await mkdir(folder, { recursive: true });
  const { claude, codex } = agentCliPaths();
  await symlink(claude, join(folder, 'claude'));
  await symlink(codex, join(folder, 'codex'));
  return folder;
}

/** `gemini` beside them: each machine that comes up asks it for its version, which costs more than all the rest of the start. */
const linkGemini = (home: TempHome): Promise<void> => symlink(agentCliPaths().gemini, join(programsOf(home), 'gemini'));

export interface RunningProgram extends AsyncDisposable {
  readonly url: string;
  readonly loginLink: string;
  readonly pid: number;
  readonly env: NodeJS.ProcessEnv;
  /** Everything it printed so far. */
  output(): string;
  run(...args: readonly string[]): Promise<CommandResult>;
  isRunning(): boolean;
  /** Resolves with the end of the process, whatever ended it. */
  readonly ended: Promise<number | null>;
  /** Sends a signal and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

interface ServeOptions {
  readonly home: TempHome;
  readonly env?: Record<string, string>;
  readonly port?: number;
  readonly args?: readonly string[];
}

/** `agent-relay serve` in its own home, ready for clients. */
export async function startAgentRelay({ home, env: extra = {}, port, args = [] }: ServeOptions): Promise<RunningProgram> {
  const chosen = port ?? (await freePort());
  const url = `http://127.0.0.1:${chosen}`;
  const env = { ...home.env(), AGENT_RELAY_URL: url, ...extra };
  const child = spawn(process.execPath, [agentRelayProgram, 'serve', '--port', String(chosen), ...args], {
    env,
    cwd: home.directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => {
    printed += String(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    printed += String(chunk);
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const loginLink = await untilPrinted(
    child,
    () => /http:\/\/\S+\/login#\S+/u.exec(printed)?.[0],
    () => printed,
  );
  const end = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal);
    return exited;
  };
  return {
    url,
    loginLink,
    env,
    pid: child.pid ?? 0,
    output: () => printed,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    ended: exited,
    run: (...command) => runAgentRelay(command, { env, cwd: home.workFolder }),
    end,
    [Symbol.asyncDispose]: async () => void (await end()),
  };
}

function untilPrinted(child: ChildProcess, find: () => string | undefined, printed: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const found = find();
      if (found !== undefined) resolve(found);
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('exit', (code) => reject(new Error(`agent-relay ended with ${code} before it was ready:\n${printed()}`)));
  });
}

/** The environment of a relay whose agents talk to the fake models. */
export async function agentEnvironment(home: TempHome, anthropic: FakeAnthropic, openAi: FakeOpenAi): Promise<Record<string, string>> {
  await openAi.writeCodexHome(home.codexHome);
  const bin = await linkAgentClis(home);
  return { ...anthropic.env(), ...openAi.env(), PATH: [bin, process.env['PATH'] ?? ''].join(delimiter) };
}

export interface RunningNode extends AsyncDisposable {
  readonly name: string;
}

/** `relay-connect` in the same home as a relay, with the owner's token; ready once the relay has taken it. */
export async function startRelayConnect({
  relay,
  name,
  args = [],
}: {
  readonly relay: RunningProgram;
  readonly name: string;
  readonly args?: readonly string[];
}): Promise<RunningNode> {
  const tokenFile = ownerTokenPath(databasePathOf(relay.env));
  const stateDir = join(relay.env['HOME'] ?? '', `node-${name}`);
  const settings = ['--url', relay.url, '--token-file', tokenFile, '--name', name, '--state-dir', stateDir];
  const child = spawn(process.execPath, [relayConnectProgram, ...settings, ...args], {
    env: relay.env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let printed = '';
  child.stderr.on('data', (chunk: Buffer) => {
    printed += String(chunk);
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await untilPrinted(
    child,
    () => /attached to the relay/u.exec(printed)?.[0],
    () => printed,
  );
  return {
    name,
    [Symbol.asyncDispose]: () => {
      child.kill();
      return exited;
    },
  };
}

/** The process of the node that `serve` runs for its own machine. */
export async function localNodePid(relay: RunningProgram): Promise<number> {
  const { pid } = JSON.parse(await readFile(`${databasePathOf(relay.env)}.node.json`, 'utf8')) as { readonly pid: number }; // the relay wrote it
  return pid;
}

/** Processes whose environment carries a marker; how a test knows that nothing was left running. */
export async function processesMentioning(text: string): Promise<readonly number[]> {
  const { readdir } = await import('node:fs/promises');
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/u.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const isMeant = pid !== process.pid && (await environmentOf(pid))?.some((line) => line.includes(text));
      return isMeant ? pid : null;
    }),
  );
  return found.filter((pid) => pid !== null);
}

/** As `agentEnvironment`, with a Gemini CLI that talks to a fake model as well. */
export async function withGemini(home: TempHome, google: FakeGoogle, env: Record<string, string>): Promise<Record<string, string>> {
  await google.writeGeminiHome(home.home);
  await linkGemini(home);
  return { ...google.env(), ...env };
}
