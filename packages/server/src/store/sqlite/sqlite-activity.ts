import { type ActivityEntry, RelayError, SessionSchema } from 'agent-relay-protocol';
import type { Statement } from 'better-sqlite3';
import { assertNoGap } from '../../domain/activity.ts';
import type { Page } from '../../domain/change.ts';
import { takePage } from '../../domain/page.ts';
import type { ActivityQuery, ActivityStore, FollowActivity, NewActivity } from '../activity-store.ts';
import { type ActivityRow, activityColumns, toActivityEntry } from './activity-rows.ts';
import type { SqliteContext } from './context.ts';
import { recordReader } from './record-reader.ts';

const readSession = recordReader(SessionSchema);

interface SessionRow {
  readonly acked_seq: number;
  readonly record: string;
}

interface ListBindings {
  readonly workspace: string;
  readonly agentId: string;
  readonly sessionId?: string | undefined;
  readonly after: number;
  readonly before: number;
  readonly limit: number;
}

interface Listing {
  readonly first: Statement<[ListBindings], ActivityRow>;
  readonly last: Statement<[ListBindings], ActivityRow>;
}

const ofAgent = `SELECT ${activityColumns} FROM activity WHERE workspace = @workspace AND agent_id = @agentId AND id > @after AND id < @before`;
const ofSession = `${ofAgent} AND session_id = @sessionId`;

/** Each in the order of an index. */
export const activityLists = {
  first: `${ofAgent} ORDER BY id LIMIT @limit`,
  last: `${ofAgent} ORDER BY id DESC LIMIT @limit`,
  firstOfSession: `${ofSession} ORDER BY id LIMIT @limit`,
  lastOfSession: `${ofSession} ORDER BY id DESC LIMIT @limit`,
};

export class SqliteActivity implements ActivityStore {
  readonly #context: SqliteContext;
  readonly #session: Statement<[string, string], SessionRow>;
  readonly #insert: Statement<[string, string, string, number, number, number, string]>;
  readonly #setAcked: Statement<[number, string, string]>;
  readonly #pruneWords: Statement<[number, number]>;
  readonly #prune: Statement<[number, number]>;
  readonly #lastSeq: Statement<[string, string], number>;
  readonly #ofAgent: Listing;
  readonly #ofSession: Listing;
  readonly #head: Statement<[string, string], number>;

  constructor(context: SqliteContext) {
    this.#context = context;
    const { database, reader } = context;
    this.#session = database.prepare('SELECT acked_seq, record FROM sessions WHERE workspace = ? AND session_id = ?');
    this.#insert = database.prepare(
      'INSERT INTO activity (workspace, agent_id, session_id, seq, at, late, event) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    this.#setAcked = database.prepare('UPDATE sessions SET acked_seq = ? WHERE workspace = ? AND session_id = ?');
    const old = '(SELECT id FROM activity WHERE at < ? ORDER BY at LIMIT ?)';
    this.#pruneWords = database.prepare(`DELETE FROM activity_words WHERE rowid IN ${old}`);
    this.#prune = database.prepare(`DELETE FROM activity WHERE id IN ${old}`);
    this.#lastSeq = reader
      .prepare<[string, string], number>('SELECT acked_seq FROM sessions WHERE workspace = ? AND session_id = ?')
      .pluck();
    const listing = (order: keyof typeof activityLists) => reader.prepare<[ListBindings], ActivityRow>(activityLists[order]);
    this.#ofAgent = { first: listing('first'), last: listing('last') };
    this.#ofSession = { first: listing('firstOfSession'), last: listing('lastOfSession') };
    this.#head = reader
      .prepare<[string, string], number>('SELECT ifnull(max(id), 0) FROM activity WHERE workspace = ? AND agent_id = ?')
      .pluck();
  }

  append(
    { workspace, agentId, sessionId, late, entries, now }: NewActivity,
    follow: FollowActivity,
  ): Promise<{ readonly ackedSeq: number; readonly stored: number }> {
    const { writer, changes, facts, usage } = this.#context;
    return writer.write(() => {
      const found = this.#session.get(workspace, sessionId);
      if (found === undefined) throw new RelayError('not_found', `There is no session ${sessionId}`);
      const known = ackedBy(found);
      let session = readSession(found.record);
      const findApproval = (approvalId: string) => changes.tables.approvals.find(workspace, sessionId, approvalId);
      const fresh = entries.filter(({ seq }) => seq > known);
      const acked = isRestored(found) ? (fresh[0]?.seq ?? known + 1) - 1 : known;
      assertNoGap(acked, fresh);
      for (const entry of fresh) {
        const { seq, at, event } = entry;
        this.#insert.run(workspace, agentId, sessionId, seq, at, late ? 1 : 0, JSON.stringify(event));
        usage.note(workspace, session, event, now);
        for (const change of follow(entry, { ...facts.of(workspace), session, findApproval })) {
          changes.apply(workspace, change);
          session = change.sessions?.find((written) => written.sessionId === sessionId) ?? session;
        }
      }
      const ackedSeq = acked + fresh.length;
      if (fresh.length > 0) this.#setAcked.run(ackedSeq, workspace, sessionId);
      return { ackedSeq, stored: fresh.length };
    });
  }

  async lastSeq(workspace: string, sessionId: string): Promise<number> {
    const acked = this.#lastSeq.get(workspace, sessionId) ?? 0;
    return ackedBy({ acked_seq: acked });
  }

  async list({ before, limit, ...query }: ActivityQuery): Promise<Page<ActivityEntry>> {
    const { workspace, agentId, sessionId } = query;
    const bindings = { ...query, before: before ?? Number.MAX_SAFE_INTEGER, limit: limit + 1 };
    const { first, last } = sessionId === undefined ? this.#ofAgent : this.#ofSession;
    const found = (before === undefined ? first : last).iterate(bindings);
    const { rows, isCut } = takePage(found, limit, ({ event }) => event.length + 200);
    const page = before === undefined ? rows : rows.toReversed();
    const next = isCut ? (rows.at(-1)?.id ?? null) : null;
    return { items: page.map(toActivityEntry), cursor: this.#head.get(workspace, agentId) ?? 0, next };
  }

  prune(before: number, limit: number): Promise<number> {
    return this.#context.writer.write(() => {
      this.#pruneWords.run(before, limit);
      return this.#prune.run(before, limit).changes;
    });
  }
}

/** Up to where the session has been heard. */
const ackedBy = ({ acked_seq }: Pick<SessionRow, 'acked_seq'>): number => (acked_seq < 0 ? -acked_seq - 1 : acked_seq);

/** Its machine may have had more acknowledged by the log that a restore has ended, and keeps no copy of that: it may go on anywhere above. */
const isRestored = ({ acked_seq }: Pick<SessionRow, 'acked_seq'>): boolean => acked_seq < 0;
