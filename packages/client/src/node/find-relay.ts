import { RelayError } from 'agent-relay-protocol';
import {
  databasePathOf,
  envFilePathOf,
  isLoopbackHost,
  isSameProcess,
  isSocketOfOwner,
  lastRunningRelay,
  ownerTokenPath,
  parseEnvLines,
  readEnvText,
  readOwnerToken,
  runningRelayPath,
} from 'agent-relay-wire/node';

type Environment = Readonly<Record<string, string | undefined>>;

export interface FindRelayOptions {
  readonly env: Environment;
  /** Which relay; default: `AGENT_RELAY_URL`, else the one that runs here. */
  readonly url?: string;
  /** Who speaks; default: `AGENT_RELAY_TOKEN`, else the owner when the relay runs here. */
  readonly token?: string;
  /** The database of the relay that runs here; default: what its settings and the environment name. */
  readonly databasePath?: string;
}

/** Where a relay is and who speaks to it: what `createNodeRelayClient` takes. */
export interface FoundRelay {
  readonly url: string;
  readonly token?: string;
  /** The door of this user's own relay; without one everything goes to the address. */
  readonly socketPath?: string;
  /** Whose door it must be at each connection: that of the owner of this file. */
  readonly socketOwnerFile?: string;
}

/**
 * Where a program of this user goes, and as whom. The owner's credential goes through the relay's own door only: whoever else listens on its
 * port, by mistake or not, is not shown it. A token that somebody gives goes where they say.
 * @throws RelayError `connection_closed` when no relay runs here and none was named, with `details.databasePath` where none ever said that it
 *   serves it, and with `details.url` where the one that did has ended; nothing was sent anywhere. `unauthorized` when a file of this user's relay
 *   cannot be read, `validation_failed` when its settings cannot be, or when what was named is no address.
 */
export async function findRelay({ env, ...asked }: FindRelayOptions): Promise<FoundRelay> {
  const url = asked.url ?? (env['AGENT_RELAY_URL'] || undefined);
  const token = asked.token ?? (env['AGENT_RELAY_TOKEN'] || undefined);
  if (url !== undefined) assertIsAddress(url);
  if (url !== undefined && token !== undefined) return { url, token };
  const databasePath = asked.databasePath ?? localDatabasePath(env);
  const note = lastRunningRelay(runningRelayPath(databasePath));
  if (note === null || (url !== undefined && !isSameRelay(url, note.url))) {
    if (url !== undefined) return { url };
    throw new RelayError('connection_closed', `No relay serves ${databasePath}`, { details: { databasePath } });
  }
  const credentialPath = ownerTokenPath(databasePath);
  const credential = token ?? readOwnerToken(credentialPath);
  if (note.socket !== null && isSocketOfOwner(note.socket, credentialPath)) {
    const door = { socketPath: note.socket, socketOwnerFile: credentialPath };
    return { url: note.url, ...(credential === null ? {} : { token: credential }), ...door };
  }
  if (await isSameProcess(note)) return { url: note.url, ...(token === undefined ? {} : { token }) };
  throw new RelayError('connection_closed', `No relay answers at ${note.url}`, { details: { url: note.url } });
}

function assertIsAddress(url: string): void {
  if (URL.canParse(url) && /^https?:$/u.test(new URL(url).protocol)) return;
  const message = `${url} is no address of a relay: one begins with http:// or https://`;
  throw new RelayError('validation_failed', message, { issues: [{ path: 'url', message }] });
}

/**
 * The database of this user's relay: `DB_PATH`, else what its env file says, else where the relay puts one by itself. Settings that it does not know are
 * passed over, for they are the relay's own.
 * @throws RelayError `unauthorized` when the env file cannot be read, `validation_failed` when a line of it is no setting.
 */
export function localDatabasePath(env: Environment): string {
  if (env['DB_PATH']) return databasePathOf(env);
  const path = envFilePathOf(env);
  const lines = parseEnvLines(readEnvText(path) ?? '');
  const odd = lines.find(({ setting }) => setting === null);
  // Passing over it could lead to another relay than the one that is meant.
  if (odd) throw new RelayError('validation_failed', `The env file ${path} is not valid: line ${odd.lineNumber} is not NAME=value`);
  const named = lines.findLast(({ setting }) => setting?.name === 'DB_PATH')?.setting?.value;
  return databasePathOf({ ...env, DB_PATH: named });
}

/** Two names of this machine with one port are one relay. */
function isSameRelay(asked: string, own: string): boolean {
  if (!URL.canParse(asked)) return false;
  const [left, right] = [new URL(asked), new URL(own)];
  const sameHost = left.hostname === right.hostname || (isLoopbackHost(left.hostname) && isLoopbackHost(right.hostname));
  return sameHost && left.port === right.port && left.protocol === right.protocol;
}
