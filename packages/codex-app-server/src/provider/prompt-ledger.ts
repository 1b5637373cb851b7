import type { LiveEvent, PromptInput } from 'agent-relay-provider';
import { inputAccepted, UnseenPrompts } from 'agent-relay-provider/kit';
import { RecentMap, RecentSet } from 'agent-relay-wire';
import { type CodexNotification, parseNotification } from '../app-server/notifications.ts';

interface Sent {
  readonly messageIds: readonly number[];
  /** Until Codex has repeated its id: what would have to be sent again. */
  unconfirmed: PromptInput | undefined;
}

/** A prompt that Codex has not repeated. */
export interface Unconfirmed {
  readonly clientUserMessageId: string;
  readonly input: PromptInput;
}

const remembered = 1024;

/**
 * What is known of each prompt that was handed to a thread, by Codex's own words about its id.
 *
 * `delivered` (echo): Codex repeated our id in a `userMessage` item, so the text is in the conversation. That item also comes when the
 * model cannot be reached at all, so `seen` (turn) waits for the first thing that the model does after it. Text that was injected
 * without a turn is `delivered` (accepted) with Codex's answer, and seen with the end of the next turn that began after it.
 */
export class PromptLedger {
  readonly #sent = new RecentMap<string, Sent>(remembered);
  readonly #unseen = new UnseenPrompts('turn');
  readonly #endedTurns = new RecentSet<string>(256);
  #injected: number[] = [];
  #injectedBeforeTurn: { readonly turnId: string; readonly messageIds: readonly number[] } | undefined;

  add(clientId: string, input: PromptInput): void {
    this.#sent.set(clientId, { messageIds: input.messageIds, unconfirmed: input });
  }

  /** It was not sent after all. */
  dropped(clientId: string): void {
    this.#sent.delete(clientId);
  }

  messageIdsOf(clientId: string): readonly number[] {
    return this.#sent.get(clientId)?.messageIds ?? [];
  }

  /** What was sent under this id, as long as it has not come back. */
  textOf(clientId: string): string | undefined {
    return this.#sent.get(clientId)?.unconfirmed?.text;
  }

  /** What was sent and has not come back yet, oldest first. */
  get unconfirmed(): readonly Unconfirmed[] {
    return [...this.#sent].flatMap(([clientUserMessageId, { unconfirmed: input }]) => (input ? [{ clientUserMessageId, input }] : []));
  }

  injected(messageIds: readonly number[]): readonly LiveEvent[] {
    this.#injected.push(...messageIds);
    return inputAccepted(messageIds, 'delivered', 'accepted');
  }

  /** It had come into the conversation before this session began. */
  found(messageIds: readonly number[], wasRead: boolean): readonly LiveEvent[] {
    return [...inputAccepted(messageIds, 'delivered', 'echo'), ...(wasRead ? inputAccepted(messageIds, 'seen', 'turn') : [])];
  }

  observe(notification: CodexNotification): readonly LiveEvent[] {
    const known = parseNotification(notification);
    switch (known?.method) {
      case 'turn/started':
        if (this.#injected.length > 0) this.#injectedBeforeTurn = { turnId: known.params.turn.id, messageIds: this.#injected.splice(0) };
        return [];
      case 'item/started':
      case 'item/completed': {
        const { item, turnId } = known.params;
        if (item.known?.type !== 'userMessage') return item.type === 'userMessage' ? [] : this.#unseen.modelSpoke(turnId);
        return known.method === 'item/completed' && item.known.clientId ? this.#echoed(item.known.clientId, turnId) : [];
      }
      case 'turn/completed':
        return this.#turnEnded(known.params.turn);
      default:
        return [];
    }
  }

  #echoed(clientId: string, turnId: string): readonly LiveEvent[] {
    const sent = this.#sent.get(clientId);
    if (!sent?.unconfirmed) return [];
    sent.unconfirmed = undefined;
    // Found only after its turn had ended, with its server: nobody will say that it was read.
    if (!this.#endedTurns.has(turnId)) this.#unseen.entered(sent.messageIds, turnId);
    return inputAccepted(sent.messageIds, 'delivered', 'echo');
  }

  #turnEnded({ id, status }: { readonly id: string; readonly status: string }): readonly LiveEvent[] {
    const hasRun = status === 'completed';
    const seen = hasRun ? this.#unseen.modelSpoke(id) : [];
    this.#unseen.forget(id);
    this.#endedTurns.add(id);
    const injected = this.#injectedBeforeTurn;
    if (injected?.turnId !== id) return seen;
    this.#injectedBeforeTurn = undefined;
    if (hasRun) return [...seen, ...inputAccepted(injected.messageIds, 'seen', 'turn')];
    this.#injected.unshift(...injected.messageIds);
    return seen;
  }
}
