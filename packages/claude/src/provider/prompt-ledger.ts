import { isMail, type LiveEvent, type PromptInput } from 'agent-relay-provider';
import { inputAccepted, UnseenPrompts } from 'agent-relay-provider/kit';
import { envelopeMessageIds, RecentSet } from 'agent-relay-wire';

export interface SentPrompt extends PromptInput {
  readonly uuid: string;
  /** Adds context and asks the model nothing. */
  readonly isContext: boolean;
  /** Claude may have it under this uuid already, and drops it then. */
  readonly isRepeat?: boolean;
}

interface Entry extends SentPrompt {
  isDelivered: boolean;
  /**
   * Of a prompt that was sent again: a first echo may only tell that Claude has it, in its queue or in the turn that runs. That it enters is told by
   * another echo, or by the beginning of the next turn, which takes whatever waits.
   */
  doubt: 'none' | 'unheard' | 'acknowledged';
}

const REMEMBERED = 10_000;

/**
 * What is known of each prompt, by Claude's own words about its uuid. `queued`, or an echo, proves that the runtime has it: delivered. A prompt
 * that has entered the conversation is *seen* with the next thing the model says, and not before: the request that carries it may fail.
 */
export class PromptLedger {
  readonly #prompts = new Map<string, Entry>();
  readonly #unseen = new UnseenPrompts('echo');
  /** Of every prompt of this session's, and of each that was found. */
  readonly #known = new RecentSet<string>(REMEMBERED);

  add(prompt: SentPrompt): void {
    if (prompt.isRepeat && this.#known.has(prompt.uuid)) return;
    this.#known.add(prompt.uuid);
    this.#prompts.set(prompt.uuid, { ...prompt, isDelivered: false, doubt: prompt.isRepeat ? 'unheard' : 'none' });
  }

  /** On another link. */
  sentAgain(uuid: string): void {
    const entry = this.#prompts.get(uuid);
    if (entry) entry.doubt = 'unheard';
  }

  /** Whether an echo that comes now tells no more than that Claude has this prompt. */
  isFirstEchoOfRepeat(uuid: string): boolean {
    const entry = this.#prompts.get(uuid);
    if (entry?.doubt !== 'unheard') return false;
    entry.doubt = 'acknowledged';
    return true;
  }

  /** Which prompts that were sent again are in the turn that begins. */
  enteringNow(): readonly string[] {
    const acknowledged = [...this.#prompts.values()].filter(({ doubt }) => doubt === 'acknowledged');
    for (const entry of this.#prompts.values()) entry.doubt = 'none';
    return acknowledged.map(({ uuid }) => uuid);
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

  queued(uuid: string): readonly LiveEvent[] {
    const entry = this.#prompts.get(uuid);
    return entry ? delivered(entry) : [];
  }

  /** Null when it had entered before, or is none of ours. */
  entered(uuid: string): { readonly prompt: SentPrompt; readonly events: readonly LiveEvent[] } | null {
    const entry = this.#prompts.get(uuid);
    if (!entry) return null;
    this.#prompts.delete(uuid);
    this.#unseen.entered(entry.messageIds);
    return { prompt: entry, events: delivered(entry) };
  }

  /**
   * A prompt that Claude had before this session began: whoever handed it over died, and the relay, which has no word of it, would hand it over once more.
   * What it carried is told as any other.
   */
  found(uuid: string, text: string): readonly LiveEvent[] {
    if (this.#known.has(uuid)) return [];
    this.#known.add(uuid);
    const messageIds = envelopeMessageIds(text);
    this.#unseen.entered(messageIds);
    return inputAccepted(messageIds, 'delivered', 'echo');
  }

  /** It left the queue without entering the conversation. */
  dropped(uuid: string): void {
    this.#prompts.delete(uuid);
  }

  modelSpoke(): readonly LiveEvent[] {
    return this.#unseen.modelSpoke();
  }
}

function delivered(entry: Entry): readonly LiveEvent[] {
  if (entry.isDelivered) return [];
  entry.isDelivered = true;
  return inputAccepted(entry.messageIds, 'delivered', 'echo');
}
