import { appendFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { asText } from 'agent-relay-protocol';
import type { SessionPlace } from '../session-place.ts';
import { beginsAnew, type HookAnswer, type HookQuestion } from './hook-message.ts';
import { holdNotedIn, noteHold } from './noted-hold.ts';

type Place = Pick<SessionPlace, 'restrictedFile'>;
type Unasked = Pick<SessionPlace, 'restrictedFile' | 'reservedFile'> & { readonly now: () => number };
type Input = HookQuestion['input'];

/** What a hook says in a session whose sidecar was killed: whoever sits there is told. */
export const afterSidecar = (event: string): HookAnswer =>
  event === 'UserPromptSubmit'
    ? { stdout: JSON.stringify({ systemMessage: gone, hookSpecificOutput: { hookEventName: event, additionalContext: gone } }) }
    : {};

/** The turn is over for certain, however nobody answers. Other notifications say that a dialog is open, in the middle of one. */
export function freeTurn(event: string, { source, notification_type }: Input, { restrictedFile }: Place): void {
  const isOver = event === 'SessionEnd' || (event === 'Notification' && notification_type === 'idle_prompt');
  if (isOver || (event === 'SessionStart' && beginsAnew(source))) rmSync(restrictedFile, { force: true });
}

/**
 * A turn that mail is part of uses no tool as long as no sidecar answers, killed or hung: nobody else knows what it may do. What a person types after one that
 * has stopped begins another.
 */
export function holdTurn(prompt: string, { restrictedFile }: Place): void {
  try {
    if (closingsIn(prompt).length > 0) noteHold(restrictedFile, 'runs');
    else if (holdNotedIn(restrictedFile) === 'stopped') rmSync(restrictedFile, { force: true });
  } catch {
    // A full disk is no reason for a prompt to go wrong.
  }
}

/** Where nobody can be asked, a turn that is known to be restricted uses no tool, and none what is known to be reserved. */
export async function beforeToolUnasked(input: Input, { restrictedFile, reservedFile, now }: Unasked): Promise<HookAnswer> {
  if (existsSync(restrictedFile)) return denied(unanswered);
  if (!existsSync(reservedFile)) return {};
  const { tool_name, tool_input, cwd } = input;
  const use = { name: asText(tool_name ?? ''), input: { ...Object(tool_input) }, cwd: asText(cwd ?? '') };
  // Most hooks never need what compares files.
  const { againstReserved } = await import('../reserved-file.ts');
  const reason = againstReserved(reservedFile, use, now);
  return reason === null ? {} : denied(reason);
}

/** What the model is given is written down where no sidecar answers: the next one would hand it over again. */
export function noteTaken(prompt: string, file: string): void {
  const closings = closingsIn(prompt);
  if (closings.length === 0) return;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    appendFileSync(file, closings.map((closing) => `${closing}\n`).join(''), { mode: 0o600 });
  } catch {
    // A full disk is no reason for a prompt to go wrong.
  }
}

const closingsIn = (prompt: string): readonly string[] => prompt.match(closings) ?? [];

/** How messages end: what reads envelopes otherwise would cost each hook 40 ms. */
const closings = /^\[end msg:\d{1,15} [^\]\n]*\]$/gmu;

const gone =
  'Agent Relay: the plugin’s process in this session has ended unexpectedly. Messages do not come in, and its tools do not answer, until `/mcp` reconnects it or the session is started again.';

const unanswered =
  'A message from the relay is part of this turn, and what may be done in it cannot be asked: the plugin of the relay does not answer.';
const denied = (permissionDecisionReason: string): HookAnswer => ({
  stdout: JSON.stringify({ hookSpecificOutput: { hookEventName: 'PreToolUse', permissionDecision: 'deny', permissionDecisionReason } }),
});
