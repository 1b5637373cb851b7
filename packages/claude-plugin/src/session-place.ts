import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { join, posix } from 'node:path';

export interface PlaceSituation {
  readonly platform: NodeJS.Platform;
  /** Of this process's user; undefined on Windows. */
  readonly uid: number | undefined;
  readonly home: string;
  readonly temporaryFolder: string;
  /** Of the Claude Code process, which its MCP servers and hooks share as their parent. */
  readonly claudePid: number;
}

/** Where the parts of one live session meet. */
export interface SessionPlace {
  /** Holds the rest, and nobody else may look into it. */
  readonly folder: string;
  /** Where hooks speak to the sidecar. */
  readonly door: string;
  /** What the shells of the session are told, in shell words. */
  readonly shellFile: string;
  /** Is there while a turn with relay mail is held to less than the session may do (`NotedHold`). */
  readonly restrictedFile: string;
  /** What is reserved, as the sidecar has heard it last. */
  readonly reservedFile: string;
  /** Is there from the start of the session until its sidecar takes hooks, or a prompt has waited for that in vain. */
  readonly startingFile: string;
  /** Where the session answers its nth correspondent. */
  replySocket(n: number): string;
}

/** A socket's path is at most this long on every system. */
const LONGEST_PATH_BYTES = 103;
/** Of 256 that the name of a pipe may have on Windows. */
const MOST_HEX = 200;
/** What is longest below the folder: `1234567-1000.sock`. */
const LONGEST_NAME_BYTES = 20;

export function sessionPlace({ platform, uid, home, temporaryFolder, claudePid }: PlaceSituation): SessionPlace {
  // Windows has no numbers for its users. What makes digests would cost each hook 10 ms.
  const name = `agent-relay-claude-${uid ?? Buffer.from(home).toString('hex').slice(-MOST_HEX)}`;
  const wanted = posix.join(temporaryFolder, name);
  const isTooLong = Buffer.byteLength(wanted) + LONGEST_NAME_BYTES > LONGEST_PATH_BYTES;
  const folder = isTooLong && platform !== 'win32' ? posix.join('/tmp', name) : wanted;
  const socket = (suffix: string): string =>
    platform === 'win32' ? `\\\\.\\pipe\\${name}-${claudePid}${suffix}` : posix.join(folder, `${claudePid}${suffix}.sock`);
  return {
    folder,
    door: socket(''),
    shellFile: posix.join(folder, `${claudePid}.env`),
    restrictedFile: posix.join(folder, `${claudePid}.restricted`),
    reservedFile: posix.join(folder, `${claudePid}.reserved`),
    startingFile: posix.join(folder, `${claudePid}.starting`),
    replySocket: (n) => socket(`-${n}`),
  };
}

/** Whether nobody but this user can put anything there. Windows gives each user a temporary folder of their own. */
export function isPrivateFolder(folder: string, uid: number | undefined): boolean {
  try {
    const found = lstatSync(folder);
    return found.isDirectory() && (uid === undefined || (found.uid === uid && (found.mode & 0o077) === 0));
  } catch {
    return false;
  }
}

/** @throws Error when somebody else has it. */
export function makePrivateFolder(folder: string, uid: number | undefined): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (uid !== undefined && lstatSync(folder).uid === uid) chmodSync(folder, 0o700);
  if (!isPrivateFolder(folder, uid)) throw new Error(`${folder} belongs to somebody else`);
}

/** Where the plugin keeps what outlives its sessions. */
export const dataFolder = (env: Readonly<Record<string, string | undefined>>, home: string): string =>
  env['CLAUDE_PLUGIN_DATA'] || join(home, '.local', 'state', 'agent-relay', 'claude');

/** What hooks saw taken in by that Claude Code while no sidecar answered them: how each message ends, on a line of its own. It outlives both. */
export const takenFile = (data: string, claudePid: number): string => join(data, 'taken', String(claudePid));

/** A session that a machine of the relay runs has its tools, its mail and its rules from there. */
export const isHosted = (env: Readonly<Record<string, string | undefined>>): boolean =>
  Boolean(env['AGENT_RELAY_AGENT_ID']) && !env['AGENT_RELAY_PLUGIN_SESSION'];
