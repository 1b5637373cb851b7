import { resolve } from 'node:path';
import { RELAY_VERSION, type SandboxRequest, SandboxRequestSchema, type SpawnMode } from 'agent-relay-protocol';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { BridgeProtocol } from './agent-bridge.ts';

export interface BridgeSettings {
  readonly protocol: BridgeProtocol;
  readonly port?: number;
  readonly host: string;
  readonly mode: SpawnMode;
  readonly sandbox: SandboxRequest;
  readonly sandboxRead: readonly string[];
  readonly claudePath?: string;
  readonly codexPath?: string;
  readonly geminiPath?: string;
  readonly timeout: number;
  /** False with `--no-auth`. */
  readonly auth: boolean;
  readonly token?: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly origins: readonly string[];
  readonly maxConnections: number;
  readonly sessionDir?: string;
  readonly agentEnv: readonly string[];
  readonly allowHandshakeOptions: boolean;
  readonly relay?: string;
  readonly relayTokenFile?: string;
}

const longestTimeoutSeconds = 3600;

/** Ends the process with 0 after `--help` and `--version`, with 1 and a sentence for what cannot be. */
export function readBridgeSettings(argv: readonly string[]): BridgeSettings {
  const command = new Command('agent-bridge')
    .description('Claude Code, Codex and Gemini CLI behind a WebSocket, for pages and programs that speak agent-ws or ai-relay.')
    .version(RELAY_VERSION)
    .exitOverride()
    .addOption(new Option('--protocol <name>', 'which messages clients speak').choices(['agent-ws', 'ai-relay']).default('agent-ws'))
    .option('-p, --port <port>', 'where it listens; 0 takes a free port (default: 9999, for ai-relay 8765)', parsePort)
    .option('-H, --host <host>', 'the address it listens on', 'localhost')
    .addOption(new Option('-m, --mode <mode>', 'what agents may do').choices(['safe', 'agentic', 'unrestricted']).default('safe'))
    .addOption(
      new Option('--sandbox <kind>', 'what every agent is put in (see the README)').choices(SandboxRequestSchema.options).default('none'),
    )
    .addOption(new Option('--sandbox-read <paths...>', 'what agents in a sandbox may read besides').default([], 'nothing'))
    .option('-c, --claude-path <path>', 'the Claude CLI (default: claude)')
    .option('--codex-path <path>', 'the Codex CLI (default: codex)')
    .option('--gemini-path <path>', 'the Gemini CLI (default: gemini)')
    .option('-t, --timeout <seconds>', 'how long a prompt may take', parseTimeout, 600)
    .option('--no-auth', 'let every program that reaches the port connect, and pages of this machine')
    .addOption(new Option('--token <token>', 'what clients have to say (default: a new one at each start)').env('AGENT_BRIDGE_TOKEN'))
    .addOption(new Option('--log-level <level>', 'how much is logged').choices(['debug', 'info', 'warn', 'error']).default('info'))
    .addOption(
      new Option('--origins <origins>', 'web origins that may connect, between commas')
        .argParser(parseOrigins)
        .default([], 'any with the token'),
    )
    .option('--max-connections <number>', 'connections from one address', parseCount, 10)
    .option('--session-dir <folder>', "the folder of the projects' folders (default: ~/.agent-relay/bridge/sessions)")
    .addOption(new Option('--agent-env <names...>', 'variables that agents get besides, such as AWS_*').default([], 'none'))
    .addOption(
      new Option(
        '--allow-handshake-options',
        'ai-relay: clients may set variables and arguments of their agents: they can run anything',
      ).default(false, 'they may not'),
    )
    .option('--relay <url>', 'a relay whose agents the sessions are')
    .option('--relay-token-file <path>', "a file with a token of that relay (default: AGENT_RELAY_TOKEN, or the owner's)", (path: string) =>
      resolve(path),
    )
    .addHelpText('after', '\nThe token may come in AGENT_BRIDGE_TOKEN, so that nobody sees it in the list of processes.');
  const settings = command.parse([...argv]).opts<BridgeSettings>();
  // A variable is there for every start.
  if (!settings.auth && command.getOptionValueSource('token') === 'cli')
    command.error("error: option '--no-auth' cannot be used with option '--token <token>'", { code: 'commander.conflictingOption' });
  return settings;
}

function parsePort(text: string): number {
  if (!/^\d{1,5}$/u.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('must be a port, from 0 to 65535');
  return Number(text);
}

function parseTimeout(text: string): number {
  const seconds = /^\d{1,4}$/u.test(text) ? Number(text) : 0;
  if (seconds < 1 || seconds > longestTimeoutSeconds) throw new InvalidArgumentError(`must be from 1 to ${longestTimeoutSeconds} seconds`);
  return seconds;
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,5}$/u.test(text)) throw new InvalidArgumentError('must be a number from 1');
  return Number(text);
}

function parseOrigins(text: string): readonly string[] {
  const origins = text
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '');
  for (const origin of origins)
    if (!URL.canParse(origin) || new URL(origin).origin !== origin)
      throw new InvalidArgumentError(`${origin} is no origin: one is a scheme and a host, such as https://example.com`);
  return origins;
}
