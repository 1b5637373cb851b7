import { readFileSync } from 'node:fs';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { AgentIdSchema, RELAY_VERSION, RelayError } from 'agent-relay-protocol';
import { type Log, logInto, spelledOut } from 'agent-relay-wire';
import { Command, InvalidArgumentError, Option } from 'commander';
import { pino } from 'pino';
import { startWebhookChannel } from './webhook-channel.ts';

interface Settings {
  readonly url: string;
  readonly tokenFile?: string;
  readonly id: string;
  readonly secretFile?: string;
  readonly host: string;
  readonly port: number;
  readonly deliverTo?: string;
  readonly logLevel: string;
}

const MIN_SECRET_LENGTH = 16;

/** The command line of `agent-relay-channel-webhook`. Answers the exit code: 0 stopped, 1 refused, 2 wrong settings. */
export async function runCli(argv: readonly string[]): Promise<number> {
  try {
    return await run(readSettings(argv));
  } catch (error) {
    const isOurs = error instanceof RelayError || (error instanceof Error && 'syscall' in error);
    if (!isOurs) throw error;
    tell(`agent-relay-channel-webhook: ${error.message}\n`);
    return error instanceof RelayError && error.code === 'validation_failed' ? 2 : 1;
  }
}

async function run({ url, tokenFile, id, secretFile, host, port, deliverTo, logLevel }: Settings): Promise<number> {
  const secret = secretOf('AGENT_RELAY_WEBHOOK_SECRET', secretFile);
  if (secret === undefined || secret.length < MIN_SECRET_LENGTH) {
    throw invalid(`the secret is missing or shorter than ${MIN_SECRET_LENGTH} characters: --secret-file, or AGENT_RELAY_WEBHOOK_SECRET`);
  }
  const token = secretOf('AGENT_RELAY_TOKEN', tokenFile);
  const log = createLog(logLevel);
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => stopping.abort());
  const relay = createNodeRelayClient({ url, transport: 'socket', ...(token !== undefined && { token }) });
  try {
    const { signal } = stopping;
    const world = { log, clock: Date, random: Math.random, signal };
    const options = { relay, id, secret, host, port, deliverTo: deliverTo ?? null, ...world };
    const channel = await startWebhookChannel(options);
    stopping.signal.addEventListener('abort', () => void channel.stop(), { once: true });
    const end = await channel.ended;
    if (end !== null) throw end;
    return 0;
  } catch (error) {
    if (stopping.signal.aborted) return 0;
    throw error;
  } finally {
    await relay.close();
  }
}

function readSettings(argv: readonly string[]): Settings {
  const command = new Command('agent-relay-channel-webhook')
    .description('Signed webhooks as a channel of an Agent Relay: posts become messages to agents, and their answers are posted back.')
    .version(RELAY_VERSION)
    .addOption(
      new Option('--url <url>', 'address of the relay').env('AGENT_RELAY_URL').default('http://127.0.0.1:4850').argParser(parseUrl),
    )
    .option('--token-file <path>', 'file with a token of the relay (or AGENT_RELAY_TOKEN)')
    .option('--id <id>', 'what the channel is called at the relay', parseId, 'webhook')
    .option('--secret-file <path>', 'file with the secret that both sides sign with (or AGENT_RELAY_WEBHOOK_SECRET)')
    .option('--host <address>', 'where it listens', '127.0.0.1')
    .option('--port <number>', 'where it listens; 0 takes a free port', parsePort, 4860)
    .option('--deliver-to <url>', "where agents' answers are posted; without it messages only come in", parseUrl)
    .addOption(new Option('--log-level <level>').choices(['silent', 'error', 'warn', 'info']).default('info'))
    .addHelpText('after', '\nSecrets are read from the environment or from files, so that nobody sees them in the list of processes.')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  return command.parse([...argv]).opts<Settings>();
}

/** JSON lines on standard error, without message bodies. */
function createLog(level: string): Log {
  const logger = pino({ level, base: { pid: process.pid } }, pino.destination({ dest: 2, sync: true }));
  return logInto(logger);
}

function secretOf(variable: string, file: string | undefined): string | undefined {
  if (file === undefined) return process.env[variable] || undefined;
  try {
    const text = readFileSync(file, 'utf8').trim();
    if (text !== '') return text;
  } catch (cause) {
    throw invalid(`${file} cannot be read`, cause);
  }
  throw invalid(`${file} is empty`);
}

const invalid = (message: string, cause?: unknown): RelayError => new RelayError('validation_failed', message, { cause });

function parseUrl(text: string): string {
  const isHttp = URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
  if (!isHttp) throw new InvalidArgumentError('must be an http or https address');
  return text;
}

function parseId(text: string): string {
  const { error } = AgentIdSchema.safeParse(text);
  if (error) throw new InvalidArgumentError(error.issues[0]?.message ?? 'is no id');
  return text;
}

function parsePort(text: string): number {
  if (!/^\d{1,5}$/u.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('must be a port');
  return Number(text);
}

/** What others wrote is in it: it gives the terminal no orders. */
const tell = (text: string): void => void process.stderr.write(spelledOut(text));
