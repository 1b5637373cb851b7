import { RecentMap } from 'agent-relay-wire';
import type { Database, Statement } from 'better-sqlite3';
import type { StoredMessage } from '../../domain/change.ts';
import { isShared, nobody, type Participants, partiesOf } from '../../domain/readership.ts';

interface Said {
  readonly id: number;
  readonly from: string;
  readonly to: string;
}

interface Known {
  /** What was said after this has not been looked at. */
  through: number;
  readonly agents: Map<string, number>;
}

/** Threads that are remembered; the one that was asked for longest ago goes first. */
const REMEMBERED = 4_096;
/** So many messages one turn looks at. */
const STRETCH = 1_000;

/** Who takes part in a thread. A thread that was looked at is read on from there, so that a long one costs its new end only. */
export class ThreadParticipants {
  readonly #root: Statement<[number, string], Said>;
  readonly #answers: Statement<[number, number, number], Said>;
  readonly #known = new RecentMap<number, Known>(REMEMBERED);

  constructor(connection: Database) {
    const columns = 'id, sender AS "from", address AS "to"';
    this.#root = connection.prepare(`SELECT ${columns} FROM messages WHERE id = ? AND workspace = ?`);
    this.#answers = connection.prepare(`SELECT ${columns} FROM messages WHERE thread_id = ? AND id > ? ORDER BY id LIMIT ?`);
  }

  /** As `of`, but what has not been looked at is looked at in stretches: a thread that was never asked for may be long. */
  async lookAt(workspace: string, threadId: number, nextTurn: () => Promise<void>): Promise<Participants> {
    const known = this.#known.get(threadId) ?? this.#begin(workspace, threadId);
    if (!known) return nobody;
    this.#known.set(threadId, known);
    while (!this.#readOn(threadId, known, STRETCH)) await nextTurn();
    return known.agents;
  }

  /** Null when there is more to look at than one stretch; that stretch has been looked at then. */
  atOnce(workspace: string, threadId: number): Participants | null {
    const known = this.#known.get(threadId) ?? this.#begin(workspace, threadId);
    if (!known) return nobody;
    this.#known.set(threadId, known);
    return this.#readOn(threadId, known, STRETCH) ? known.agents : null;
  }

  of(workspace: string, threadId: number): Participants {
    const known = this.#known.get(threadId) ?? this.#begin(workspace, threadId);
    if (!known) return nobody;
    this.#readOn(threadId, known, -1);
    this.#known.set(threadId, known);
    return known.agents;
  }

  /** Those of a message's thread, for a decision that may ask. */
  thunk(found: StoredMessage | null): () => Participants {
    return () => (found ? this.of(found.workspace, found.message.threadId) : nobody);
  }

  /** At most `limit` messages, all when it is negative. Answers whether there are no more. */
  #readOn(threadId: number, known: Known, limit: number): boolean {
    let seen = 0;
    for (const said of this.#answers.iterate(threadId, known.through, limit)) {
      seen += 1;
      for (const agentId of partiesOf(said)) if (!known.agents.has(agentId)) known.agents.set(agentId, said.id);
      known.through = said.id;
    }
    return seen !== limit;
  }

  #begin(workspace: string, threadId: number): Known | null {
    const root = this.#root.get(threadId, workspace);
    return root && isShared(root) ? { through: threadId, agents: new Map(partiesOf(root).map((agentId) => [agentId, threadId])) } : null;
  }
}
