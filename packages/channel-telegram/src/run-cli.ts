import { join } from 'node:path';
import { createNodeRelayClient, proxyOnTheWay } from 'agent-relay-client/node';
import { RELAY_VERSION, RelayError } from 'agent-relay-protocol';
import { spelledOut } from 'agent-relay-wire';
import { Command, Option } from 'commander';
import { relayApprovals } from './approvals/approval-source.ts';
import { createLogger } from './logger.ts';
import { connectChannel } from './relay-channel.ts';
import { readSettings, type SettingName, type Settings } from './settings.ts';
import { StateFile } from './state-file.ts';
import { createBotApi } from './telegram/bot-api.ts';
import { TelegramChannel } from './telegram-channel.ts';

/** The command line of `agent-relay-channel-telegram`. Answers the exit code: 0 stopped, 1 refused, 2 wrong settings. */
export async function runCli(argv: readonly string[]): Promise<number> {
  try {
    const settings = readSettings({ env: process.env, flags: readFlags(argv) });
    return await run(settings);
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    tell(`agent-relay-channel-telegram: ${error.message}\n`);
    return error.code === 'validation_failed' ? 2 : 1;
  }
}

async function run(settings: Settings): Promise<number> {
  const { botToken, relayToken, relayUrl, apiRoot, stateDir, channelId, logLevel } = settings;
  const secrets = [botToken, ...(relayToken === undefined ? [] : [relayToken])];
  const log = createLogger({ level: logLevel, secrets, write: tell });
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => stopping.abort());
  const state = openState(join(stateDir, `${botToken.split(':')[0]}.json`), log);
  const warning = relayToken === undefined ? null : proxyOnTheWay(relayUrl);
  if (warning !== null) log.warn('a proxy can read the token of this channel', { reason: warning });
  const relay = createNodeRelayClient({
    url: relayUrl,
    ...(relayToken !== undefined && { token: relayToken }),
    onVersion: ({ relay: theirs, client, matches }) => {
      if (!matches) log.warn('the relay runs another version than this channel: update the older one', { relay: theirs, channel: client });
    },
  });
  try {
    const port = await connectChannel(relay, { channelId, log, signal: stopping.signal });
    log.info('connected to the relay', { channelId, url: relayUrl });
    const api = createBotApi({ token: botToken, apiRoot });
    const channel = new TelegramChannel({ api, port, approvals: relayApprovals(relay), state, settings, log, clock: Date });
    stopping.signal.addEventListener('abort', () => void channel.stop(), { once: true });
    if (stopping.signal.aborted) void channel.stop();
    const end = await channel.ended;
    if (end.type === 'stopped') return 0;
    tell(`agent-relay-channel-telegram: ${end.reason}\n`);
    return 1;
  } catch (error) {
    if (stopping.signal.aborted) return 0;
    throw error;
  } finally {
    await relay.close();
  }
}

function openState(path: string, log: ReturnType<typeof createLogger>): StateFile {
  try {
    return new StateFile(path, log);
  } catch (cause) {
    throw new RelayError('validation_failed', `TELEGRAM_STATE_DIR cannot be written: ${path}`, { cause });
  }
}

/** Each flag says what a setting says. */
const flagSettings: Readonly<Record<string, SettingName>> = {
  botTokenFile: 'TELEGRAM_BOT_TOKEN_FILE',
  allow: 'TELEGRAM_ALLOWED_CHATS',
  approvalChats: 'TELEGRAM_APPROVAL_CHATS',
  approvers: 'TELEGRAM_APPROVERS',
  url: 'AGENT_RELAY_URL',
  tokenFile: 'AGENT_RELAY_TOKEN_FILE',
  id: 'TELEGRAM_CHANNEL_ID',
  stateDir: 'TELEGRAM_STATE_DIR',
  apiRoot: 'TELEGRAM_API_ROOT',
  logLevel: 'AGENT_RELAY_LOG',
};

function readFlags(argv: readonly string[]): Partial<Record<SettingName, string>> {
  const command = new Command('agent-relay-channel-telegram')
    .description('Telegram chats as a channel of an Agent Relay: people write to agents, and agents answer.')
    .version(RELAY_VERSION)
    .option('--allow <ids>', 'ids of the chats that are served, between commas (TELEGRAM_ALLOWED_CHATS)')
    .option('--bot-token-file <path>', 'file with the token of the bot (or TELEGRAM_BOT_TOKEN)')
    .option('--url <url>', 'address of the relay (AGENT_RELAY_URL; default http://127.0.0.1:4850)')
    .option('--token-file <path>', 'file with a token of the relay (or AGENT_RELAY_TOKEN)')
    .option('--id <id>', 'what the channel is called at the relay (TELEGRAM_CHANNEL_ID; default telegram)')
    .option('--approvers <ids>', 'users who may answer what agents ask; default the person of a private chat (TELEGRAM_APPROVERS)')
    .option('--approval-chats <ids>', 'chats that see what every agent asks (TELEGRAM_APPROVAL_CHATS)')
    .option('--state-dir <path>', 'folder for what must outlive the process (TELEGRAM_STATE_DIR)')
    .option('--api-root <url>', 'a Bot API server of your own (TELEGRAM_API_ROOT)')
    .addOption(new Option('--log-level <level>', 'AGENT_RELAY_LOG; default info').choices(['silent', 'error', 'warn', 'info', 'debug']))
    .addHelpText('after', '\nTokens are read from the environment or from files, so that nobody sees them in the list of processes.')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  const options = command.parse([...argv]).opts<Record<string, string>>();
  return Object.fromEntries(Object.entries(options).flatMap(([name, value]) => (flagSettings[name] ? [[flagSettings[name], value]] : [])));
}

/** What others wrote is in it: it gives the terminal no orders. */
const tell = (text: string): void => void process.stderr.write(spelledOut(text));
