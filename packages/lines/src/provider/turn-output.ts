import { randomUUID } from 'node:crypto';
import type { LiveEvent, PromptInput } from 'agent-relay-provider';

/** How the run of a turn ended. */
export interface RunEnd {
  /** Null where a signal ended it. */
  readonly code: number | null;
  /** It was asked to stop. */
  readonly wasStopped: boolean;
  /** The program's last words, and how it ended, for people. */
  readonly detail: string;
}

/** Reads what one program says, turn by turn: no clock, no process. */
export interface TurnOutput {
  /** The vendor's own id of the conversation, as far as it said one. */
  readonly sessionId: string | null;
  readonly model: string | null;
  /** The prompt is on its way into the program, which is being started for it. */
  begin(input: PromptInput): readonly LiveEvent[];
  /** One line of its output, without its end. */
  line(text: string): readonly LiveEvent[];
  end(end: RunEnd): readonly LiveEvent[];
}

/** What a turn comes to whose program said nothing of its own about the end. */
export function endOfRun(turnId: string, { code, wasStopped, detail }: RunEnd, text?: string): readonly LiveEvent[] {
  const idle: LiveEvent = { type: 'session.status', status: 'idle' };
  if (wasStopped) return [{ type: 'turn.completed', turnId, outcome: 'interrupted' }, idle];
  if (code === 0) return [{ type: 'turn.completed', turnId, outcome: 'finished', ...(text === undefined ? {} : { text }) }, idle];
  const fault = { code: code === null ? 'agent_crashed' : 'agent_error', message: detail, retryable: code === null };
  return [{ type: 'turn.failed', turnId, error: fault }, idle];
}

export const newTurnId = (): string => randomUUID();
