import type { AgentEvent } from 'agent-relay-protocol';

type InputAccepted = Extract<AgentEvent, { type: 'input.accepted' }>;

/** What there is evidence for, told of each message of a prompt. */
export const inputAccepted = (
  messageIds: readonly number[],
  state: InputAccepted['state'],
  evidence: InputAccepted['evidence'],
): readonly InputAccepted[] => messageIds.map((messageId) => ({ type: 'input.accepted', messageId, state, evidence }));

interface Unseen {
  readonly messageIds: readonly number[];
  readonly turnId: string | null;
}

/**
 * Prompts that have entered the conversation, until there is evidence that the model read them: it says or does something after them, and not
 * before, for the request that carries them may fail. Where a vendor names its turns a prompt waits for its own (`turnId`); elsewhere that is null.
 * Bounded by what is prompted between two words of the model.
 */
export class UnseenPrompts {
  readonly #evidence: InputAccepted['evidence'];
  #unseen: Unseen[] = [];

  /** `evidence` names what `seen` rests on. */
  constructor(evidence: InputAccepted['evidence']) {
    this.#evidence = evidence;
  }

  entered(messageIds: readonly number[], turnId: string | null = null): void {
    if (messageIds.length > 0) this.#unseen.push({ messageIds, turnId });
  }

  /** What is seen by that, in the order in which it entered. */
  modelSpoke(turnId: string | null = null): readonly InputAccepted[] {
    return this.#takeOf(turnId).flatMap(({ messageIds }) => inputAccepted(messageIds, 'seen', this.#evidence));
  }

  /** The turn ended without a word: nobody will tell any more. */
  forget(turnId: string | null): void {
    this.#takeOf(turnId);
  }

  #takeOf(turnId: string | null): readonly Unseen[] {
    if (this.#unseen.length === 0) return [];
    const taken = this.#unseen.filter((each) => each.turnId === turnId);
    this.#unseen = this.#unseen.filter((each) => each.turnId !== turnId);
    return taken;
  }
}
