import { RELAY_VERSION, RelayError } from 'agent-relay-protocol';
import { aborted } from 'agent-relay-wire';
import { databasePathOf, envFilePathOf } from 'agent-relay-wire/node';
import { Command, Option } from 'commander';
import { type Config, readConfig } from '../config.ts';
import { shellWord } from '../domain/shell-word.ts';
import type { RunningServer } from '../start-server.ts';
import { checkoutThatServes, programName } from './program-name.ts';
import { CommandFailure } from './relay-access.ts';
import { settingSources } from './setting-sources.ts';
import type { Terminal } from './terminal.ts';

interface ServeOptions {
  readonly port?: string;
  readonly host?: string;
  readonly db?: string;
  readonly settings?: string;
  readonly localNode: boolean;
  readonly loginLink: boolean;
  readonly cleanExitOnMisuse?: boolean;
}

export const serveCommand = (terminal: Terminal): Command =>
  new Command('serve')
    .description('Run the relay (what agent-relay does without a command)')
    .option('--port <number>', 'port to listen on (PORT, default 4850)')
    .option('--host <address>', 'address to listen on (HOST, default 127.0.0.1)')
    .option('--db <path>', 'database file (DB_PATH, default in ~/.local/state/agent-relay)')
    .option('--settings <path>', 'settings to read (AGENT_RELAY_ENV_FILE, default ~/.config/agent-relay/agent-relay.env)')
    .option('--no-local-node', 'run no agents on this machine')
    .option('--no-login-link', 'print no login link: for services, whose output is kept')
    // For launchd, which knows no code that says not to try again.
    .addOption(new Option('--clean-exit-on-misuse', 'end with 0 when the configuration is wrong').hideHelp())
    .action(async (options: ServeOptions) => {
      try {
        await serve(options, terminal);
      } catch (error) {
        if (!(error instanceof RelayError)) throw error;
        const misuse = options.cleanExitOnMisuse === true ? 0 : 2;
        throw new CommandFailure(`error: ${error.message}`, error.code === 'validation_failed' ? misuse : 1);
      }
    });

async function serve({ port, host, db, settings, localNode, loginLink }: ServeOptions, terminal: Terminal): Promise<void> {
  const flags = {
    ...(port !== undefined && { PORT: port }),
    ...(host !== undefined && { HOST: host }),
    ...(db !== undefined && { DB_PATH: db }),
    ...(!localNode && { AGENT_RELAY_LOCAL_NODE: '0' }),
  };
  const sources = settingSources(terminal, { flags, envFile: settings });
  const config = readConfig(sources);
  const checkout = checkoutThatServes();
  if (checkout !== null) {
    const why = `this Node (${process.versions.node}) cannot open the relay's database`;
    throw new CommandFailure(`error: ${why}; start the relay with npm start, in ${checkout}, which brings one that can`, 1);
  }
  // Only here: the other commands must not load the database.
  const [{ startServer }, { createLogger, createSpokenLogger }] = await Promise.all([import('../start-server.ts'), import('../logger.ts')]);
  const log = terminal.hasReader ? createSpokenLogger(config.logLevel, terminal.note) : createLogger(config.logLevel);
  const server = await startServer(config, { log });
  try {
    const isFound = config.databasePath === databaseFoundElsewhere(sources);
    const option = isFound ? '' : ` --db ${shellWord(config.databasePath)}`;
    await greet(server, { loginLink, config, option }, terminal);
    await aborted(terminal.signal);
    terminal.note('Stopping…');
  } finally {
    await server.stop();
  }
}

/** The database of a command in another terminal: nothing that this process was told holds there. */
function databaseFoundElsewhere({ env, envFile, envFilePath }: ReturnType<typeof settingSources>): string {
  const isUsualFile = envFilePath === envFilePathOf({ ...env, AGENT_RELAY_ENV_FILE: undefined });
  return databasePathOf({ ...env, DB_PATH: isUsualFile ? envFile?.DB_PATH : undefined });
}

interface Greeting {
  readonly loginLink: boolean;
  readonly config: Config;
  /** What a command needs beside its words to find this relay. */
  readonly option: string;
}

async function greet(
  server: Pick<RunningServer, 'url' | 'createLoginLink'>,
  { loginLink, config, option }: Greeting,
  terminal: Terminal,
): Promise<void> {
  const name = programName(terminal.env);
  terminal.out(`Agent Relay ${RELAY_VERSION} listens on ${server.url}`);
  terminal.out(`Database: ${config.databasePath}`);
  if (loginLink) {
    terminal.out(`Dashboard: ${await server.createLoginLink()}`);
    terminal.out(`           (works once, for ten minutes; ${name} login${option} prints a new one)`);
  }
  const isCheckout = terminal.env['npm_lifecycle_event'] === 'start';
  terminal.out(`Next, in another terminal${isCheckout ? ' in this folder (npm run link makes it plain agent-relay, everywhere)' : ''}:`);
  terminal.out(`  ${name} spawn claude --name Lead --task "…"${option}`);
  terminal.out(`  ${name} send Lead "…"${option}`);
  terminal.out(`  ${name} watch${option}`);
  if (config.allowUnauthenticated && config.token === null) {
    terminal.note('warning: AGENT_RELAY_ALLOW_UNAUTH lets every machine that reaches this address in without a token');
  }
}
