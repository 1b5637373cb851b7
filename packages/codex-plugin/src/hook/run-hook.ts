import { messageOf, touchedFiles } from 'agent-relay-protocol';
import type { StoredSession } from '../session/stored-session.ts';
import { type HookInput, type HookOutput, readHookInput } from './hook-input.ts';
import type { FileChange, PlainSession } from './plain-session.ts';
import { RefusedCommands, refusalsText } from './refused-commands.ts';

const patchTool = 'apply_patch';

export interface HookOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
  readonly tell: (sentence: string) => void;
  /** Has another process tell that this session has ended, which nobody waits for; false where none can be started. */
  readonly endApart?: (session: StoredSession) => Promise<boolean>;
}

/**
 * Answers one hook of Codex. It never stands in a session's way: what fails is told, and answered with nothing. A session that `codex-relay` or a
 * machine of the relay runs has its own ways to the relay.
 */
export async function runCodexHook(text: string, options: HookOptions): Promise<HookOutput> {
  try {
    const input = readHookInput(text);
    return options.env['AGENT_RELAY_AGENT_ID'] ? ofManagedSession(input, options) : await ofPlainSession(input, options);
  } catch (error) {
    options.tell(`A hook failed: ${messageOf(error)}`);
    return null;
  }
}

function ofManagedSession(input: HookInput, options: HookOptions): HookOutput {
  if (input.hook_event_name === 'PreToolUse' || input.hook_event_name === 'PostToolUse') note(input, options);
  return input.hook_event_name === 'Stop' ? refusals(input, options) : null;
}

async function ofPlainSession(input: HookInput, options: HookOptions): Promise<HookOutput> {
  const { env, now, tell } = options;
  const session = async (): Promise<PlainSession> => {
    const { PlainSession } = await import('./plain-session.ts');
    return new PlainSession({ env, now, tell, threadId: input.session_id, cwd: input.cwd });
  };
  switch (input.hook_event_name) {
    case 'SessionStart':
      return { hookSpecificOutput: { hookEventName: 'SessionStart', additionalContext: await (await session()).begin() } };
    case 'UserPromptSubmit':
      await (await session()).prompted();
      return null;
    case 'PreToolUse': {
      note(input, options);
      const change = changeOf(input);
      const reason = change === null ? null : await (await session()).reservedAgainst({ cwd: input.cwd, ...change });
      const decision = { hookEventName: 'PreToolUse', permissionDecision: 'deny', permissionDecisionReason: reason };
      return reason === null ? null : { hookSpecificOutput: decision };
    }
    case 'PostToolUse':
      note(input, options);
      return null;
    case 'Stop': {
      const told = refusals(input, options);
      const mail = await (await session()).takeMail();
      if (mail !== null) return { ...told, decision: 'block', reason: mail };
      await (await session()).setStatus('idle');
      return told;
    }
    case 'SessionEnd':
      await end(input, options);
      return null;
  }
}

/** Who goes on with the conversation is another session, also where the relay has not heard yet that this one is over. */
async function end({ session_id: threadId }: HookInput, { env, endApart }: HookOptions): Promise<void> {
  const { forgetSession, isLive, readSession } = await import('../session/stored-session.ts');
  const ended = readSession(env, threadId);
  if (ended !== null && (await isLive(ended))) return;
  // Codex gives this hook three seconds, which a busy machine, or a relay far away, may take longer than.
  const isTold = ended === null || (await endApart?.(ended)) === true;
  forgetSession(env, threadId);
  if (!isTold) await (await import('./plain-session.ts')).tellEnd(env, ended);
}

/** What a patch names, and what a command is known to write; null where that is nothing. */
function changeOf({ cwd, tool_name, tool_input: { command } }: Extract<HookInput, { hook_event_name: 'PreToolUse' }>): FileChange | null {
  if (tool_name === patchTool) return { kind: 'edit', files: touchedFiles({ kind: 'edit', cwd, input: { patch: command } }) ?? [] };
  const files = touchedFiles({ kind: 'execute', cwd, input: { command } });
  return files && { kind: 'execute', files };
}

/** For people to read: where the disk takes nothing, what keeps to reservations goes on. */
function note(input: Extract<HookInput, { hook_event_name: 'PreToolUse' | 'PostToolUse' }>, { env, tell }: HookOptions): void {
  if (input.tool_name === patchTool) return;
  const commands = new RefusedCommands(env, input.session_id);
  try {
    if (input.hook_event_name === 'PreToolUse') commands.begun(input.tool_use_id, input.tool_input.command);
    else commands.ended(input.tool_use_id, input.tool_response);
  } catch (error) {
    tell(`Refused commands of this turn cannot be noted: ${messageOf(error)}`);
  }
}

function refusals({ session_id: threadId }: HookInput, { env, tell }: HookOptions): HookOutput {
  const systemMessage = refusalsText(new RefusedCommands(env, threadId).take());
  if (systemMessage === null) return null;
  tell(systemMessage);
  return { systemMessage };
}
