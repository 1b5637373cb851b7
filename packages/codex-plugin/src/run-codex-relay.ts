import { type ChildProcess, spawn } from 'node:child_process';
import { findCodex } from 'agent-relay-codex-app-server';
import { RELAY_VERSION, RelayError } from 'agent-relay-protocol';
import { aborted } from 'agent-relay-wire';
import { Command, Option } from 'commander';
import { exitCodeOf } from './exit-code.ts';
import { type LaunchPlan, planLaunch, readThreadMode, runtimeModeOf, type ThreadMode, threadModes } from './relay/launch-plan.ts';
import { logPath, SessionLog } from './relay/session-log.ts';
import { type CodexRelay, startCodexRelay } from './relay/start-codex-relay.ts';
import { newestThread } from './session/with-codex.ts';

interface Settings {
  readonly headless: boolean;
  readonly threadMode: ThreadMode;
  /** What is Codex's. */
  readonly codexArgs: readonly string[];
}

/** How long a start waits for the relay before Codex has the terminal. */
const relayWaitMs = 2_000;

/** The command line of `codex-relay`. Answers the exit code: Codex's own, 1 refused, 2 wrong usage. */
export async function runCodexRelay(argv: readonly string[]): Promise<number> {
  const log = new SessionLog({ path: logPath(process.env), clock: Date, print: (line) => process.stderr.write(`codex-relay: ${line}\n`) });
  try {
    return await run(readSettings(argv), log);
  } catch (error) {
    log.takeTerminalBack();
    return exitCodeOf(error, log.tell);
  }
}

async function run({ headless, threadMode, codexArgs }: Settings, log: SessionLog): Promise<number> {
  const command = await findCodex({ env: process.env });
  if (command === undefined)
    throw new RelayError('provider_unavailable', 'Codex is not installed here; install it with `npm install -g @openai/codex`');
  const first = planLaunch({ args: codexArgs, mode: threadMode, newest: null });
  if (first.kind === 'other') return await codexRuns(start(command, first.args, process.env));
  // Refused before anything is started.
  const runtime = headless ? runtimeModeOf(codexArgs) : null;
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => stopping.abort());
  const opening = open({ threadMode, codexArgs }, { command, tell: log.tell, signal: stopping.signal });
  const opened = await opening.catch((error: unknown) => {
    if (stopping.signal.aborted) return null;
    throw error;
  });
  if (opened === null) return 0;
  await using relay = opened.relay;
  if (!(await relay.isAttachedWithin(relayWaitMs))) log.tell(`the relay is not there yet; this session will be ${relay.agentId}`);
  const { args, resumes } = opened.plan;
  if (runtime !== null) return await stayHeadless(relay, { ...runtime, resumes }, stopping.signal);
  log.lendTerminal();
  const { env, args: remote } = remoteOf(relay);
  let isLost = false;
  // Codex would wait for its server for ever.
  void relay.ended.then(() => {
    isLost = !stopping.signal.aborted;
    stopping.abort();
  });
  const codex = start(command, [...remote, ...args], { ...process.env, ...env });
  // It may end sooner than it is noted down.
  const [code] = await Promise.all([codexRuns(codex, stopping.signal), codex.pid === undefined ? null : relay.own(codex.pid)]);
  if (isLost) throw new RelayError('provider_unavailable', `Codex's server died too often; ${logPath(process.env)} says more`);
  return code;
}

interface Opening {
  readonly command: string;
  readonly tell: (sentence: string) => void;
  readonly signal: AbortSignal;
}

/** The session, which is the agent of the conversation that it goes on with, and what Codex is to be started with in it. */
async function open(
  { threadMode, codexArgs }: Pick<Settings, 'threadMode' | 'codexArgs'>,
  { command, tell, signal }: Opening,
): Promise<{ readonly relay: CodexRelay; readonly plan: LaunchPlan }> {
  const where = { cwd: process.cwd(), env: process.env, signal };
  const newest = threadMode === 'auto' ? await newestThread({ ...where, codex: command }) : null;
  const plan = planLaunch({ args: codexArgs, mode: threadMode, newest });
  const relay = await startCodexRelay({ ...where, command, tell, ...(plan.resumes === null ? {} : { sessionKey: plan.resumes }) });
  return { relay, plan };
}

/** The address goes first: what follows `--` stays last. */
function remoteOf({ address, addressToken }: CodexRelay): { readonly args: readonly string[]; readonly env: Record<string, string> } {
  const args = ['--remote', address];
  if (addressToken === undefined) return { args, env: {} };
  return { args: [...args, '--remote-auth-token-env', 'CODEX_RELAY_SERVER_TOKEN'], env: { CODEX_RELAY_SERVER_TOKEN: addressToken } };
}

async function stayHeadless(relay: CodexRelay, thread: Parameters<CodexRelay['openThread']>[0], signal: AbortSignal): Promise<number> {
  const id = await relay.openThread(thread);
  process.stdout.write(`${relay.agentId} works in ${process.cwd()}; look in with:\n\n  codex resume --remote ${relay.address} ${id}\n\n`);
  await Promise.race([aborted(signal), relay.ended]);
  if (signal.aborted) return 0;
  throw new RelayError('provider_unavailable', 'The Codex app-server has ended');
}

/** In this process's own group, for the terminal is that group's. */
const start = (command: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess =>
  spawn(command, args, { stdio: 'inherit', env });

async function codexRuns(codex: ChildProcess, signal?: AbortSignal): Promise<number> {
  const end = () => void codex.kill('SIGTERM');
  signal?.addEventListener('abort', end, { once: true });
  if (signal?.aborted) end();
  return await new Promise((resolve, reject) => {
    codex.once('error', (cause) => reject(new RelayError('provider_unavailable', `Codex did not start: ${cause.message}`, { cause })));
    codex.once('exit', (code) => resolve(code ?? (signal?.aborted ? 0 : 1)));
  });
}

function readSettings(argv: readonly string[]): Settings {
  const command = new Command('codex-relay')
    .description('Codex with Agent Relay attached: the session is an agent that others can write to.')
    .usage('[options] [--] [what codex takes]')
    .version(RELAY_VERSION)
    .option('--headless', 'start a session without a terminal, and print how to look in')
    .addOption(
      new Option('--thread-mode <mode>', 'a new conversation, the newest of this folder, or one that Codex asks for').choices(threadModes),
    )
    .argument('[codex...]', "Codex's own options, prompt or command")
    .allowUnknownOption()
    .addHelpText('after', help)
    .exitOverride();
  command.parse([...argv]);
  const { headless = false, threadMode } = command.opts<{ headless?: boolean; threadMode?: ThreadMode }>();
  return { headless, threadMode: readThreadMode(threadMode, process.env), codexArgs: command.args };
}

const help = `
Codex runs with --ask-for-approval never --sandbox workspace-write, unless you say --ask-for-approval, --sandbox,
--full-auto or --yolo. What follows -- is Codex's. Commands of Codex's own, such as login, run as they are.

Environment: CODEX_THREAD_MODE (start, auto, resume), AGENT_RELAY_URL, AGENT_RELAY_TOKEN, AGENT_RELAY_PROFILE,
AGENT_RELAY_LABEL, AGENT_RELAY_TAGS, AGENT_RELAY_CAPS, AGENT_RELAY_CHANNELS, AGENT_RELAY_APPROVAL.
Exit codes: Codex's own; 1 refused, 2 wrong usage.`;
