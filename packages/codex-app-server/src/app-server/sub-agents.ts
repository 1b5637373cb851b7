import { Bell, RecentMap } from 'agent-relay-wire';
import type { CodexRequester } from './codex-requester.ts';
import type { CodexThread } from './codex-thread.ts';
import { isConnectionLost } from './errors.ts';
import { HeardTurns } from './heard-turns.ts';
import { type CodexNotification, type KnownNotification, parseNotification } from './notifications.ts';
import { ThreadHistory } from './thread-history.ts';

/** A thread that a call in another one started; the call may itself be a sub-agent's. */
export interface SubAgent {
  readonly thread: CodexThread;
  readonly turnId: string;
  readonly itemId: string;
}

interface Followed extends SubAgent {
  readonly heard: HeardTurns;
}

/** A sub-agent may ask before its parent has told of it. */
const meetMs = 2_000;
const partOfReconnect = { isPartOfReconnect: true } as const;

/** The sub-agents of one client's threads: what they say is handed to the thread that started them. */
export class SubAgents {
  readonly #byId = new RecentMap<string, Followed>(1024);
  readonly #isOpen: (thread: CodexThread) => boolean;
  readonly #met = new Bell();

  constructor(isOpen: (thread: CodexThread) => boolean) {
    this.#isOpen = isOpen;
  }

  /** Codex tells who started a sub-agent only with the call that did. `caller`: the sub-agent whose call it is. */
  note(known: KnownNotification, thread: CodexThread, caller?: SubAgent): void {
    if (known.method !== 'item/completed' && known.method !== 'item/started') return;
    const { item, turnId } = known.params;
    const started =
      item.known?.type === 'collabAgentToolCall' && item.known.tool === 'spawnAgent'
        ? item.known.receiverThreadIds
        : item.known?.type === 'subAgentActivity' && item.known.kind === 'started'
          ? [item.known.agentThreadId ?? '']
          : [];
    for (const id of started) {
      if (this.#byId.has(id)) continue;
      this.#byId.set(id, { thread, turnId: caller?.turnId ?? turnId, itemId: item.id, heard: HeardTurns.after(turnId) });
    }
    if (started.length > 0) this.#met.ring();
  }

  /** False for what no sub-agent said. */
  receive(threadId: string, notification: CodexNotification): boolean {
    const subAgent = this.#byId.get(threadId);
    if (!subAgent) return false;
    const { heard, thread, turnId, itemId } = subAgent;
    const known = parseNotification(notification);
    // An end that was told already, from its record.
    if (known?.method === 'turn/completed' && heard.hasEnded(known.params.turn.id)) return true;
    if (known) {
      heard.observe(known);
      this.note(known, thread, subAgent);
    }
    thread.receive({ method: 'client/subAgent', params: { threadId: thread.id, turnId, itemId, notification } });
    return true;
  }

  /** The sub-agent that this thread is; `undefined` for the thread of somebody else. */
  async find(threadId: string): Promise<SubAgent | undefined> {
    const patience = AbortSignal.timeout(meetMs);
    while (!this.#byId.has(threadId) && !patience.aborted) await this.#met.next({ signal: patience });
    return this.#byId.get(threadId);
  }

  /**
   * Joins them on a new connection: what they ask is asked again, and what they said meanwhile is told. `loaded` is what its server has in memory, where it
   * can say; of one that is not, the record is read, unless all of it was heard.
   * @throws RelayError `connection_closed` when this connection is lost as well.
   */
  async rejoin(loaded: ReadonlySet<string> | undefined, client: CodexRequester): Promise<void> {
    if (loaded === undefined) return;
    // Those who come to light meanwhile are the last.
    for (const [id, subAgent] of this.#byId) {
      const isLoaded = loaded.has(id);
      if (!this.#isOpen(subAgent.thread) || (!isLoaded && subAgent.heard.isOver)) continue;
      await this.#rejoinOne(id, subAgent.heard, { client, isLoaded }).catch((error: unknown) => {
        if (isConnectionLost(error)) throw error;
      });
    }
  }

  async #rejoinOne(
    threadId: string,
    heard: HeardTurns,
    { client, isLoaded }: { readonly client: CodexRequester; readonly isLoaded: boolean },
  ): Promise<void> {
    const activeTurnId = heard.openTurnId;
    if (isLoaded) await client.request('thread/resume', { threadId, excludeTurns: true }, partOfReconnect);
    const history = new ThreadHistory(client, () => threadId);
    const backTo = heard.missedSince(activeTurnId);
    const turns = heard.maybeMissed(await history.turns({ ...partOfReconnect, backTo }), activeTurnId);
    const itemsByTurn = await history.itemsByTurn(turns, partOfReconnect);
    for (const notification of heard.missed({ threadId, activeTurnId, turns, itemsByTurn })) this.receive(threadId, notification);
  }
}
