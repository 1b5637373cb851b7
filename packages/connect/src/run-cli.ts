import { readFile } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { LabelSchema, RELAY_VERSION, RelayError } from 'agent-relay-protocol';
import type { Provider } from 'agent-relay-provider';
import { spelledOut } from 'agent-relay-wire';
import { Command, InvalidArgumentError, Option } from 'commander';
import { createLogger, type LogLevel } from './logger.ts';
import { type NodeEnd, runNode } from './run-node.ts';

interface Settings {
  readonly url: URL;
  readonly socket?: string;
  readonly tokenFile: string;
  readonly name: string;
  readonly stateDir: string;
  readonly allowFolder: readonly string[];
  readonly agentEnv: readonly string[];
  readonly grace: number;
  readonly approvalTimeout: number;
  readonly logLevel: LogLevel;
  readonly logFile?: string;
}

/** The command line of `relay-connect`, over the given vendors. Answers the exit code. */
export async function runCli(argv: readonly string[], providers: readonly Provider[]): Promise<number> {
  const settings = readSettings(argv);
  const log = createLogger(settings.logLevel, settings.logFile ?? null);
  try {
    // Before anything is asked: later the file may be missing for a while, as the relay may.
    await readToken(settings.tokenFile);
    const node = await runNode({
      url: settings.url,
      socketPath: settings.socket,
      socketOwnerFile: settings.tokenFile,
      readToken: () => readToken(settings.tokenFile),
      name: settings.name,
      stateDir: settings.stateDir,
      allowedFolders: settings.allowFolder,
      providers,
      log,
      env: ownEnvironment(),
      allowedEnvironment: settings.agentEnv,
      clock: Date,
      graceMs: settings.grace * 1000,
      hostLimits: { approvalTimeoutMs: settings.approvalTimeout * 1000 },
    });
    const onSignal = (signal: string) => {
      log.info('leaving', { signal });
      void node.stop('relay-connect was stopped');
    };
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, onSignal);
    return exitCode(await node.ended);
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    tell(`relay-connect: ${error.message}\n`);
    return 1;
  }
}

/** What this machine has, taken once. What names the relay is forgotten: nothing that this process starts inherits a token. */
function ownEnvironment(): Record<string, string | undefined> {
  const env = { ...process.env };
  for (const name of Object.keys(env)) if (name.startsWith('AGENT_RELAY_') && name !== 'AGENT_RELAY_PROCESS_TREE') delete process.env[name];
  return env;
}

function exitCode(end: NodeEnd): number {
  switch (end.type) {
    case 'stopped':
      return 0;
    case 'abandoned':
      tell('relay-connect: the relay was away too long; the agents were ended\n');
      return 0;
    case 'refused':
      tell(`relay-connect: the relay refused this machine: ${end.error.message} (${end.error.code})\n`);
      return 1;
  }
}

function readSettings(argv: readonly string[]): Settings {
  const command = new Command('relay-connect')
    .description('Lends this machine to an Agent Relay: the relay may start agents here.')
    .version(RELAY_VERSION)
    .option('--url <url>', 'address of the relay', parseUrl, new URL('http://127.0.0.1:4850'))
    .option('--socket <path>', "the relay's socket on this machine; the token goes there and nowhere else", (path: string) => resolve(path))
    .requiredOption('--token-file <path>', 'file that holds the token of this machine (required)', (path: string) => resolve(path))
    .option('--name <name>', 'how people know this machine', parseName, hostname())
    .option('--state-dir <path>', 'folder for state and fresh working folders', (path: string) => resolve(path), defaultStateDir())
    .addOption(
      new Option('--allow-folder <path...>', 'let agents work in this folder and below only')
        .argParser(collect)
        .default([], 'any folder of the user'),
    )
    .addOption(
      new Option('--agent-env <names...>', 'variables of this machine that agents get besides, e.g. AWS_* (see the README)')
        .env('AGENT_RELAY_AGENT_ENV')
        .argParser(collectNames)
        .default([], 'none'),
    )
    .option('--grace <seconds>', 'how long the agents live on without their relay', parseSeconds, 600)
    .addOption(
      new Option('--approval-timeout <seconds>', 'how long an agent waits for a person before it takes the silence for a no')
        .env('AGENT_RELAY_APPROVAL_TIMEOUT')
        .argParser(parseWait)
        .default(600),
    )
    .option('--log-file <path>', 'log there instead of to standard error', (path: string) => resolve(path))
    .addOption(new Option('--log-level <level>').choices(['silent', 'error', 'warn', 'info', 'debug']).default('info'));
  return command.parse([...argv]).opts<Settings>();
}

const defaultStateDir = (): string => join(homedir(), '.agent-relay', 'node');
const collectNames = (text: string, names: readonly string[]): readonly string[] => [
  ...names,
  ...text.split(/[\s,]+/u).filter((name) => name !== ''),
];
const collect = (path: string, folders: readonly string[]): readonly string[] => [...folders, resolve(path)];

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) throw new InvalidArgumentError('must be an http or https address');
  return url;
}

function parseName(text: string): string {
  if (!LabelSchema.safeParse(text).success) throw new InvalidArgumentError('must be one line of 1 to 128 characters');
  return text;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 0) throw new InvalidArgumentError('must be a number of seconds');
  return seconds;
}

/** Longer ones overflow the timer, which would then ring at once. */
const LONGEST_WAIT_SECONDS = 86_400;

function parseWait(text: string): number {
  const seconds = parseSeconds(text);
  if (seconds < 1 || seconds > LONGEST_WAIT_SECONDS) throw new InvalidArgumentError(`must be from 1 to ${LONGEST_WAIT_SECONDS} seconds`);
  return seconds;
}

/** @throws RelayError `not_found`: no word of the relay, which may be asked again. */
async function readToken(path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new RelayError('not_found', `The token file ${path} cannot be read: put the token of this machine there`, { cause });
  }
  const token = text.trim();
  if (token === '') throw new RelayError('not_found', `The token file ${path} is empty: put the token of this machine there`);
  return token;
}

/** What others wrote is in it: it gives the terminal no orders. */
const tell = (text: string): void => void process.stderr.write(spelledOut(text));
