import { appendFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import type { SessionPlace } from '../session-place.ts';
import type { HookAnswer } from './hook-message.ts';

type Place = Pick<SessionPlace, 'readFile' | 'restrictedFile'>;

/**
 * What a hook does in a session whose sidecar was killed. What the model reads is written down for the next one, which would hand it over again; a
 * turn that mail is part of does nothing more, for nobody can say what it may; and whoever sits there is told.
 */
export function afterSidecar(event: string, prompt: string, place: Place): HookAnswer {
  switch (event) {
    case 'UserPromptSubmit':
      noteMail(prompt.match(openings) ?? [], place);
      return { stdout: JSON.stringify({ systemMessage: gone, hookSpecificOutput: { hookEventName: event, additionalContext: gone } }) };
    case 'Notification':
    case 'SessionEnd':
      // The turn is over for certain.
      rmSync(place.restrictedFile, { force: true });
      return {};
    default:
      return {};
  }
}

/** Where nobody can be asked, a turn that is known to be restricted uses no tool. */
export const beforeToolUnasked = ({ restrictedFile }: Place): HookAnswer => (existsSync(restrictedFile) ? refusal : {});

/** How messages begin. Read with `envelopeMessageIds` by the next sidecar: what that comes with would cost each hook 40 ms. */
const openings = /^\[msg:\d{1,15}\] from /gmu;

function noteMail(begun: readonly string[], { readFile, restrictedFile }: Place): void {
  if (begun.length === 0) return;
  writeFileSync(restrictedFile, '', { mode: 0o600 });
  appendFileSync(readFile, begun.map((opening) => `${opening}\n`).join(''), { mode: 0o600 });
}

const gone =
  'Agent Relay: the plugin’s process in this session has ended unexpectedly. Messages do not come in, and its tools do not answer, until `/mcp` reconnects it or the session is started again.';

const refusal: HookAnswer = {
  stdout: JSON.stringify({
    hookSpecificOutput: {
      hookEventName: 'PreToolUse',
      permissionDecision: 'deny',
      permissionDecisionReason:
        'A message from the relay is part of this turn, and what may be done in it cannot be asked: the plugin of the relay does not answer.',
    },
  }),
};
