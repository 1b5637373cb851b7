import type { PushTopic } from 'agent-relay-protocol';
import type { Statement } from 'better-sqlite3';
import { mayHaveArrived, type WaitingPush } from '../../domain/push-digest.ts';
import type { PostOutcome } from '../due-post.ts';
import type { DuePush, GatherPushes, NewPush, PushEnd, PushStep, PushStore, PushSubscriber, PushUrgency } from '../push-store.ts';
import type { SqliteContext } from './context.ts';

/** Its words are written by this version only, from their types. */
interface SubscriberRow {
  readonly ref: number;
  readonly id: string;
  readonly workspace: string;
  readonly holder: string;
  readonly created_by: string;
  readonly origin: string;
  readonly endpoint: string;
  readonly p256dh: string;
  readonly auth: string;
  readonly server_key: string;
  readonly topics: string;
  readonly label: string | null;
  readonly created_at: number;
}

interface PushRow extends SubscriberRow {
  readonly push: number;
  readonly tag: string;
  readonly type: 'news' | 'over';
  readonly attempts: number;
  readonly deadline_at: number;
  readonly urgency: PushUrgency;
  readonly body: string;
}

interface Sent {
  readonly id: number;
  readonly subscription: number;
  readonly status: 'pending' | 'taken';
  readonly attempts: number;
}

const subscriberColumns = [
  'id',
  'workspace',
  'holder',
  'created_by',
  'origin',
  'endpoint',
  'p256dh',
  'auth',
  'server_key',
  'topics',
  'label',
  'created_at',
];

type SubscriberValues = Omit<SubscriberRow, 'ref'>;
type PushValues = Omit<NewPush, 'subscriber'> & { readonly subscription: number; readonly type: 'news' | 'over' };

export class SqlitePushes implements PushStore {
  readonly #context: SqliteContext;
  readonly #list: Statement<[string], SubscriberRow>;
  readonly #listNow: Statement<[string], SubscriberRow>;
  readonly #put: Statement<[SubscriberValues], SubscriberRow>;
  readonly #find: Statement<[string, string], SubscriberRow>;
  readonly #through: Statement<[string], number>;
  readonly #setThrough: Statement<[string, number]>;
  readonly #origins: Statement<[string], string>;
  readonly #due: Statement<[string, string, number, number], PushRow>;
  readonly #nextDue: Statement<[string, string], number | null>;
  readonly #tags: Statement<[string], string>;
  readonly #ofTag: Statement<[string, string], Sent>;
  readonly #insert: Statement<[PushValues]>;
  readonly #forgetTag: Statement<[number, string]>;
  readonly #waiting: Statement<[number], WaitingPush>;
  readonly #delete: Statement<[number]>;
  readonly #holdBack: Statement<[{ readonly subscription: number; readonly until: number }]>;
  readonly #again: Statement<[number, number]>;
  readonly #taken: Statement<[number]>;
  readonly #forget: Statement<[number, number]>;

  constructor(context: SqliteContext) {
    this.#context = context;
    const { reader, database } = context;
    const list = 'SELECT * FROM push_subscriptions WHERE workspace = ? ORDER BY ref';
    this.#list = reader.prepare(list);
    this.#listNow = database.prepare(list);
    const others = subscriberColumns.filter((column) => column !== 'id' && column !== 'workspace' && column !== 'endpoint');
    this.#put = database.prepare(
      `INSERT INTO push_subscriptions (${subscriberColumns.join(', ')}) VALUES (${subscriberColumns.map((column) => `@${column}`).join(', ')})
       ON CONFLICT (workspace, endpoint) DO UPDATE SET ${others.map((column) => `${column} = excluded.${column}`).join(', ')} RETURNING *`,
    );
    this.#find = database.prepare('SELECT * FROM push_subscriptions WHERE workspace = ? AND id = ?');
    this.#through = reader.prepare<[string], number>('SELECT through FROM push_cursors WHERE workspace = ?').pluck();
    this.#setThrough = database.prepare(
      'INSERT INTO push_cursors (workspace, through) VALUES (?, ?) ON CONFLICT (workspace) DO UPDATE SET through = excluded.through',
    );
    const waiting = "FROM push_subscriptions s JOIN pushes p ON p.subscription = s.ref AND p.status = 'pending' WHERE s.workspace = ?";
    this.#origins = reader.prepare<[string], string>(`SELECT DISTINCT s.origin ${waiting}`).pluck();
    this.#nextDue = reader.prepare<[string, string], number | null>(`SELECT min(p.next_at) ${waiting} AND s.origin = ?`).pluck();
    this.#due = reader.prepare(
      `SELECT s.*, p.id AS push, p.tag, p.type, p.attempts, p.deadline_at, p.urgency, p.body FROM push_subscriptions s
       JOIN pushes p ON p.id = (SELECT id FROM pushes WHERE subscription = s.ref AND status = 'pending' ORDER BY next_at, id LIMIT 1)
       WHERE s.workspace = ? AND s.origin = ? AND p.next_at <= ? ORDER BY p.next_at, p.id LIMIT ?`,
    );
    const ofWorkspace = 'FROM push_subscriptions s JOIN pushes p ON p.subscription = s.ref WHERE s.workspace = ?';
    this.#tags = reader.prepare<[string], string>(`SELECT DISTINCT p.tag ${ofWorkspace}`).pluck();
    this.#ofTag = database.prepare(`SELECT p.id, p.subscription, p.status, p.attempts ${ofWorkspace} AND p.tag = ? AND p.type = 'news'`);
    this.#insert = database.prepare(
      `INSERT INTO pushes (subscription, tag, type, status, next_at, deadline_at, urgency, body)
       SELECT ref, @tag, @type, 'pending', @nextAt, @deadlineAt, @urgency, @body FROM push_subscriptions WHERE ref = @subscription`,
    );
    this.#forgetTag = database.prepare('DELETE FROM pushes WHERE subscription = ? AND tag = ?');
    this.#waiting = database.prepare(
      `SELECT id, tag, urgency, next_at AS nextAt, deadline_at AS deadlineAt, body FROM pushes
       WHERE subscription = ? AND status = 'pending' AND type = 'news' ORDER BY id`,
    );
    this.#delete = database.prepare('DELETE FROM pushes WHERE id = ?');
    this.#holdBack = database.prepare(
      `UPDATE pushes SET next_at = @until WHERE subscription = @subscription AND status = 'pending' AND type = 'news' AND next_at < @until`,
    );
    this.#again = database.prepare('UPDATE pushes SET next_at = ?, attempts = attempts + 1 WHERE id = ?');
    this.#taken = database.prepare("UPDATE pushes SET status = 'taken', attempts = attempts + 1 WHERE id = ? AND type = 'news'");
    this.#forget = database.prepare('DELETE FROM pushes WHERE id IN (SELECT id FROM pushes WHERE deadline_at < ? LIMIT ?)');
  }

  async subscribers(workspace: string): Promise<readonly PushSubscriber[]> {
    return this.#list.all(workspace).map(toSubscriber);
  }

  subscribe(
    subscriber: Omit<PushSubscriber, 'ref'>,
    choose: (all: readonly PushSubscriber[]) => readonly PushSubscriber[],
  ): Promise<PushSubscriber> {
    return this.#context.writer.write(() => {
      const { workspace, endpoint, createdBy, serverKey, createdAt, topics, ...same } = subscriber;
      const all = this.#listNow.all(workspace);
      for (const { ref } of choose(all.map(toSubscriber))) this.#context.pushes.end(ref);
      const values = { ...same, workspace, endpoint, created_by: createdBy, server_key: serverKey, created_at: createdAt };
      const row = this.#put.get({ ...values, topics: topics.join(' ') });
      if (!row) throw new Error('A subscription that was put is not there');
      if (all.length === 0) this.#setThrough.run(workspace, this.#context.log.last);
      return toSubscriber(row);
    });
  }

  unsubscribe(workspace: string, id: string): Promise<boolean> {
    return this.#context.writer.write(() => {
      const row = this.#find.get(workspace, id);
      if (row) this.#context.pushes.end(row.ref);
      return row !== undefined;
    });
  }

  async readThrough(workspace: string): Promise<number | null> {
    return this.#through.get(workspace) ?? null;
  }

  take(workspace: string, { through, news, ends, underWay, mostWaiting, gather }: PushStep): Promise<void> {
    return this.#context.writer.write(() => {
      for (const end of ends) this.#end(workspace, end, underWay);
      for (const { subscriber: subscription, ...push } of news) {
        this.#forgetTag.run(subscription, push.tag);
        this.#insert.run({ ...push, subscription, type: 'news' });
        const waiting = this.#waiting.all(subscription);
        if (waiting.length > mostWaiting) this.#gather(subscription, waiting, gather);
      }
      this.#setThrough.run(workspace, through);
      this.#context.pushes.note();
    });
  }

  async tags(workspace: string): Promise<readonly string[]> {
    return this.#tags.all(workspace);
  }

  async origins(workspace: string): Promise<readonly string[]> {
    return this.#origins.all(workspace);
  }

  async due(workspace: string, origin: string, now: number, limit: number): Promise<readonly DuePush[]> {
    return this.#due.all(workspace, origin, now, limit).map(toDue);
  }

  async nextDue(workspace: string, origin: string): Promise<number | null> {
    return this.#nextDue.get(workspace, origin) ?? null;
  }

  holdBack(subscription: number, until: number): Promise<void> {
    return this.#context.writer.write(() => void this.#holdBack.run({ subscription, until }));
  }

  gather(subscription: number, decide: GatherPushes): Promise<boolean> {
    return this.#context.writer.write(() => this.#gather(subscription, this.#waiting.all(subscription), decide));
  }

  settle(id: number, { status, nextAttemptAt }: Pick<PostOutcome, 'status' | 'nextAttemptAt'>): Promise<void> {
    return this.#context.writer.write(() => {
      if (status === 'pending' && nextAttemptAt !== null) this.#again.run(nextAttemptAt, id);
      // What is over needs no replacing.
      else if (status === 'dead' || this.#taken.run(id).changes === 0) this.#delete.run(id);
      this.#context.pushes.note();
    });
  }

  forget(now: number, limit: number): Promise<number> {
    return this.#context.writer.write(() => this.#forget.run(now, limit).changes);
  }

  onWritten(listener: () => void): () => void {
    return this.#context.pushes.onWritten(listener);
  }

  #gather(subscription: number, waiting: readonly WaitingPush[], decide: GatherPushes): boolean {
    const digest = decide(waiting);
    if (digest === null) return false;
    for (const id of digest.gone) this.#delete.run(id);
    this.#insert.run({ ...digest.push, subscription, type: 'news' });
    return true;
  }

  #end(workspace: string, { tag, at, deadlineAt, body }: PushEnd, underWay: ReadonlySet<number>): void {
    for (const { id, subscription, status, attempts } of this.#ofTag.all(workspace, tag)) {
      this.#delete.run(id);
      if (mayHaveArrived({ isTaken: status === 'taken', attempts, isUnderWay: underWay.has(id) }))
        this.#insert.run({ subscription, tag, type: 'over', nextAt: at, deadlineAt, urgency: 'normal', body });
    }
  }
}

const toSubscriber = (row: SubscriberRow): PushSubscriber => ({
  ref: row.ref,
  id: row.id,
  workspace: row.workspace,
  holder: row.holder,
  createdBy: row.created_by,
  origin: row.origin,
  endpoint: row.endpoint,
  p256dh: row.p256dh,
  auth: row.auth,
  serverKey: row.server_key,
  topics: row.topics.split(' ') as PushTopic[], // written by `subscribe`, from its topics
  label: row.label,
  createdAt: row.created_at,
});

const toDue = (row: PushRow): DuePush => ({
  id: row.push,
  subjectId: row.ref,
  tag: row.tag,
  type: row.type,
  attempts: row.attempts,
  deadlineAt: row.deadline_at,
  urgency: row.urgency,
  body: row.body,
  subscriber: toSubscriber(row),
});
