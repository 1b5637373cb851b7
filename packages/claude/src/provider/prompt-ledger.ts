import { isMail, type LiveEvent, type PromptInput } from 'agent-relay-provider';

export interface SentPrompt extends PromptInput {
  readonly uuid: string;
  /** Adds context and asks the model nothing. */
  readonly isContext: boolean;
}

interface Entry extends SentPrompt {
  isDelivered: boolean;
}

/**
 * What is known of each prompt, by Claude's own words about its uuid. `queued`, or an echo, proves that the runtime has it: delivered. A prompt
 * that has entered the conversation is *seen* with the next thing the model says, and not before: the request that carries it may fail.
 */
export class PromptLedger {
  readonly #prompts = new Map<string, Entry>();
  readonly #entered = new Map<string, Entry>();

  add(prompt: SentPrompt): void {
    this.#prompts.set(prompt.uuid, { ...prompt, isDelivered: false });
  }

  /** A prompt that was sent and will start a turn, or join one, and has not yet. */
  get hasWaiting(): boolean {
    for (const prompt of this.#prompts.values()) if (!prompt.isContext) return true;
    return false;
  }

  get hasWaitingMail(): boolean {
    for (const prompt of this.#prompts.values()) if (!prompt.isContext && isMail(prompt)) return true;
    return false;
  }

  queued(uuid: string): LiveEvent[] {
    const entry = this.#prompts.get(uuid);
    return entry ? delivered(entry) : [];
  }

  /** Null when it had entered before, or is none of ours. */
  entered(uuid: string): { readonly prompt: SentPrompt; readonly events: LiveEvent[] } | null {
    const entry = this.#prompts.get(uuid);
    if (!entry) return null;
    this.#prompts.delete(uuid);
    if (entry.messageIds.length > 0) this.#entered.set(uuid, entry);
    return { prompt: entry, events: delivered(entry) };
  }

  /** It left the queue without entering the conversation. */
  dropped(uuid: string): void {
    this.#prompts.delete(uuid);
  }

  modelSpoke(): LiveEvent[] {
    if (this.#entered.size === 0) return [];
    const events = [...this.#entered.values()].flatMap((entry) => accepted(entry, 'seen'));
    this.#entered.clear();
    return events;
  }
}

function delivered(entry: Entry): LiveEvent[] {
  if (entry.isDelivered) return [];
  entry.isDelivered = true;
  return accepted(entry, 'delivered');
}

const accepted = ({ messageIds }: SentPrompt, state: 'delivered' | 'seen'): LiveEvent[] =>
  messageIds.map((messageId) => ({ type: 'input.accepted', messageId, evidence: 'echo', state }));
