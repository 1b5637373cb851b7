import { accessSync, constants, existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEFAULT_WORKSPACE, HooksFileSchema, messageOf, RelayError } from 'agent-relay-protocol';
import { FollowedYaml, ownerTokenPath, runningRelayPath } from 'agent-relay-wire/node';
import { browserUrl } from './browser-url.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { describeSettings } from './describe-settings.ts';
import { browserHostOf } from './domain/browser-host.ts';
import { diskHealth, localNodeHealth, type PartHealth } from './domain/health.ts';
import { ownersNode } from './domain/owners-node.ts';
import type { DoorSituation } from './door-places.ts';
import { engine } from './engine.ts';
import { listenOn, localUrl } from './listen.ts';
import { LOCAL_NODE_NAME, LocalNode, OUTDATED_NODE } from './local-node.ts';
import type { Logger } from './logger.ts';
import { writeFailure } from './operations/half-file.ts';
import { claimDatabase } from './operations/serving-claim.ts';
import { createAddressGuard } from './outbound/address-guard.ts';
import { HttpPostSender } from './outbound/http-post-sender.ts';
import { pushEndpointFault } from './outbound/push-endpoint.ts';
import { openOwnerDoor } from './owner-door.ts';
import { ensureOwnerToken } from './owner-token.ts';
import { localNodeLogPath, localNodePath, localNodeStateFolder, pushKeyPath } from './paths.ts';
import { ensurePushKeys } from './push-keys.ts';
import type { CallContext } from './relay/contract/relay-contract.ts';
import { defaultSettings, type RelaySettings } from './relay/contract/relay-settings.ts';
import type { RelayHooksFile } from './relay/hooks/own-hooks.ts';
import type { PushKeys } from './relay/push/push-encryption.ts';
import { createRelay, type StartedRelay } from './relay/relay.ts';
import type { RelayDeps } from './relay/relay-deps.ts';
import { createSessions } from './relay/sessions/sessions.ts';
import { removeRunningRelay, writeRunningRelay } from './running-relay.ts';
import { SteadyClock } from './steady-clock.ts';
import type { Store } from './store/store.ts';
import { createRelayServer, type RelayServerDeps } from './transports/relay-server.ts';

const DAY_MS = 86_400_000;

export interface StartServerDeps {
  readonly log: Logger;
  readonly clock?: Clock;
  readonly transports?: Pick<RelayServerDeps, 'sseHeartbeatMs' | 'authenticateWithinMs'>;
  /** How long after its start it expects its machines. */
  readonly arrivalMs?: number;
}

/** A relay that listens. */
export interface RunningServer {
  /** How it is reached from this machine. */
  readonly url: string;
  /** How a browser of this machine opens it. */
  readonly browserUrl: string;
  readonly ownerToken: string;
  readonly relay: StartedRelay;
  /** A link that logs a browser in once, within ten minutes. */
  createLoginLink(): Promise<string>;
  /** Ends the local node with its agents, then streams, calls and sockets, then the store. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Builds and starts everything: the composition root.
 * @throws RelayError with one sentence for whoever started it: the port is taken, the database cannot be used, another relay serves it.
 */
export async function startServer(
  config: Config,
  { log, clock = new SteadyClock(), transports = {}, arrivalMs = defaultSettings.arrivalMs }: StartServerDeps,
): Promise<RunningServer> {
  const undo = new Undo();
  try {
    return await start(config, { log, clock, transports, arrivalMs }, undo);
  } catch (error) {
    // What has begun must not go on without anybody to stop it.
    await undo.run().catch((second: unknown) => log.error('a start that failed could not be undone', { error: second }));
    throw error;
  }
}

async function start(config: Config, { log, clock, transports, arrivalMs }: Required<StartServerDeps>, undo: Undo): Promise<RunningServer> {
  const { databasePath, host } = config;
  const ownerToken = prepareFiles(databasePath);
  const lock = await claimDatabase(databasePath);
  undo.add(() => lock.release());
  let node: LocalNode | null = null;
  const ownerTokens = config.token === null ? [ownerToken] : [ownerToken, config.token];
  const relay = await openRelay(config, { log, clock, ownerTokens, arrivalMs, isNodeOutdated: () => node?.isOutdated ?? false });
  undo.add(() => relay.close());
  // A relay that could write nothing would answer, and do nothing that anybody asks of it.
  const fault = await relay.core.store.check();
  if (fault) throw naming(databasePath, fault);
  const { server, door, drain } = createRelayServer({
    relay,
    log,
    clock,
    bindHost: host,
    allowedHosts: config.allowedHosts,
    corsOrigins: config.corsOrigins,
    allowRemoteAnonymous: config.allowUnauthenticated && config.token === null,
    requireToken: config.requireToken,
    dashboardFolder: dashboardFolder(),
    ...transports,
  });
  undo.add(drain);
  const port = await listenOn(server, config);
  const url = localUrl(host, port);
  const forBrowsers = browserUrl(url, browserHostOf(relay.generation));
  const socket = await openOwnerDoor(doorSituation(databasePath, ownerToken), door, log);
  undo.add(() => removeRunningRelay(runningRelayPath(databasePath)));
  await noteDown(databasePath, { url, socket });
  if (config.localNode) {
    const started = await startLocalNode(config, { url, socket, store: relay.core.store }, log);
    undo.add(() => started.stop());
    node = started;
  }
  return {
    url,
    ownerToken,
    relay,
    browserUrl: forBrowsers,
    createLoginLink: async () => `${forBrowsers}/login#${(await relay.handlers['login/create']({}, ownerContext)).code}`,
    stop: () => undo.run(),
  };
}

/** A user without an entry in the system's list has a number all the same. */
const doorSituation = (databasePath: string, secret: string): DoorSituation => ({
  platform: process.platform,
  databasePath,
  secret,
  temporaryFolder: tmpdir(),
  uid: process.getuid?.() ?? -1,
});

/** What a start has begun, ended in the opposite order. */
class Undo {
  readonly #steps: (() => void | Promise<void>)[] = [];
  #ran: Promise<void> | undefined;

  add(step: () => void | Promise<void>): void {
    this.#steps.push(step);
  }

  /** Idempotent. */
  run(): Promise<void> {
    this.#ran ??= this.#run();
    return this.#ran;
  }

  /** Every step, whatever becomes of the others; throws what the first failed one threw. */
  async #run(): Promise<void> {
    const faults: unknown[] = [];
    for (const step of this.#steps.toReversed()) {
      try {
        await step();
      } catch (error) {
        faults.push(error);
      }
    }
    if (faults.length > 0) throw faults[0];
  }
}

async function noteDown(databasePath: string, where: { readonly url: string; readonly socket: string | null }): Promise<void> {
  try {
    await writeRunningRelay(runningRelayPath(databasePath), where);
  } catch (error) {
    throw writeFailure(error);
  }
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
    const reason = messageOf(cause);
    throw new RelayError('store_unavailable', `The relay cannot write its database ${databasePath}: ${reason}`, { cause });
  }
}

interface OpenDeps extends Pick<RelayDeps, 'log' | 'clock' | 'ownerTokens'>, Pick<RelaySettings, 'arrivalMs'> {
  readonly isNodeOutdated: () => boolean;
}

async function openRelay(config: Config, { isNodeOutdated, arrivalMs, ...deps }: OpenDeps): Promise<StartedRelay> {
  const { databasePath, staleTtlMs, offlinePruneMs, reapIntervalMs, retentionDays, integrations, privateCallbacks, guard, spawn } = config;
  const reportsPerMinute = config.integrationRateLimitPerMinute;
  const settings = {
    ...defaultSettings,
    staleTtlMs,
    offlinePruneMs,
    reapIntervalMs,
    retentionMs: retentionDays * DAY_MS,
    activityRetentionMs: config.activityDays * DAY_MS,
    approvalRetentionMs: config.approvalDays * DAY_MS,
    usageRetentionMs: config.usageDays * DAY_MS,
    auditRetentionMs: config.auditDays * DAY_MS,
    reportsPerMinute,
    arrivalMs,
    guard,
    spawn,
  };
  const addressGuard = createAddressGuard(privateCallbacks);
  const sender = new HttpPostSender({ guard: addressGuard });
  const store = await engine.open(databasePath).catch((error: unknown) => {
    throw naming(databasePath, error);
  });
  const callbacks = { sender, random: Math.random };
  const push = {
    ...callbacks,
    keys: keysAt(pushKeyPath(databasePath)),
    endpointFault: (endpoint: string) => pushEndpointFault(endpoint, addressGuard),
  };
  const startedAt = performance.now();
  const probes = {
    disk: () => probeDisk(databasePath),
    ...(config.localNode
      ? { localNode: () => probeLocalNode(relay, { sinceMs: performance.now() - startedAt, isOutdated: isNodeOutdated() }) }
      : {}),
  };
  const hooksFile = openHooksFile(config.hooksFile, deps.log);
  const configuration = describeSettings(config);
  const parts = { ...deps, configuration, hooksFile, store, settings, workspace: DEFAULT_WORKSPACE, integrations, callbacks, push, probes };
  const relay: StartedRelay = await createRelay({ ...parts, createSessions: (core) => createSessions(core) }).catch(
    async (error: unknown) => {
      await store.close();
      throw naming(databasePath, error);
    },
  );
  return relay;
}

/** Read once: whoever puts another key there starts the relay anew. */
function keysAt(path: string): () => PushKeys {
  let keys: PushKeys | null = null;
  return () => {
    keys ??= ensurePushKeys(path);
    return keys;
  };
}

/** A fault in it keeps no relay from starting: it is logged, and `agent-relay hooks` shows it. */
function openHooksFile(path: string, log: Logger): RelayHooksFile {
  const onFault = (fault: string | null) => {
    if (fault !== null) log.warn('the hooks are not followed as they stand now', { fault });
  };
  return new FollowedYaml<RelayHooksFile['current']>({ path, schema: HooksFileSchema, empty: [], onFault });
}

/** What is wrong with a database, with the file in its sentence. */
const naming = (databasePath: string, error: unknown): unknown =>
  error instanceof RelayError && !error.message.includes(databasePath)
    ? new RelayError(error.code, `${error.message} (${databasePath})`, { cause: error.cause ?? error })
    : error;

async function probeDisk(databasePath: string): Promise<PartHealth> {
  const { bavail, bsize } = await statfs(dirname(databasePath));
  return diskHealth(bavail * bsize);
}

/** This machine's own node; others come and go as their people like. */
async function probeLocalNode(
  relay: StartedRelay,
  { sinceMs, isOutdated }: { readonly sinceMs: number; readonly isOutdated: boolean },
): Promise<PartHealth> {
  const { data } = await relay.handlers['nodes/list']({}, ownerContext);
  const isOnline = ownersNode(data, LOCAL_NODE_NAME)?.status === 'online';
  return localNodeHealth({ isOnline, sinceMs, remark: isOutdated ? OUTDATED_NODE : null });
}

async function localNodeHasAgents({ sessions, nodes }: Store): Promise<boolean> {
  const node = ownersNode(await nodes.list(DEFAULT_WORKSPACE), LOCAL_NODE_NAME);
  return (await sessions.unfinished()).some(({ workspace, session }) => workspace === DEFAULT_WORKSPACE && session.nodeId === node?.nodeId);
}

async function startLocalNode(
  { databasePath, approvalTimeoutSeconds, agentEnvironment, sandbox, hooksFile }: Config,
  { store, ...where }: { readonly url: string; readonly socket: string | null; readonly store: Store },
  log: Logger,
): Promise<LocalNode> {
  const node = new LocalNode({
    ...where,
    tokenFile: ownerTokenPath(databasePath),
    stateFolder: localNodeStateFolder(databasePath),
    processFile: localNodePath(databasePath),
    logFile: localNodeLogPath(databasePath),
    approvalTimeoutSeconds,
    agentEnvironment,
    sandbox,
    hooksFile,
    env: process.env,
    hasAgents: () => localNodeHasAgents(store),
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
