import { accessSync, constants, existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEFAULT_WORKSPACE, RelayError } from 'agent-relay-protocol';
import { type Clock, systemClock } from './clock.ts';
import type { Config } from './config.ts';
import { diskHealth, type PartHealth } from './domain/health.ts';
import { LOCAL_NODE_NAME, LocalNode } from './local-node.ts';
import type { Logger } from './logger.ts';
import { createAddressGuard } from './outbound/address-guard.ts';
import { HttpCallbackSender } from './outbound/callback-sender.ts';
import { ensureOwnerToken, isFileError } from './owner-token.ts';
import { localNodeLogPath, localNodePath, localNodeStateFolder, ownerTokenPath, runningRelayPath } from './paths.ts';
import { createRelay, type RelayDeps, type RunningRelay } from './relay/relay.ts';
import type { CallContext } from './relay/relay-contract.ts';
import { defaultSettings } from './relay/relay-settings.ts';
import { createSessions } from './relay/sessions.ts';
import { readRunningRelay, removeRunningRelay, writeRunningRelay } from './running-relay.ts';
import { SqliteStore } from './store/sqlite/sqlite-store.ts';
import { createRelayServer, type RelayServerDeps } from './transports/relay-server.ts';

const DAY_MS = 86_400_000;

export interface StartServerDeps {
  readonly log: Logger;
  readonly clock?: Clock;
  readonly transports?: Pick<RelayServerDeps, 'sseHeartbeatMs' | 'authenticateWithinMs'>;
}

/** A relay that listens. */
export interface RunningServer {
  /** How it is reached from this machine. */
  readonly url: string;
  readonly ownerToken: string;
  readonly relay: RunningRelay;
  /** A link that logs a browser in once, within ten minutes. */
  createLoginLink(): Promise<string>;
  /** Ends the local node with its agents, then streams, calls and sockets, then the store. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Builds and starts everything: the composition root.
 * @throws RelayError with one sentence for whoever started it: the port is taken, the database cannot be used, another relay serves it.
 */
export async function startServer(config: Config, { log, clock = systemClock, transports = {} }: StartServerDeps): Promise<RunningServer> {
  const { databasePath, host } = config;
  const other = await readRunningRelay(runningRelayPath(databasePath));
  if (other !== null && other.pid !== process.pid) {
    throw new RelayError('busy', `Another relay (process ${other.pid}, ${other.url}) already serves the database ${databasePath}`);
  }
  const ownerToken = prepareFiles(databasePath);
  const relay = await openRelay(config, { log, clock, ownerTokens: config.token === null ? [ownerToken] : [ownerToken, config.token] });
  const { server, drain } = createRelayServer({
    relay,
    log,
    clock,
    bindHost: host,
    allowedHosts: config.allowedHosts,
    corsOrigins: config.corsOrigins,
    allowRemoteAnonymous: config.allowUnauthenticated && config.token === null,
    dashboardFolder: dashboardFolder(),
    ...transports,
  });
  const port = await listen(server, config).catch(async (error: unknown) => {
    await relay.close();
    throw error;
  });
  const url = localUrl(host, port);
  await writeRunningRelay(runningRelayPath(databasePath), url);
  const node = config.localNode ? await startLocalNode(config, url, log) : null;

  const stop = async () => {
    await node?.stop();
    await drain();
    await relay.close();
    removeRunningRelay(runningRelayPath(databasePath));
  };
  let stopped: Promise<void> | undefined;
  return {
    url,
    ownerToken,
    relay,
    createLoginLink: async () => `${url}/login#${(await relay.handlers['login/create']({}, ownerContext)).code}`,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

const ownerContext: CallContext = { principal: { type: 'owner', workspace: DEFAULT_WORKSPACE }, signal: new AbortController().signal };

function prepareFiles(databasePath: string): string {
  try {
    const token = ensureOwnerToken(ownerTokenPath(databasePath));
    accessSync(dirname(databasePath), constants.W_OK);
    if (existsSync(databasePath)) accessSync(databasePath, constants.R_OK | constants.W_OK);
    return token;
  } catch (cause) {
    if (cause instanceof RelayError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RelayError('store_unavailable', `The relay cannot write its database ${databasePath}: ${reason}`, { cause });
  }
}

async function openRelay(config: Config, deps: Pick<RelayDeps, 'log' | 'clock' | 'ownerTokens'>): Promise<RunningRelay> {
  const { databasePath, staleTtlMs, offlinePruneMs, reapIntervalMs, retentionDays, integrations, privateCallbacks, guard } = config;
  const reportsPerMinute = config.integrationRateLimitPerMinute;
  const settings = {
    ...defaultSettings,
    staleTtlMs,
    offlinePruneMs,
    reapIntervalMs,
    retentionMs: retentionDays * DAY_MS,
    reportsPerMinute,
    guard,
  };
  const sender = new HttpCallbackSender({ guard: createAddressGuard(privateCallbacks) });
  const store = await SqliteStore.open({ path: databasePath });
  const callbacks = { sender, random: Math.random };
  const relay: RunningRelay = await createRelay({
    ...deps,
    store,
    settings,
    integrations,
    callbacks,
    probes: { disk: () => probeDisk(databasePath), ...(config.localNode ? { localNode: () => probeLocalNode(relay) } : {}) },
    createSessions: (core) => createSessions(core),
  });
  return relay;
}

async function probeDisk(databasePath: string): Promise<PartHealth> {
  const { bavail, bsize } = await statfs(dirname(databasePath));
  return diskHealth(bavail * bsize);
}

/** This machine's own node; others come and go as their people like. */
async function probeLocalNode(relay: RunningRelay): Promise<PartHealth> {
  const { data } = await relay.handlers['nodes/list']({}, ownerContext);
  if (data.some(({ name, status }) => name === LOCAL_NODE_NAME && status === 'online')) return { status: 'ok' };
  return { status: 'degraded', reason: 'The node of this machine is not connected: no agent can be started on it' };
}

function listen(server: Server, { host, port }: Config): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenFault(error, host, port)));
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port)); // it listens on TCP, never on a pipe
  });
}

function listenFault(cause: Error, host: string, port: number): RelayError {
  if (isFileError(cause, 'EADDRINUSE')) {
    return new RelayError('busy', `Port ${port} of ${host} is taken: stop what listens there, or choose another with --port`, { cause });
  }
  if (isFileError(cause, 'EACCES'))
    return new RelayError('forbidden', `Port ${port} of ${host} needs more rights: choose one above 1023`, { cause });
  return new RelayError('unsupported', `The relay cannot listen on ${host}, port ${port}: ${cause.message}`, { cause });
}

/** An address for all interfaces is none to connect to. */
function localUrl(host: string, port: number): string {
  if (host === '0.0.0.0') return `http://127.0.0.1:${port}`;
  if (host === '::') return `http://[::1]:${port}`;
  return `http://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
}

async function startLocalNode({ databasePath, approvalTimeoutSeconds }: Config, url: string, log: Logger): Promise<LocalNode> {
  const node = new LocalNode({
    url,
    tokenFile: ownerTokenPath(databasePath),
    stateFolder: localNodeStateFolder(databasePath),
    processFile: localNodePath(databasePath),
    logFile: localNodeLogPath(databasePath),
    approvalTimeoutSeconds,
    log: log.child({ part: 'local node' }),
  });
  await node.start();
  return node;
}

/** The build copies the dashboard beside the code; a checkout that runs from its sources has it where the dashboard was built. */
function dashboardFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  return import.meta.url.endsWith('.ts') ? join(here, '..', '..', '..', 'apps', 'dashboard', 'dist') : join(here, 'dashboard');
}
