import { appendFileSync, existsSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { asText } from 'agent-relay-protocol';
import { isPrivateFolder, type SessionPlace, sessionPlace } from '../session-place.ts';
import { afterSidecar, beforeToolUnasked } from './after-sidecar.ts';
import { askSidecar } from './ask-sidecar.ts';
import type { HookAnswer } from './hook-message.ts';

export interface HookRun {
  readonly argv: readonly string[];
  /** All of its standard input. */
  readonly text: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly parentPid: number;
}

/** How long each event is kept waiting, in ms. A session's start is the one that a person waits for. */
const timeouts: Readonly<Record<string, number>> = {
  SessionStart: 120,
  UserPromptSubmit: 4_000,
  UserPromptExpansion: 25_000,
  PreToolUse: 10_000,
  SessionEnd: 1_200,
};
const OTHERS_MS = 4_000;
/** A waiter is started with its session, and may be there before the sidecar. */
const WAITERS_PATIENCE_MS = 30_000;

/** What a hook of the plugin answers Claude Code. Without a sidecar nothing is said, and nothing is held up. */
export async function runHook({ argv, text, env, parentPid }: HookRun): Promise<HookAnswer> {
  const input = read(text);
  const event = asText(input['hook_event_name'] ?? '');
  const uid = process.getuid?.();
  const claudePid = Number(env['CLAUDE_PID']) || parentPid;
  const place = sessionPlace({ platform: process.platform, uid, home: homedir(), temporaryFolder: tmpdir(), claudePid });
  if (event === 'SessionStart' && argv[0] !== 'wait') tellShells(env['CLAUDE_ENV_FILE'], place);
  const isWait = argv[0] === 'wait';
  const isUnattended = env['CLAUDE_CODE_SESSION_ATTENDED'] === '0' || /^sdk/u.test(env['CLAUDE_CODE_ENTRYPOINT'] ?? '');
  // `claude -p` ends when its last hook has, and nobody would wake it after that.
  if (isWait && isUnattended) return {};
  const isOpenEnded = isWait || event === 'PermissionRequest';
  const timeoutMs = isOpenEnded ? undefined : (timeouts[event] ?? OTHERS_MS);
  const patienceMs = isWait ? WAITERS_PATIENCE_MS : event === 'SessionStart' ? 120 : 0;
  const question = { type: isWait ? 'wait' : 'event', input, isUnattended } as const;
  // A folder that others can write to is not the sidecar's: whoever made it could answer in its place.
  const isTrusted = () => isPrivateFolder(place.folder, uid);
  const answer = await askSidecar(question, { door: place.door, timeoutMs, patienceMs, isTrusted });
  if (answer !== null && answer !== 'absent') return answer;
  if (!isTrusted()) return {};
  if (event === 'PreToolUse') return beforeToolUnasked(place);
  // One that has ended in peace leaves nothing there, and one that is about to start has put nothing there yet.
  const wasKilled = answer === 'absent' && !isWait && existsSync(place.shellFile);
  return wasKilled ? afterSidecar(event, asText(input['prompt'] ?? ''), place) : {};
}

/**
 * The session's shells speak as its agent, once it is registered. Until then they speak as nobody: without a token they would be taken for the owner.
 */
function tellShells(envFile: string | undefined, { folder, shellFile }: SessionPlace): void {
  if (!envFile) return;
  const [place, path] = [folder, shellFile].map((name) => `'${name.replaceAll("'", "'\\''")}'`);
  // Looked at each time: whoever else has made the folder would run what they like in the session's shells.
  const isOwn = `[ -O ${place} ] && [ ! -L ${place} ]`;
  try {
    appendFileSync(envFile, `export AGENT_RELAY_TOKEN=not-registered-yet\n${isOwn} && [ -r ${path} ] && . ${path}\n`);
  } catch {
    // A full disk is no reason for a session to start with an error: its shells are told nothing.
  }
}

function read(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
