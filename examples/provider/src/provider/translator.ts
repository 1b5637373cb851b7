import { isMail, type LiveEvent, type PromptInput } from 'agent-relay-provider';
import type { ParrotFrame } from '../wire/frames.ts';
import { kindOf, titleOf } from './tool-words.ts';

export interface SentInput extends Pick<PromptInput, 'messageIds' | 'isMail'> {
  readonly id: string;
  readonly isContext: boolean;
}

/** Parrot's frames as events of the relay. No clock, no process: a recorded conversation gives the same events each time. */
export class ParrotTranslator {
  /** Inputs that were sent and have not entered a turn yet. */
  readonly #sent = new Map<string, SentInput>();
  /** Files that running tools are writing, by their items. */
  readonly #writing = new Map<string, string>();
  #isMailTurn = false;

  /** Relay mail asked for something in the running turn. */
  get isMailTurn(): boolean {
    return this.#isMailTurn;
  }

  get hasWaitingInput(): boolean {
    for (const { isContext } of this.#sent.values()) if (!isContext) return true;
    return false;
  }

  sent(input: SentInput): void {
    this.#sent.set(input.id, input);
  }

  translate(frame: ParrotFrame): LiveEvent[] {
    switch (frame.type) {
      case 'queued':
        return evidence(this.#sent.get(frame.input), { evidence: 'echo', state: 'delivered' });
      case 'turn':
        this.#isMailTurn = false;
        return [
          { type: 'turn.started', turnId: frame.turn },
          { type: 'session.status', status: 'busy' },
        ];
      case 'heard':
        return this.#heard(frame);
      case 'word':
        return [{ type: 'text.delta', turnId: frame.turn, itemId: frame.item, text: frame.text }];
      case 'said':
        return [{ type: 'text.completed', turnId: frame.turn, itemId: frame.item, text: frame.text }];
      case 'tool':
        if (frame.input.path !== undefined) this.#writing.set(frame.item, frame.input.path);
        return [{ type: 'tool.started', ...itemOf(frame), name: frame.tool, kind: kindOf(frame), title: titleOf(frame) }];
      case 'ask':
        return []; // the session decides, and tells when it has to ask a person
      case 'done':
        return this.#done(frame);
      case 'end':
        return this.#ended({ type: 'turn.completed', turnId: frame.turn, outcome: frame.why === 'stopped' ? 'interrupted' : 'finished' });
      case 'failed':
        return this.#ended({
          type: 'turn.failed',
          turnId: frame.turn,
          error: { code: 'agent_error', message: frame.error, retryable: true },
        });
      case 'unknown':
        return [{ type: 'vendor.event', vendor: 'parrot', name: 'unknown', data: JSON.parse(JSON.stringify(frame.frame)) }];
    }
  }

  #heard(frame: Extract<ParrotFrame, { type: 'heard' }>): LiveEvent[] {
    const input = this.#sent.get(frame.input);
    this.#sent.delete(frame.input);
    const messageIds = input?.messageIds ?? [];
    if (input?.isContext === false && isMail(input)) this.#isMailTurn = true;
    return [
      { type: 'user.message', turnId: frame.turn, text: frame.text, messageIds: [...messageIds] },
      ...evidence(input, { evidence: 'turn', state: 'seen' }),
    ];
  }

  #done(frame: Extract<ParrotFrame, { type: 'done' }>): LiveEvent[] {
    const path = this.#writing.get(frame.item);
    this.#writing.delete(frame.item);
    const outcome = ({ ok: 'succeeded', failed: 'failed', refused: 'declined' } as const)[frame.result];
    const exitCode = frame.exitCode === undefined ? {} : { exitCode: frame.exitCode };
    const changed: LiveEvent[] =
      path === undefined || frame.result !== 'ok'
        ? []
        : [{ type: 'file.changed', turnId: frame.turn, changes: [{ path, change: 'updated' }] }];
    return [...changed, { type: 'tool.completed', ...itemOf(frame), outcome, output: frame.output, ...exitCode }];
  }

  #ended(end: LiveEvent): LiveEvent[] {
    this.#writing.clear();
    return [end, { type: 'session.status', status: 'idle' }];
  }
}

const itemOf = ({ turn, item }: { readonly turn: string; readonly item: string }) => ({ turnId: turn, itemId: item });

function evidence(input: SentInput | undefined, said: { evidence: 'echo' | 'turn'; state: 'delivered' | 'seen' }): LiveEvent[] {
  return (input?.messageIds ?? []).map((messageId) => ({ type: 'input.accepted', messageId, ...said }));
}
