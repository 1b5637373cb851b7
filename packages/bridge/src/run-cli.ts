import { readFileSync } from 'node:fs';
import { createLogger } from 'agent-relay-connect';
import { RelayError } from 'agent-relay-protocol';
import { spelledOut } from 'agent-relay-wire';
import { AgentBridge, defaultProviders, newAuthToken } from './agent-bridge.ts';
import { type BridgeSettings, readBridgeSettings } from './settings.ts';

/** The command line of `agent-bridge`. Answers the exit code: 0 stopped, 1 refused. */
export async function runCli(argv: readonly string[]): Promise<number> {
  const settings = readBridgeSettings(argv);
  try {
    return await serve(settings);
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    tell(`agent-bridge: ${error.message}`);
    return 1;
  }
}

async function serve(settings: BridgeSettings): Promise<number> {
  assertNoSandbox(settings.sandbox);
  const { auth, token = newAuthToken(), timeout, origins, maxConnections, protocol, host, mode } = settings;
  const bridge = new AgentBridge({
    ...{ protocol, host, mode, timeoutMs: timeout * 1000, allowedOrigins: origins, maxConnectionsPerAddress: maxConnections },
    providers: defaultProviders(commandsOf(settings)),
    allowHandshakeOptions: settings.allowHandshakeOptions,
    allowedEnvironment: settings.agentEnv,
    log: createLogger(settings.logLevel, null),
    env: ownEnvironment(),
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

function assertNoSandbox(backend: string): void {
  if (backend === 'none') return;
  if (backend === 'auto') tell('agent-bridge: --sandbox=auto: there is no sandbox in this version, agents run without one');
  else throw new RelayError('unsupported', `--sandbox=${backend} requested but unavailable: this version has no sandbox`);
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
