import type { LiveEvent, PromptInput } from 'agent-relay-provider';
import { inputAccepted } from 'agent-relay-provider/kit';
import type { LinePatterns } from './line-agent.ts';
import { endOfRun, newTurnId, type RunEnd, type TurnOutput } from './turn-output.ts';

/** What a program prints is its answer. Whatever it may mean besides is looked for only where somebody gave patterns. */
export class TextOutput implements TurnOutput {
  readonly sessionId = null;
  readonly model = null;
  readonly #patterns: LinePatterns;
  #turn: { readonly turnId: string; readonly messageIds: readonly number[] } | null = null;
  #text = '';

  constructor(patterns: LinePatterns = {}) {
    this.#patterns = patterns;
  }

  begin({ text, messageIds }: PromptInput): readonly LiveEvent[] {
    const turnId = newTurnId();
    this.#turn = { turnId, messageIds };
    this.#text = '';
    return [
      { type: 'turn.started', turnId },
      { type: 'session.status', status: 'busy' },
      { type: 'user.message', turnId, text, ...(messageIds.length > 0 ? { messageIds: [...messageIds] } : {}) },
    ];
  }

  line(text: string): readonly LiveEvent[] {
    if (this.#turn === null) return [];
    const { turnId } = this.#turn;
    const said = this.#text === '' ? text : `\n${text}`;
    this.#text += said;
    return [...(said === '' ? [] : [{ type: 'text.delta', turnId, itemId: `${turnId}-text`, text: said } as const]), ...this.#meant(text)];
  }

  end(end: RunEnd): readonly LiveEvent[] {
    if (this.#turn === null) return [];
    const { turnId, messageIds } = this.#turn;
    const text = this.#text;
    this.#turn = null;
    const isDone = end.code === 0 && !end.wasStopped;
    return [
      // Its run was for this prompt and no other, and it ended well.
      ...(isDone ? inputAccepted(messageIds, 'seen', 'turn') : []),
      ...(text === '' ? [] : [{ type: 'text.completed', turnId, itemId: `${turnId}-text`, text } as const]),
      ...endOfRun(turnId, end, text),
    ];
  }

  #meant(line: string): readonly LiveEvent[] {
    const { quota, error } = this.#patterns;
    const message = line.slice(0, 1000);
    return [
      ...(quota?.test(line) ? [{ type: 'quota.warning', message } as const] : []),
      ...(error?.test(line) ? [{ type: 'agent.error', code: 'agent_error', message, willRetry: false } as const] : []),
    ];
  }
}
