import { RelayError, type SpawnMode, SpawnModeSchema } from 'agent-relay-protocol';
import { detectProgram } from 'agent-relay-provider/kit';
import { RecentSet, settlesWithin } from 'agent-relay-wire';
import { type ChildHandle, connectWebSocket, howItEnded, lastWords, ndjsonDuplex, spawnProcess } from 'agent-relay-wire/node';
import { hasLogin, notLoggedIn } from '../stream-json/login.ts';
import type { OutgoingFrame } from '../stream-json/outgoing.ts';
import { type BridgeEnd, bridgeStdio } from '../stream-json/stdio-bridge.ts';
import { stdioArguments } from './command-line.ts';
import { claudeEnvironment, environmentOfDialled } from './environment.ts';
import { folderArguments, untrustedFolder } from './folder-trust.ts';
import { claudeProgram } from './program.ts';

export interface DialRelayOptions {
  /** `ws:` or `wss:`, used exactly as given. */
  readonly url: string;
  readonly command: string;
  /** Further arguments for Claude Code: its model, a conversation to continue. */
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Aborting ends Claude Code. */
  readonly signal: AbortSignal;
  /** A sentence for the owner of the machine. */
  readonly tell: (sentence: string) => void;
}

/** Where Claude itself reads the token of a session: dialling, it is sent as `Authorization: Bearer`. */
const tokenVariable = 'CLAUDE_CODE_SESSION_ACCESS_TOKEN';

/**
 * Which way a version goes: those before 2.1.120 dial any address by themselves and were measured doing so, 2.1.120 and everything later runs on
 * stdio. Known by its number, never by trying: a version that refuses the flag exits.
 */
export function wayOf(version: string): 'sdk-url' | 'stdio' {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  const isEarlier = major < 2 || (major === 2 && (minor < 1 || (minor === 1 && patch < 120)));
  return isEarlier ? 'sdk-url' : 'stdio';
}

/**
 * Runs Claude Code so that it looks to the relay at `url` like one started with `--sdk-url`. Answers the exit code: 0 when the relay or the signal ended
 * it, else Claude's own.
 * @throws RelayError `provider_unavailable` when Claude Code is not there, `validation_failed` for an address that is none, what the relay refused
 * with, `connection_closed` when nobody answered for ten minutes.
 */
export async function dialRelay(options: DialRelayOptions): Promise<number> {
  const { command, env, tell } = options;
  const found = await detectProgram(claudeProgram(command), env);
  if (!found.available) throw new RelayError('provider_unavailable', found.reason);
  if (!(await isLoggedIn(found.command, env))) tell(notLoggedIn);
  return wayOf(found.version) === 'stdio' ? bridge(found.command, options) : dialsItself(found.command, options);
}

/** As Claude says itself, which takes a whole start of it, where the environment does not. Its settings may know a header that logs in: a no is told, and is no reason to stop. */
async function isLoggedIn(command: string, env: Readonly<Record<string, string>>): Promise<boolean> {
  if (hasLogin(env)) return true;
  const child = await spawnProcess({ command, args: ['auth', 'status'], env, stdin: 'ignore' });
  try {
    let printed = '';
    const read = async () => {
      for await (const chunk of child.stdout) printed += String(chunk);
    };
    await settlesWithin(read(), 15_000);
    return !/"loggedIn":\s*false/u.test(printed);
  } finally {
    await child.kill({ graceMs: 500 });
  }
}

async function bridge(command: string, { url, args, cwd, env, signal, tell }: DialRelayOptions): Promise<number> {
  const { [tokenVariable]: token, ...ofClaude } = env;
  const environment = environmentOfDialled(claudeEnvironment(ofClaude), url);
  const place = { cwd, env: environment, mode: modeIn(url) };
  const untrusted = untrustedFolder(place);
  if (untrusted !== null) tell(untrusted);
  // Before those of the person who dials, who may name others.
  const ofFolder = folderArguments(place);
  const child = await spawnProcess({ command, args: [...stdioArguments, ...ofFolder, ...args], cwd, env: environment });
  // Each once: a relay that repeats itself fills nobody's disk.
  const refusalsTold = new RecentSet<string>(64);
  const authorization = token ? { authorization: `Bearer ${token}` } : {};
  try {
    const end = await bridgeStdio({
      url: parseUrl(url),
      cli: ndjsonDuplex<unknown, OutgoingFrame>(child),
      dial: (lastUuid) =>
        connectWebSocket(url, {
          framing: 'lines',
          headers: { ...authorization, ...(lastUuid === null ? {} : { 'x-last-request-id': lastUuid }) },
          pingIntervalMs: 10_000,
          maxPayloadBytes: 128 << 20,
          signal,
        }),
      environment,
      onRefused: ({ message }) => {
        if (refusalsTold.has(message)) return;
        refusalsTold.add(message);
        tell(`The relay said what it may not: ${message}`);
      },
      onSilence: (why) => tell(`No relay speaks there (${why}); it is dialled again for ten minutes`),
      signal,
    });
    return await exitCode(end, child, tell);
  } finally {
    await child.kill();
  }
}

async function exitCode(end: BridgeEnd, child: ChildHandle, tell: (sentence: string) => void): Promise<number> {
  switch (end.by) {
    case 'signal':
      return 0;
    case 'peer':
      if (end.closed.code === 4001) return 0;
      throw new RelayError('forbidden', `The relay turned Claude Code away: ${end.closed.reason ?? `code ${end.closed.code}`}`);
    case 'refusal':
      throw end.error;
    case 'silence':
      throw new RelayError('connection_closed', `No relay has spoken at that address for ten minutes: ${end.why}`);
    case 'cli': {
      const exit = await child.exited;
      const words = lastWords(child);
      if (exit.code !== 0) tell(`Claude Code ${howItEnded(exit)}${words === '' ? '' : `: ${words}`}`);
      return exit.code ?? 1;
    }
  }
}

async function dialsItself(command: string, { url, args, cwd, env, signal, tell }: DialRelayOptions): Promise<number> {
  const dialling = ['--sdk-url', url, '--print', '--include-partial-messages', '--replay-user-messages', ...args, '-p', ''];
  const child = await spawnProcess({
    command,
    args: dialling,
    cwd,
    env: environmentOfDialled(claudeEnvironment(env), url),
    stdout: 'ignore',
  });
  const onAbort = () => void child.kill();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const exit = await child.exited;
  signal.removeEventListener('abort', onAbort);
  await child.kill();
  const words = lastWords(child);
  if (words !== '') tell(words);
  return signal.aborted ? 0 : (exit.code ?? 1);
}

/** The mode that the address asks for, as the relay reads it. */
function modeIn(url: string): SpawnMode {
  const asked = SpawnModeSchema.safeParse(parseUrl(url).searchParams.get('mode'));
  return asked.success ? asked.data : 'agentic';
}

/** @throws RelayError `validation_failed`. */
function parseUrl(url: string): URL {
  if (URL.canParse(url)) return new URL(url);
  throw new RelayError('validation_failed', 'url: must be a ws: or wss: address', {
    issues: [{ path: 'url', message: 'must be a ws: or wss: address' }],
  });
}
