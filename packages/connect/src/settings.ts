import { homedir, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { LabelSchema, nearest, RELAY_VERSION, type SandboxRequest, SandboxRequestSchema } from 'agent-relay-protocol';
import { hooksFileOf } from 'agent-relay-wire/node';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { LogLevel } from './logger.ts';

export interface ConnectSettings {
  readonly command: 'connect' | 'pair';
  /** Null where nobody said. */
  readonly url: URL | null;
  readonly socket?: string;
  /** A file of authorities to trust besides; null where nobody said. */
  readonly ca: string | null;
  readonly token: string | null;
  readonly tokenFile: string | null;
  readonly name: string;
  readonly stateDir: string;
  readonly allowFolder: readonly string[];
  readonly agentEnv: readonly string[];
  readonly sandbox: SandboxRequest;
  readonly sandboxRead: readonly string[];
  /** What this machine does when something happens to its agents. */
  readonly hooks: string;
  readonly grace: number;
  /** MiB of disk for each session. */
  readonly buffer: number;
  readonly approvalTimeout: number;
  /** Null where nobody said. */
  readonly logLevel: LogLevel | null;
  readonly logFile?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What the command line and the environment say. A flag goes before a variable; an empty variable says nothing. */
export function readConnectSettings(argv: readonly string[], env: Environment): ConnectSettings {
  let command: ConnectSettings['command'] = 'connect';
  const root = connectCommand()
    .allowExcessArguments()
    .action(() => refuseWords(root));
  root.addCommand(
    pairCommand().action(() => {
      command = 'pair';
    }),
  );
  root.parse([...argv]);
  const { url, token, tokenFile, logLevel, hooks, ca, ...rest } = root.opts();
  // A variable is there for every program of this machine.
  if (rest['socket'] !== undefined && root.getOptionValueSource('ca') === 'cli')
    root.error("error: option '--socket <path>' cannot be used with option '--ca <file>'", { code: 'commander.conflictingOption' });
  const said: string | undefined = token ?? (tokenFile === undefined ? env['AGENT_RELAY_TOKEN'] || undefined : undefined);
  return {
    ...rest,
    command,
    url: url ?? urlOf(env, root),
    token: said ?? null,
    tokenFile: tokenFile ?? null,
    ca: ca ?? null,
    hooks: hooks ?? hooksFileOf(env),
    logLevel: logLevel ?? null,
  } as ConnectSettings; // what the options below make, under their names
}

/** What stands there and is no option was meant as a command. */
function refuseWords(command: Command): void {
  const [word] = command.args;
  if (word === undefined) return;
  const meant = nearest(word, ['pair']);
  command.error(
    `error: there is no command ${word}; ${meant === null ? 'relay-connect --help says what there is' : `did you mean ${meant}?`}`,
  );
}

function urlOf({ AGENT_RELAY_URL: text }: Environment, command: Command): URL | null {
  if (!text) return null;
  const url = httpUrl(text);
  return url ?? command.error('error: AGENT_RELAY_URL must be an http or https address');
}

const connectCommand = (): Command =>
  whereOptions(new Command('relay-connect'))
    .description('Lends this machine to an Agent Relay: the relay may start agents here.')
    .version(RELAY_VERSION)
    .option('--socket <path>', "the relay's socket on this machine; the token goes there and nowhere else", (path: string) => resolve(path))
    .addOption(
      new Option('--token <token>', 'token of this machine, or AGENT_RELAY_TOKEN (default: the one that pairing left here)')
        .conflicts('tokenFile')
        .argParser(parseToken),
    )
    .option('--token-file <path>', 'file that holds the token of this machine', (path: string) => resolve(path))
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
    .addOption(
      new Option('--sandbox <kind>', 'what every agent of this machine is put in at least, whatever a spawn asks for (see the README)')
        .env('AGENT_RELAY_SANDBOX')
        .choices(SandboxRequestSchema.options)
        .default('none'),
    )
    .addOption(
      new Option('--sandbox-read <path...>', 'what agents in a sandbox may read besides').argParser(collect).default([], 'nothing'),
    )
    .option(
      '--hooks <file>',
      'what this machine does when something happens to its agents, or AGENT_RELAY_HOOKS (default: ~/.agent-relay/agent-relay.yaml)',
      (path: string) => resolve(path),
    )
    .option('--grace <seconds>', 'how long the agents live on without their relay', parseSeconds, 600)
    .addOption(bufferOption())
    .addOption(
      new Option('--approval-timeout <seconds>', 'how long an agent waits for a person before it takes the silence for a no')
        .env('AGENT_RELAY_APPROVAL_TIMEOUT')
        .argParser(parseWait)
        .default(600),
    )
    .option('--log-file <path>', 'JSON lines there, instead of sentences on a terminal', (path: string) => resolve(path))
    .addOption(
      new Option('--log-level <level>', 'how much is logged (default: info; on a terminal only what went wrong)').choices([
        'silent',
        'error',
        'warn',
        'info',
        'debug',
      ]),
    );

const bufferOption = (): Option =>
  new Option(
    '--buffer <mebibytes>',
    'how much of what one agent does waits on disk for a relay that is away; the rest is dropped, and told',
  )
    .env('AGENT_RELAY_BUFFER')
    .argParser(parseMebibytes)
    .default(16);

/** Its options are the root's, which reads them wherever they stand: here they are for its own help. */
const pairCommand = (): Command =>
  whereOptions(new Command('pair')).description(
    'Ask a relay to let this machine in: shows a code, and keeps the token of whoever accepts it',
  );

const whereOptions = (command: Command): Command =>
  command
    .exitOverride()
    .option(
      '--url <url>',
      'address of the relay, or AGENT_RELAY_URL (default: the one it was paired with, else http://127.0.0.1:4850)',
      parseUrl,
    )
    .addOption(
      new Option('--ca <file>', 'trust the authorities of this file (PEM) as well, for https')
        .env('AGENT_RELAY_CA')
        .argParser((path: string) => resolve(path)),
    )
    .option('--name <name>', 'how people know this machine', parseName, hostname())
    .option(
      '--state-dir <path>',
      'folder for state, the token of pairing and fresh working folders',
      (path: string) => resolve(path),
      defaultStateDir(),
    );

export const defaultStateDir = (): string => join(homedir(), '.agent-relay', 'node');
const collectNames = (text: string, names: readonly string[]): readonly string[] => [
  ...names,
  ...text.split(/[\s,]+/u).filter((name) => name !== ''),
];
const collect = (path: string, folders: readonly string[]): readonly string[] => [...folders, resolve(path)];

function parseUrl(text: string): URL {
  const url = httpUrl(text);
  if (url === null) throw new InvalidArgumentError('must be an http or https address');
  return url;
}

function httpUrl(text: string): URL | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && ['http:', 'https:'].includes(url.protocol) ? url : null;
}

function parseToken(text: string): string {
  if (!/^\S+$/u.test(text)) throw new InvalidArgumentError('must be one word');
  return text;
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

function parseMebibytes(text: string): number {
  const size = Number(text);
  if (!Number.isInteger(size) || size < 1 || size > 1_024) throw new InvalidArgumentError('must be a whole number from 1 to 1024');
  return size;
}

/** Longer ones overflow the timer, which would then ring at once. */
const LONGEST_WAIT_SECONDS = 86_400;

function parseWait(text: string): number {
  const seconds = parseSeconds(text);
  if (seconds < 1 || seconds > LONGEST_WAIT_SECONDS) throw new InvalidArgumentError(`must be from 1 to ${LONGEST_WAIT_SECONDS} seconds`);
  return seconds;
}
