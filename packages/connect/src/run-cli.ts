import { fetchTo, outgoingFetch } from 'agent-relay-client/node';
import { Sandboxes } from 'agent-relay-host';
import { RelayError } from 'agent-relay-protocol';
import type { Provider } from 'agent-relay-provider';
import { type Log, plainLog, spelledOut } from 'agent-relay-wire';
import { isLoopbackHost } from 'agent-relay-wire/node';
import { CommanderError } from 'commander';
import { keepToken, keptTokenFile, keptUrl, readTokenFile } from './kept-token.ts';
import { createLogger } from './logger.ts';
import type { NodeEnd, NodeOptions } from './node-contract.ts';
import { clearWay, outgoingTo } from './outgoing.ts';
import { ownProvidersPath, withOwnProviders } from './own-providers.ts';
import { FileOwner, nodeFilePath } from './owner/owner.ts';
import { pair } from './pair.ts';
import { runNode } from './run-node.ts';
import { type ConnectSettings, defaultStateDir, readConnectSettings } from './settings.ts';
import { createSpeech } from './speech.ts';

/** The command line of `relay-connect`, over the given vendors and those of the machine's own file. Answers the exit code. */
export async function runCli(argv: readonly string[], providers: readonly Provider[]): Promise<number> {
  try {
    const settings = readConnectSettings(argv, process.env);
    const env = ownEnvironment();
    return await (settings.command === 'pair' ? pairMachine(settings) : connect(settings, providers, env));
  } catch (error) {
    // It has said what is wrong.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof RelayError)) throw error;
    tell(`relay-connect: ${error.message}`);
    return 1;
  }
}

async function connect(settings: ConnectSettings, providers: readonly Provider[], env: NodeOptions['env']): Promise<number> {
  // Where every session would be refused it is said now.
  await new Sandboxes({ request: settings.sandbox, env, platform: process.platform }).assertPossible();
  const credential = credentialOf(settings);
  // Before anything is asked: later the file may be missing for a while, as the relay may.
  await credential.readToken();
  const owner = new FileOwner(nodeFilePath(env), {
    mustBeThere: (env['AGENT_RELAY_NODE_FILE'] ?? '') !== '',
    beside: [settings.hooks, ownProvidersPath(env), settings.stateDir],
  });
  await owner.terms();
  const url = settings.url ?? (credential.isKept ? await keptUrl(settings.stateDir) : null) ?? new URL(DEFAULT_URL);
  const speaks = process.stderr.isTTY === true && settings.logFile === undefined;
  const log = speaks ? plainLog(settings.logLevel ?? 'error', tell) : createLogger(settings.logLevel ?? 'info', settings.logFile ?? null);
  const outgoing = settings.socket === undefined ? await outgoingTo(url, settings.ca) : undefined;
  warnOfProxy(clearWay(url, outgoing), speaks ? null : log);
  const node = await runNode({
    url,
    socketPath: settings.socket,
    socketOwnerFile: credential.file,
    outgoing,
    readToken: credential.readToken,
    name: settings.name,
    stateDir: settings.stateDir,
    allowedFolders: settings.allowFolder,
    providers: withOwnProviders(providers, env),
    owner,
    log,
    ...(speaks ? { onStatus: createSpeech(url, tell) } : {}),
    env,
    allowedEnvironment: settings.agentEnv,
    clock: Date,
    graceMs: settings.grace * 1000,
    hooksFile: settings.hooks,
    hostLimits: {
      ...{ approvalTimeoutMs: settings.approvalTimeout * 1000, activityLimitBytes: settings.buffer * (1 << 20) },
      ...{ sandbox: settings.sandbox, sandboxRead: settings.sandboxRead },
    },
  });
  const onSignal = (signal: string) => {
    log.info('leaving', { signal });
    void node.stop('relay-connect was stopped');
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, onSignal);
  return exitCode(await node.ended);
}

/** `log`: where nobody reads along. */
function warnOfProxy(warning: string | null, log: Log | null): void {
  if (warning === null) return;
  if (log === null) tell(`warning: ${warning}`);
  else log.warn('a proxy can read the token of this machine', { reason: warning });
}

interface Credential {
  readonly readToken: () => Promise<string>;
  readonly file: string | undefined;
  /** It is the one that pairing left here. */
  readonly isKept: boolean;
}

function credentialOf({ token, tokenFile, stateDir }: ConnectSettings): Credential {
  if (token !== null) return { readToken: async () => token, file: undefined, isKept: false };
  if (tokenFile !== null) return { readToken: () => readTokenFile(tokenFile), file: tokenFile, isKept: false };
  const file = keptTokenFile(stateDir);
  const readToken = () =>
    readTokenFile(file).catch((cause: unknown) => {
      throw new RelayError('not_found', 'This machine has no token: let it in with relay-connect pair, or give --token-file', { cause });
    });
  return { readToken, file, isKept: true };
}

async function pairMachine({ url: said, name, stateDir, ca }: ConnectSettings): Promise<number> {
  const url = said ?? (await keptUrl(stateDir)) ?? new URL(DEFAULT_URL);
  const { signal } = new AbortController();
  const outgoing = await outgoingTo(url, ca);
  warnOfProxy(clearWay(url, outgoing), null);
  const accepted = await pair({
    url,
    name,
    fetch: outgoing === undefined ? fetchTo(url) : outgoingFetch(outgoing),
    signal,
    onOffer: ({ code }) => {
      show(`${name} asks ${url.origin} to be let in. Its code:\n\n  ${code}\n`);
      if (url.protocol === 'http:' && !isLoopbackHost(url.hostname))
        show('The way there is not encrypted: whoever is on it can read the token. Use https where you do not trust the network.\n');
      show(`Whoever owns the relay types: agent-relay nodes pair ${code}\nWaiting; the code is good for ten minutes.`);
    },
  });
  const file = await keepToken(stateDir, { url, token: accepted.token });
  show(
    `Paired as ${accepted.name} (${accepted.nodeId}); its token is in ${file}.\nTo lend this machine now: relay-connect${stateOption(stateDir)}`,
  );
  return 0;
}

const stateOption = (stateDir: string): string => (stateDir === defaultStateDir() ? '' : ` --state-dir ${stateDir}`);

const DEFAULT_URL = 'http://127.0.0.1:4850';

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
      tell('relay-connect: the relay was away too long; the agents were ended');
      return 0;
    case 'refused':
      tell(`relay-connect: ${refusal(end)}`);
      return 1;
  }
}

const refusal = ({ error, wasAttached }: Extract<NodeEnd, { readonly type: 'refused' }>): string =>
  error.code === 'unauthorized' && wasAttached
    ? 'the token of this machine was revoked, and its agents were ended; relay-connect pair lets it in again'
    : `the relay refused this machine: ${error.message} (${error.code})`;

/** What others wrote is in it: it gives the terminal no orders. */
const tell = (line: string): void => void process.stderr.write(`${spelledOut(line)}\n`);
const show = (text: string): void => void process.stdout.write(`${spelledOut(text)}\n`);
