import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findCodex } from 'agent-relay-codex-app-server';
import { RELAY_VERSION, RelayError } from 'agent-relay-protocol';
import { spelledOut } from 'agent-relay-wire';
import { findExecutable } from 'agent-relay-wire/node';
import { Command } from 'commander';
import { exitCodeOf } from './exit-code.ts';
import { commandFinding, examine } from './install/doctor.ts';
import { trustHooks } from './install/hook-trust.ts';
import { npmPrefixOf, rulesPath, shellProfile } from './install/places.ts';
import { planInstall, planPluginUpgrade, planUninstall } from './install/plan.ts';
import { describeInstallStep, type InstallStep, runInstallSteps, runProgram } from './install/steps.ts';
import { runLiveSessions } from './live/live-sessions.ts';
import { answerToolMessage } from './mcp/tool-server.ts';
import { logPath } from './relay/session-log.ts';
import { runCodexRelay } from './run-codex-relay.ts';
import { ownProgram } from './session/own-program.ts';
import { assertOwnWords } from './session/own-words.ts';
import { stateFolder } from './session/state-folder.ts';
import { readSession } from './session/stored-session.ts';

interface InstallOptions {
  readonly alias?: boolean;
  readonly allowCommands?: boolean;
  readonly trustHooks?: boolean;
  readonly dryRun?: boolean;
}

const packageFolder = fileURLToPath(new URL('..', import.meta.url));
const marketplace = join(packageFolder, 'marketplace');

/** The command line of `agent-relay-codex`. Answers the exit code: 0 done, 1 refused or faults found, 2 wrong usage. */
export async function runCli(argv: readonly string[]): Promise<number> {
  let code = 0;
  const exit = (ended: Promise<number>) =>
    ended.then((answer) => {
      code = answer;
    });
  try {
    await program(argv, exit).parseAsync([...argv]);
    return code;
  } catch (error) {
    return exitCodeOf(error, (sentence) => note(`agent-relay-codex: ${sentence}`));
  }
}

function program(argv: readonly string[], exit: (ended: Promise<number>) => Promise<void>): Command {
  const command = new Command('agent-relay-codex')
    .description('Agent Relay for Codex: the launcher codex-relay, and a plugin for Codex itself.')
    .version(RELAY_VERSION)
    .exitOverride();
  command
    .command('install')
    .description('add the plugin to Codex')
    .option('--alias', 'let `codex` mean `codex-relay` in your shell')
    .option('--allow-commands', 'let agent-relay-codex run /message and its like leave the sandbox without being asked about')
    .option('--trust-hooks', 'say that you trust the plugin’s hooks, which Codex does not run before somebody does')
    .option('--dry-run', 'show what would be done, and do nothing')
    .action((options: InstallOptions) => exit(install(options)));
  command
    .command('start')
    .description('start Codex with the relay attached, as codex-relay does')
    .argument('[codex...]', 'as codex-relay takes it')
    .allowUnknownOption()
    .helpOption(false)
    // As they were typed: a `--` among them says which are Codex's.
    .action(() => exit(runCodexRelay(['', '', ...argv.slice(argv.indexOf('start', 2) + 1)])));
  command
    .command('live')
    .description('make the conversations that people have in plain codex on this machine agents, until it is stopped')
    .action(() => exit(live()));
  command
    .command('doctor')
    .description('look whether Codex, the plugin and the relay work together')
    .action(() => exit(doctor()));
  command
    .command('uninstall')
    .description('take the plugin out of Codex')
    .option('--purge', 'uninstall this package as well')
    .action(({ purge = false }: { purge?: boolean }) => exit(uninstall(purge)));
  command
    .command('upgrade')
    .description('bring this package and its plugin to the newest version')
    .option('--dry-run', 'show what would be done, and do nothing')
    .action(({ dryRun = false }: { dryRun?: boolean }) => exit(carryOut(planPluginUpgrade('latest', npmPrefixOf(packageFolder)), dryRun)));
  command
    .command('run')
    .description('run agent-relay as the agent of the Codex session whose shell this is')
    .argument('<command...>', 'such as /message codex "Can you look at this?"')
    .allowUnknownOption()
    .helpOption(false)
    .action((args: string[]) => exit(runAsSession(args)));
  command
    .command('refresh', { hidden: true })
    .description('give Codex this version of the plugin, where it has one')
    .action(() => exit(refresh()));
  command.command('mcp', { hidden: true }).action(() => exit(serveTools()));
  return command;
}

async function requireCodex(): Promise<string> {
  const codex = await findCodex({ env: process.env });
  if (codex !== undefined) return codex;
  throw new RelayError('provider_unavailable', 'Codex is not installed here; install it with `npm install -g @openai/codex`');
}

const programPath = async (): Promise<string> => (await ownProgram(process.env)) ?? join(packageFolder, 'dist', 'cli.js');

async function install({
  alias = false,
  allowCommands = false,
  trustHooks: trusts = false,
  dryRun = false,
}: InstallOptions): Promise<number> {
  const codex = await requireCodex();
  const profile = alias ? shellProfile(process.env, process.platform) : null;
  if (alias && profile === null) note('Your shell is not known here: add the alias codex=codex-relay to its profile yourself.');
  const isThere = profile !== null && existsSync(profile.path) && readFileSync(profile.path, 'utf8').includes(profile.line);
  const where = { codex, marketplace, rulesPath: rulesPath(process.env), program: await programPath() };
  const code = await carryOut(planInstall(where, { allowCommands, alias: isThere ? null : profile }), dryRun);
  if (dryRun) return code;
  if (trusts) await trustHooks({ codex, env: process.env, cwd: process.cwd() });
  else
    show(
      'Codex does not run the plugin’s hooks until you trust them: look at them with /hooks in Codex, or run this again with --trust-hooks.',
    );
  const { kind, text } = await commandFinding(process.env, true);
  if (kind === 'fault') note(text);
  if (profile !== null) show(`Open a new shell, and codex means codex-relay (${profile.path}).`);
  show('Start a session that others can write to with: codex-relay');
  return code;
}

async function refresh(): Promise<number> {
  const codex = await requireCodex();
  const { output } = await runProgram([codex, 'plugin', 'list', '--json'], process.env);
  if (!output.includes('agent-relay@agent-relay')) return 0;
  const rules = rulesPath(process.env);
  const code = await carryOut(
    planInstall({ codex, marketplace, rulesPath: rules, program: await programPath() }, { allowCommands: existsSync(rules), alias: null }),
    false,
  );
  show('Codex asks about hooks that have changed: /hooks in Codex.');
  return code;
}

async function uninstall(isPurge: boolean): Promise<number> {
  const codex = (await findCodex({ env: process.env })) ?? 'codex';
  const places = { stateFolder: stateFolder(process.env), isPurge, prefix: npmPrefixOf(packageFolder) };
  const code = await carryOut(planUninstall({ codex, rulesPath: rulesPath(process.env) }, places), false);
  show(
    `Left as they are: your shell profile (a line that ends in "# agent-relay" may be in it; without codex-relay it does nothing) and the log ${logPath(process.env)}.`,
  );
  return code;
}

async function carryOut(steps: readonly InstallStep[], isDry: boolean): Promise<number> {
  for (const step of steps) show(describeInstallStep(step));
  if (isDry) show('Nothing was changed: this was --dry-run.');
  else await runInstallSteps(steps, process.env);
  return 0;
}

async function doctor(): Promise<number> {
  const findings = await examine({ codex: await findCodex({ env: process.env }), env: process.env, cwd: process.cwd() });
  for (const { kind, text } of findings) show(`${kind.padEnd(5)} ${text}`);
  return findings.some(({ kind }) => kind === 'fault') ? 1 : 0;
}

async function live(): Promise<number> {
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.once(signal, () => stopping.abort());
  await runLiveSessions({ env: process.env, tell: note, signal: stopping.signal });
  return 0;
}

async function runAsSession(args: readonly string[]): Promise<number> {
  assertOwnWords(args);
  const [command = '', ...first] = await relayCommand();
  const child = spawn(command, [...first, ...args], { stdio: 'inherit', env: { ...process.env, ...sessionVariables() } });
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}

/** On Windows npm's program is a script that would need a shell, and what an agent says must reach none: there its own file is run. */
async function relayCommand(): Promise<readonly string[]> {
  const relay = await findExecutable('agent-relay', { env: process.env });
  const file = relay === undefined ? '' : join(dirname(relay), 'node_modules', 'agent-relay-server', 'dist', 'cli.js');
  if (relay !== undefined && process.platform !== 'win32') return [relay];
  if (existsSync(file)) return [process.execPath, file];
  throw new RelayError('not_found', 'agent-relay is not installed here: npm install -g agent-relay-server');
}

/** In a session that `codex-relay` or a machine runs they are there; of a plain one its hooks have left them, whatever token its person set. */
function sessionVariables(): Record<string, string> {
  if (process.env['AGENT_RELAY_AGENT_ID'] && process.env['AGENT_RELAY_TOKEN']) return {};
  const threadId = process.env['CODEX_THREAD_ID'] ?? '';
  const session = readSession(process.env, threadId);
  if (session === null)
    throw new RelayError('not_found', 'This shell belongs to no Codex session that is an agent: agent-relay-codex doctor tells why');
  const { agentId, url, token } = session;
  return { AGENT_RELAY_ID: agentId, AGENT_RELAY_AGENT_ID: agentId, AGENT_RELAY_URL: url, AGENT_RELAY_TOKEN: token };
}

/** One message a line, in order of arrival; each is answered when it is. */
async function serveTools(): Promise<number> {
  const answering = new Set<Promise<void>>();
  for await (const line of createInterface({ input: process.stdin })) {
    const answer = answerToolMessage(line, process.env).then((said) => {
      if (said !== null) process.stdout.write(`${said}\n`);
    });
    answering.add(answer);
    void answer.finally(() => answering.delete(answer));
  }
  await Promise.allSettled(answering);
  return 0;
}

const show = (line: string): void => void process.stdout.write(`${spelledOut(line)}\n`);
const note = (line: string): void => void process.stderr.write(`${spelledOut(line)}\n`);
