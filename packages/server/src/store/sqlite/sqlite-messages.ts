import type { Claim, MessageDetail } from 'agent-relay-protocol';
import { RelayError } from 'agent-relay-protocol';
import type { Statement } from 'better-sqlite3';
import type { AppendMessage, AppendUnheld, ExpiredOffer, NewHold, Page, StoredMessage } from '../../domain/change.ts';
import { MAX_PAGE_CHARACTERS, takePage } from '../../domain/page.ts';
import { nobody, type Participants } from '../../domain/readership.ts';
import { MAX_HELD_PER_SENDER } from '../hold-store.ts';
import { keptPage } from '../kept-page.ts';
import type { AppendedMessage, DecideExpiry, MessageQuery, MessageStore, NotAppended, ThreadPage } from '../store.ts';
import { toClaim } from './claim-table.ts';
import type { SqliteContext } from './context.ts';
import { MessageList } from './message-list.ts';
import { type MessageRow, messageCharacters, messageColumns, toStoredMessage } from './message-rows.ts';
import { OpenCopies } from './open-copies.ts';
import { repliedOf } from './replied-message.ts';
import { ThreadParticipants } from './thread-participants.ts';

export class SqliteMessages implements MessageStore {
  readonly #context: SqliteContext;
  readonly #participants: ThreadParticipants;
  readonly #list: MessageList;
  readonly #get: Statement<[number], MessageRow>;
  readonly #thread: Statement<[number, number, number, number], MessageRow>;
  readonly #readers: Statement<[string], { readonly id: number; readonly agentId: string }>;
  readonly #newestClaim: Statement<[number], { readonly record: string }>;
  readonly #findKey: Statement<[string, string, string], { readonly digest: string; readonly message_id: number }>;
  readonly #open: OpenCopies;
  readonly #toExpire: Statement<[number, number], MessageRow>;
  readonly #nextExpiry: Statement<[], number | null>;
  readonly #markExpired: Statement<[number, number]>;

  constructor(context: SqliteContext) {
    this.#context = context;
    const { reader, database } = context;
    this.#participants = new ThreadParticipants(reader);
    this.#list = new MessageList(reader, context.log, context.index, this.#participants);
    this.#get = reader.prepare(`SELECT ${messageColumns} FROM messages WHERE id = ?`);
    this.#thread = reader.prepare(`SELECT ${messageColumns} FROM messages WHERE (id = ? OR thread_id = ?) AND id > ? ORDER BY id LIMIT ?`);
    this.#readers = reader.prepare(
      `SELECT d.message_id AS id, a.agent_id AS agentId FROM json_each(?) asked JOIN deliveries d ON d.message_id = asked.value
       JOIN addresses a ON a.ref = d.ref WHERE d.read_at IS NOT NULL ORDER BY d.read_at, a.agent_id`,
    );
    this.#newestClaim = reader.prepare(
      "SELECT c.record FROM work w JOIN claims c ON c.claim_id = w.claim_id WHERE w.kind IN ('message', 'task') AND w.subject_id = ?",
    );
    this.#findKey = database.prepare('SELECT digest, message_id FROM idempotency WHERE workspace = ? AND sender = ? AND key = ?');
    this.#open = new OpenCopies(context);
    this.#toExpire = database.prepare(
      `SELECT ${messageColumns} FROM messages WHERE expires_at <= ? AND expired_at IS NULL ORDER BY expires_at LIMIT ?`,
    );
    this.#nextExpiry = reader
      .prepare<[], number | null>('SELECT min(expires_at) FROM messages WHERE expires_at IS NOT NULL AND expired_at IS NULL')
      .pluck();
    this.#markExpired = database.prepare('UPDATE messages SET expired_at = ? WHERE id = ?');
  }

  append(request: AppendMessage): Promise<AppendedMessage | NotAppended> {
    return this.#context.writer.write(() => this.#append(request));
  }

  async get(workspace: string, id: number): Promise<StoredMessage | null> {
    const row = this.#get.get(id);
    return row && row.workspace === workspace ? toStoredMessage(row) : null;
  }

  async detail(messages: readonly StoredMessage[]): Promise<readonly MessageDetail[]> {
    const details: MessageDetail[] = [];
    let characters = 0;
    const readers = this.#readersOf(messages);
    for (const { message } of messages) {
      const readBy = readers.get(message.id) ?? [];
      const claim = this.#claimOn(message);
      for (const reader of readBy) characters += reader.length + 3;
      if (claim) characters += JSON.stringify(claim).length;
      if (characters > MAX_PAGE_CHARACTERS && details.length > 0) break;
      details.push({ ...message, readBy, claim });
    }
    return details;
  }

  #readersOf(messages: readonly StoredMessage[]): ReadonlyMap<number, string[]> {
    const readers = new Map<number, string[]>();
    for (const { id, agentId } of this.#readers.all(JSON.stringify(messages.map(({ message }) => message.id)))) {
      const known = readers.get(id);
      if (known) known.push(agentId);
      else readers.set(id, [agentId]);
    }
    return readers;
  }

  list(query: MessageQuery): Promise<Page<StoredMessage>> {
    return this.#list.read(query);
  }

  async thread(workspace: string, threadId: number, { since, limit, reading }: ThreadPage): Promise<Page<StoredMessage>> {
    const participants = () => this.#participants.of(workspace, threadId);
    return keptPage({
      from: since,
      limit,
      read: async (after) => this.#threadPage(threadId, after, limit),
      positionOf: ({ message }) => message.id,
      keep: (stored) => stored.workspace === workspace && (!reading || reading.mayRead(stored.message, participants)),
    });
  }

  #threadPage(threadId: number, after: number, limit: number): Page<StoredMessage> {
    const { rows, isCut } = takePage(this.#thread.iterate(threadId, threadId, after, limit + 1), limit, messageCharacters);
    return { items: rows.map(toStoredMessage), cursor: this.#context.log.head, next: isCut ? (rows.at(-1)?.id ?? null) : null };
  }

  async participants(workspace: string, threadId: number): Promise<Participants> {
    return this.#participants.of(workspace, threadId);
  }

  remove(workspace: string, id: number, at: number, decide: Parameters<MessageStore['remove']>[3]): Promise<void> {
    const { writer, changes } = this.#context;
    return writer.write(() => {
      const { messages, claims, tasks } = changes.tables;
      const found = messages.get(workspace, id);
      const kind = claims.work('task', id) ? 'task' : 'message';
      const work = found?.message.claimable ? claims.work(kind, id) : null;
      const claim = work?.claim_id ? claims.get(workspace, work.claim_id) : null;
      const change = decide(found, found ? this.#open.of(found, ['queued', 'dispatched']) : [], claim?.status === 'held' ? claim : null);
      if (found) messages.bury(found.message, at);
      if (work && work.status === 'open') claims.close(kind, id);
      if (found && work?.status === 'open' && kind === 'task') tasks.cancel(workspace, id, 'Its message was deleted', at);
      changes.apply(workspace, change);
    });
  }

  expire(now: number, limit: number, decide: DecideExpiry): Promise<number> {
    const { writer, changes } = this.#context;
    return writer.write(() => {
      const rows = this.#toExpire.all(now, limit);
      for (const row of rows) {
        const found = toStoredMessage(row);
        const waiting = this.#open.of(found, ['queued']);
        this.#markExpired.run(now, row.id);
        const offer = this.#closeOffer(found);
        if (waiting.length > 0 || offer === 'unclaimed') changes.apply(row.workspace, decide(found, waiting, offer));
      }
      return rows.length;
    });
  }

  /** Nobody may claim any more what nobody has claimed in time; what was claimed goes on, or is offered again. */
  #closeOffer({ message }: StoredMessage): ExpiredOffer {
    const { claims } = this.#context.changes.tables;
    const work = message.claimable ? claims.work('message', message.id) : null;
    if (!work || (work.status === 'closed' && work.fence === 0)) return 'none';
    if (work.status !== 'open' || work.fence > 0) return 'claimed';
    claims.close('message', message.id);
    return 'unclaimed';
  }

  async nextExpiry(): Promise<number | null> {
    return this.#nextExpiry.get() ?? null;
  }

  /** Appends what is never held; inside `writer.write` only. */
  appendNow(request: AppendUnheld): AppendedMessage {
    const outcome = this.#append(request);
    if ('hold' in outcome) throw new Error(`What is never held is under the key of held message ${outcome.hold.id}`);
    return outcome;
  }

  #append(request: AppendMessage): AppendedMessage | NotAppended {
    const { workspace, idempotency, replyTo, from } = request;
    const { changes, log } = this.#context;
    const { messages } = changes.tables;
    const earlier = idempotency && this.#earlier(workspace, idempotency);
    if (earlier) return earlier;
    const { repliedTo, copy } = replyTo === null ? noReply : repliedOf(this.#context, workspace, replyTo, from);
    const participants = () => (repliedTo ? this.#participants.of(workspace, repliedTo.message.threadId) : nobody);
    const decided = request.decide(log.last + 1, { repliedTo, copy, participants });
    if ('hold' in decided) return this.#hold(workspace, decided, idempotency?.key ?? null);
    const stored = messages.append(workspace, () => decided);
    if (idempotency) messages.putKey(workspace, idempotency.from, idempotency, stored.message.id);
    if (decided.answers) changes.apply(workspace, { deliveries: [decided.answers] });
    return { workspace, message: stored.message, matched: stored.matched, duplicate: false };
  }

  /** What became of the attempt under the same key. */
  #earlier(workspace: string, { from, key, digest }: NonNullable<AppendMessage['idempotency']>): AppendedMessage | NotAppended | null {
    const sent = this.#findKey.get(workspace, from, key);
    if (sent) return this.#repeat(workspace, sent, digest);
    const held = this.#context.changes.tables.holds.findUnderKey(workspace, from, key);
    if (!held) return null;
    if (held.digest !== digest) throw mismatch(`held message ${held.hold.id}`, { holdId: held.hold.id });
    return { hold: held.hold };
  }

  #hold(workspace: string, { hold, digest, change }: NewHold, idempotencyKey: string | null): NotAppended {
    const { changes, log } = this.#context;
    const { holds } = changes.tables;
    const { from } = hold.message;
    const same = holds.findOpen(workspace, from, digest);
    if (same) {
      const again = { ...same, attempts: same.attempts + 1 };
      holds.update(again);
      return { hold: again };
    }
    if (holds.countOpen(workspace, from) >= MAX_HELD_PER_SENDER) {
      throw new RelayError('rate_limited', `${MAX_HELD_PER_SENDER} messages of ${from} are held already: a person must look at them first`);
    }
    log.append(workspace, { type: 'message.held', at: hold.heldAt, hold });
    holds.insert(workspace, hold, { digest, idempotencyKey });
    changes.apply(workspace, change);
    return { hold };
  }

  #repeat(workspace: string, earlier: { readonly digest: string; readonly message_id: number }, digest: string): AppendedMessage {
    const first = this.#context.changes.tables.messages.get(workspace, earlier.message_id);
    if (!first) throw new Error('An idempotency key outlived its message');
    if (earlier.digest !== digest) throw mismatch(`message ${earlier.message_id}`, { messageId: earlier.message_id });
    return { ...first, duplicate: true };
  }

  #claimOn(message: StoredMessage['message']): Claim | null {
    if (!message.claimable) return null;
    const row = this.#newestClaim.get(message.id);
    return row ? toClaim(row) : null;
  }
}

const noReply = { repliedTo: null, copy: null };

const mismatch = (what: string, details: Readonly<Record<string, unknown>>): RelayError =>
  new RelayError('idempotency_mismatch', `This idempotency key was used for ${what} with other content`, { details });
