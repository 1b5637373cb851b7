import { RELAY_VERSION, RelayError } from 'agent-relay-protocol';
import { spelledOut } from 'agent-relay-wire';
import { Command, InvalidArgumentError } from 'commander';
import { dialRelay } from './dial-relay.ts';

interface Settings {
  readonly command: string;
  readonly cwd: string;
}

/** The command line of `agent-relay-claude`. Answers the exit code: 0 ended, 1 refused, 2 wrong settings, else Claude Code's own. */
export async function runCli(argv: readonly string[]): Promise<number> {
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => stopping.abort());
  let code = 0;
  const program = new Command('agent-relay-claude')
    .description('The Claude Code of this machine as an agent of an Agent Relay: it dials the relay by itself.')
    .version(RELAY_VERSION)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  program
    .command('dial')
    .description('Run the installed Claude Code and dial a relay as one started with --sdk-url does. It dials again after a drop.')
    .argument('<url>', 'where to: ws: or wss:, path and query as the relay expects them', parseUrl)
    .argument('[args...]', 'further arguments for Claude Code, after --')
    .option('--command <path>', 'the program', 'claude')
    .option('--cwd <folder>', 'where Claude Code works', process.cwd())
    .addHelpText('after', '\nA token is read from CLAUDE_CODE_SESSION_ACCESS_TOKEN, so that nobody sees it in the list of processes.')
    .action(async (url: string, args: string[], { command, cwd }: Settings) => {
      code = await dialRelay({ url, args, command, cwd, env: environment(), signal: stopping.signal, tell });
    });
  try {
    await program.parseAsync([...argv]);
    return code;
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    tell(error.message);
    return error.code === 'validation_failed' ? 2 : 1;
  }
}

function environment(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

function parseUrl(text: string): string {
  const isWebSocket = URL.canParse(text) && ['ws:', 'wss:'].includes(new URL(text).protocol);
  if (!isWebSocket) throw new InvalidArgumentError('must be a ws or wss address');
  return text;
}

/** What others wrote is in it: it gives the terminal no orders. */
const tell = (sentence: string): void => void process.stderr.write(`agent-relay-claude: ${spelledOut(sentence)}\n`);
