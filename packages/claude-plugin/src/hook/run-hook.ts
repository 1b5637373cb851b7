import { appendFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { asText } from 'agent-relay-protocol';
import { dataFolder, isHosted, isPrivateFolder, makePrivateFolder, type SessionPlace, sessionPlace, takenFile } from '../session-place.ts';
import { afterSidecar, beforeToolUnasked, freeTurn, holdTurn, noteTaken } from './after-sidecar.ts';
import { askSidecar } from './ask-sidecar.ts';
import type { HookAnswer } from './hook-message.ts';

export interface HookRun {
  readonly argv: readonly string[];
  /** All of its standard input. */
  readonly text: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly parentPid: number;
}

/** How long each event is kept waiting, in ms. A session's start is the one that a person waits for: what it is not told there it is told with its first prompt. */
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
/** So may a first prompt. Its model waits for the tools anyhow, and those are the sidecar's. */
const FIRST_PROMPTS_PATIENCE_MS = 1_000;
const ofWaiter = { timeoutMs: undefined, patienceMs: WAITERS_PATIENCE_MS };
/** Undefined: as long as it takes. */
const timeoutOf = (event: string): number | undefined => (event === 'PermissionRequest' ? undefined : (timeouts[event] ?? OTHERS_MS));

/** What a hook of the plugin answers Claude Code. Without a sidecar nothing is said, and nothing is held up. */
export async function runHook({ argv, text, env, parentPid }: HookRun): Promise<HookAnswer> {
  const input = read(text);
  const event = asText(input['hook_event_name'] ?? '');
  const uid = process.getuid?.();
  const claudePid = Number(env['CLAUDE_PID']) || parentPid;
  const place = sessionPlace({ platform: process.platform, uid, home: homedir(), temporaryFolder: tmpdir(), claudePid });
  const isWait = argv[0] === 'wait';
  const isUnattended = env['CLAUDE_CODE_SESSION_ATTENDED'] === '0' || /^sdk/u.test(env['CLAUDE_CODE_ENTRYPOINT'] ?? '');
  // A session with an inbox is not woken by a hook; `claude -p` ends when its last hook has, and nobody would wake it after that.
  if (isWait && (env['CLAUDE_CODE_MESSAGING_SOCKET'] || isUnattended)) return {};
  if (event === 'SessionStart' && !isWait) tellShells(env['CLAUDE_ENV_FILE'], place);
  // A folder that others can write to is not the sidecar's: whoever made it could answer in its place.
  const isTrusted = () => isPrivateFolder(place.folder, uid);
  const isFirstPrompt = event === 'UserPromptSubmit' && isTrusted() && existsSync(place.startingFile);
  const limits = isWait ? ofWaiter : { timeoutMs: timeoutOf(event), patienceMs: isFirstPrompt ? FIRST_PROMPTS_PATIENCE_MS : 0 };
  const question = { type: isWait ? 'wait' : 'event', input, isUnattended } as const;
  const answer = await askSidecar(question, { door: place.door, ...limits, isTrusted });
  if (isFirstPrompt) rmSync(place.startingFile, { force: true });
  if (answer !== null && answer !== 'absent') return answer;
  if (isWait) return {};
  if (event === 'UserPromptSubmit' && !isHosted(env)) {
    takenUnheard(asText(input['prompt'] ?? ''), {
      place,
      isTrusted: isTrusted(),
      takenFile: takenFile(dataFolder(env, homedir()), claudePid),
    });
  }
  if (answer === 'absent' && event === 'SessionStart' && !isHosted(env)) noteStart(place, uid);
  return isTrusted() ? withoutSidecar(event, input, { place, isAbsent: answer === 'absent' }) : {};
}

interface Unheard {
  readonly place: SessionPlace;
  readonly isTrusted: boolean;
  readonly takenFile: string;
}

function takenUnheard(prompt: string, { place, isTrusted, takenFile: file }: Unheard): void {
  noteTaken(prompt, file);
  if (isTrusted) holdTurn(prompt, place);
}

interface Missing {
  readonly place: SessionPlace;
  /** Nobody takes hooks; else somebody does, and did not answer. */
  readonly isAbsent: boolean;
}

async function withoutSidecar(event: string, input: Readonly<Record<string, unknown>>, { place, isAbsent }: Missing): Promise<HookAnswer> {
  if (event === 'PreToolUse') return beforeToolUnasked(input, { ...place, now: Date.now });
  freeTurn(event, input, place);
  // One that has ended in peace leaves nothing there, and one that is about to start has put nothing there yet.
  const wasKilled = isAbsent && existsSync(place.shellFile);
  return wasKilled ? afterSidecar(event) : {};
}

/** The sidecar is started after the hook. */
function noteStart({ folder, startingFile, shellFile }: SessionPlace, uid: number | undefined): void {
  // It was there, and was killed.
  if (existsSync(shellFile)) return;
  try {
    makePrivateFolder(folder, uid);
    writeFileSync(startingFile, '', { mode: 0o600 });
  } catch {
    // The first prompt does not wait.
  }
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
