import { readFileSync } from 'node:fs';
import { createLogger, withOwnProviders } from 'agent-relay-connect';
import { RelayError } from 'agent-relay-protocol';
import type { Provider } from 'agent-relay-provider';
import { spelledOut } from 'agent-relay-wire';
import { CommanderError } from 'commander';
import { AgentBridge, defaultProviders, newAuthToken } from './agent-bridge.ts';
import { type BridgeSettings, readBridgeSettings } from './settings.ts';

/** The command line of `agent-bridge`. Answers the exit code: 0 stopped, 1 refused, 2 the command line cannot be read. */
export async function runCli(argv: readonly string[]): Promise<number> {
  try {
    return await serve(readBridgeSettings(argv));
  } catch (error) {
    // It has said what is wrong.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof RelayError)) throw error;
    tell(`agent-bridge: ${error.message}`);
    return 1;
  }
}

async function serve(settings: BridgeSettings): Promise<number> {
  const env = ownEnvironment();
  const { auth, token = newAuthToken(), timeout, origins, maxConnections, protocol, host, mode } = settings;
  const bridge = new AgentBridge({
    ...{ protocol, host, mode, timeoutMs: timeout * 1000, allowedOrigins: origins, maxConnectionsPerAddress: maxConnections },
    providers: providersOf(settings, env),
    sandbox: settings.sandbox,
    sandboxRead: settings.sandboxRead,
    allowHandshakeOptions: settings.allowHandshakeOptions,
    allowedEnvironment: settings.agentEnv,
    log: createLogger(settings.logLevel, null),
    env,
    ...(auth ? { authToken: token } : {}),
    ...(settings.port === undefined ? {} : { port: settings.port }),
    ...(settings.sessionDir === undefined ? {} : { sessionDir: settings.sessionDir }),
    ...(settings.relay === undefined ? {} : { relay: relayOf(settings.relay, settings.relayTokenFile) }),
  });
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => resolve());
  });
  const { url } = await bridge.start();
  if (auth) show(`Auth token: ${token}`);
  show(`Connect:    ${url}${auth ? `?token=${token}` : ''}`);
  await stopped;
  await bridge.stop();
  return 0;
}

/** Those of the bridge, and those of the machine's own file; what `agentic` means for Claude and Codex is the bridge's own, however they are spoken to elsewhere. */
function providersOf(settings: BridgeSettings, env: Readonly<Record<string, string | undefined>>): readonly Provider[] {
  const own = withOwnProviders([], env).filter(({ id }) => id !== 'claude' && id !== 'codex');
  return [...defaultProviders(commandsOf(settings)).filter(({ id }) => !own.some((each) => each.id === id)), ...own];
}

const commandsOf = ({ claudePath, codexPath, geminiPath }: BridgeSettings) => ({
  ...(claudePath === undefined ? {} : { claude: claudePath }),
  ...(codexPath === undefined ? {} : { codex: codexPath }),
  ...(geminiPath === undefined ? {} : { gemini: geminiPath }),
});

function relayOf(url: string, tokenFile: string | undefined): { readonly url: string; readonly token?: string } {
  if (tokenFile === undefined) return { url };
  try {
    return { url, token: readFileSync(tokenFile, 'utf8').trim() };
  } catch (cause) {
    throw new RelayError('not_found', `${tokenFile} cannot be read`, { cause });
  }
}

/** Taken once; the bridge's own token is no agent's business. */
function ownEnvironment(): Readonly<Record<string, string | undefined>> {
  const { AGENT_BRIDGE_TOKEN: _token, ...env } = process.env;
  delete process.env['AGENT_BRIDGE_TOKEN'];
  return env;
}

/** What others wrote is in it: it gives the terminal no orders. */
const tell = (sentence: string): void => void process.stderr.write(`${spelledOut(sentence)}\n`);
const show = (line: string): void => void process.stdout.write(`${line}\n`);
