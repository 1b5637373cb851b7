import type { ActivityEntry, RelayClient } from 'agent-relay-client';
import type { Message } from 'agent-relay-protocol';
import { isRetryable, sleep } from 'agent-relay-wire';

/** The turn that a message was part of, when it is over. */
export interface EndedTurn {
  readonly agentId: string;
  /** What the agent said at its end, if it said anything. */
  readonly text: string | null;
}

/** What is looked through for a message that was quicker than the question. */
const NEWEST = 200;
/** An answer that was given in the turn may be told a moment after its end. */
const GRACE_MS = 2_000;
const RETRY_MS = 1_000;

/**
 * Resolves a moment after the turn that holds a direct message has ended; `null` when that cannot be known: nobody runs the agent, the caller may
 * not watch it, or the signal came first.
 */
export async function endOfTurnWith(
  client: RelayClient,
  message: Pick<Message, 'id' | 'to'>,
  signal: AbortSignal,
): Promise<EndedTurn | null> {
  const agentId = message.to.slice('id:'.length);
  const turn = new TurnWith(message.id);
  while (!signal.aborted) {
    try {
      const { data, cursor } = await client.agents.activity({ id: agentId, limit: NEWEST, newest: true }, { signal });
      const live = client.activity(agentId, { after: data.at(-1)?.id ?? cursor, signal });
      const ended = data.find((entry) => turn.isEndedBy(entry)) ?? (await firstOf(live, (entry) => turn.isEndedBy(entry)));
      await sleep(GRACE_MS, { signal });
      return ended === undefined || signal.aborted ? null : { agentId, text: textOf(ended) };
    } catch (error) {
      // Whoever may not watch waits for the receipt alone.
      if (!isRetryable(error)) return null;
      await sleep(RETRY_MS, { signal });
    }
  }
  return null;
}

async function firstOf<Item>(items: AsyncIterable<Item>, isIt: (item: Item) => boolean): Promise<Item | undefined> {
  for await (const item of items) if (isIt(item)) return item;
  return undefined;
}

/** *Before* the message went in, *in* its turn, then over. */
class TurnWith {
  readonly #messageId: number;
  #turnId: string | null = null;

  constructor(messageId: number) {
    this.#messageId = messageId;
  }

  isEndedBy({ event }: ActivityEntry): boolean {
    if (event.type === 'user.message' && event.messageIds?.includes(this.#messageId)) this.#turnId = event.turnId ?? null;
    const isEnd = event.type === 'turn.completed' || event.type === 'turn.failed';
    return isEnd && event.turnId === this.#turnId;
  }
}

const textOf = ({ event }: ActivityEntry): string | null => {
  if (event.type === 'turn.completed') return event.text ?? null;
  return event.type === 'turn.failed' ? event.error.message : null;
};
