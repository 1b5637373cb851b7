import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from './clock.ts';
import { readConfig, type SettingName } from './config.ts';
import { silentLogger } from './logger.ts';
import type { StartedRelay } from './relay/relay.ts';
import { startServer } from './start-server.ts';

export type { Clock } from './clock.ts';
export type { StartedRelay } from './relay/relay.ts';

export interface TestRelayOptions {
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Default: a new file in a folder that goes with the relay. A given one stays, so that another relay can open it. */
  readonly databasePath?: string;
  /** Further settings, under the names of their environment variables. */
  readonly settings?: Partial<Readonly<Record<SettingName, string>>>;
  /** Start this machine's node as well. Default false. */
  readonly localNode?: boolean;
  readonly sseHeartbeatMs?: number;
  readonly authenticateWithinMs?: number;
  /** How long after its start somebody who starts an agent waits for a first machine. Default: as every relay, 10 000; 0 where none will come. */
  readonly arrivalMs?: number;
}

export interface TestRelay extends AsyncDisposable {
  readonly url: string;
  /** How a browser of this machine opens it. */
  readonly browserUrl: string;
  readonly ownerToken: string;
  readonly relay: StartedRelay;
  readonly databasePath: string;
  /** A link that logs a browser in once. */
  createLoginLink(): Promise<string>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** A whole relay on a free port of loopback, with a database of its own. */
export async function startTestRelay(options: TestRelayOptions = {}): Promise<TestRelay> {
  const { clock, localNode = false, settings = {}, sseHeartbeatMs, authenticateWithinMs, arrivalMs } = options;
  const folder = options.databasePath === undefined ? mkdtempSync(join(tmpdir(), 'agent-relay-test-')) : null;
  const databasePath = options.databasePath ?? join(folder ?? '', 'relay.db');
  const flags = {
    PORT: '0',
    DB_PATH: databasePath,
    AGENT_RELAY_LOCAL_NODE: localNode ? '1' : '0',
    AGENT_RELAY_HOOKS: `${databasePath}.hooks.yaml`,
    ...settings,
  };
  const server = await startServer(readConfig({ env: {}, flags }), {
    log: silentLogger,
    ...(clock === undefined ? {} : { clock }),
    ...(arrivalMs === undefined ? {} : { arrivalMs }),
    transports: {
      ...(sseHeartbeatMs === undefined ? {} : { sseHeartbeatMs }),
      ...(authenticateWithinMs === undefined ? {} : { authenticateWithinMs }),
    },
  });
  const close = async () => {
    await server.stop();
    if (folder !== null) rmSync(folder, { recursive: true, force: true });
  };
  const { url, browserUrl, ownerToken, relay, createLoginLink } = server;
  return { url, browserUrl, ownerToken, relay, databasePath, createLoginLink, close, [Symbol.asyncDispose]: close };
}

let machines = 0;

/** A machine that asked to be paired and was accepted by the owner, and has used its token once. */
export async function pairedMachine(relay: StartedRelay, name: string): Promise<{ readonly nodeId: string; readonly token: string }> {
  machines += 1;
  const { code, secret } = relay.pairings.request({ name, version: '1' }, `192.0.2.${machines % 250}`);
  const context = { principal: { type: 'owner', workspace: 'default' }, signal: new AbortController().signal } as const;
  const { nodeId } = await relay.handlers['nodes/pair']({ code }, context);
  const outcome = relay.pairings.outcome(secret);
  if (outcome.status !== 'accepted') throw new Error(outcome.status);
  await relay.authenticate(outcome.token);
  return { nodeId, token: outcome.token };
}
