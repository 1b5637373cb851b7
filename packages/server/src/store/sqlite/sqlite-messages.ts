import type { Claim, MessageDetail } from 'agent-relay-protocol';
import type { Statement } from 'better-sqlite3';
import type { Page, StoredMessage } from '../../domain/change.ts';
import type { Decision, DismissalFacts, Done, Earlier, EmptyingFacts, SendFacts } from '../../domain/facts.ts';
import { MAX_PAGE_CHARACTERS, takePage } from '../../domain/page.ts';
import type { Participants } from '../../domain/readership.ts';
import { keptPage } from '../kept-page.ts';
import type { DecideExpiry, MessageQuery, MessageStore, SendSubject, ThreadQuery } from '../store.ts';
import { toClaim } from './claim-table.ts';
import type { SqliteContext } from './context.ts';
import { MessageList } from './message-list.ts';
import { type MessageRow, messageCharacters, messageColumns, toStoredMessage } from './message-rows.ts';
import { OpenCopies } from './open-copies.ts';

export class SqliteMessages implements MessageStore {
  readonly #context: SqliteContext;
  readonly #list: MessageList;
  readonly #get: Statement<[number], MessageRow>;
  readonly #thread: Statement<[number, number, number, number], MessageRow>;
  readonly #readers: Statement<[number, number], string>;
  readonly #readCount: Statement<[number], number>;
  readonly #newestClaim: Statement<[number], { readonly record: string }>;
  readonly #findKey: Statement<[string, string, string], { readonly digest: string; readonly message_id: number }>;
  readonly #open: OpenCopies;
  readonly #deadLetters: Statement<[string], number>;
  readonly #toExpire: Statement<[number, number], MessageRow>;
  readonly #nextExpiry: Statement<[], number | null>;
  readonly #markExpired: Statement<[number, number]>;

  constructor(context: SqliteContext) {
    this.#context = context;
    const { reader, database } = context;
    this.#list = new MessageList(context);
    this.#get = reader.prepare(`SELECT ${messageColumns} FROM messages WHERE id = ?`);
    this.#thread = reader.prepare(`SELECT ${messageColumns} FROM messages WHERE (id = ? OR thread_id = ?) AND id > ? ORDER BY id LIMIT ?`);
    this.#readers = reader
      .prepare<[number, number], string>(
        `SELECT a.agent_id FROM deliveries d JOIN addresses a ON a.ref = d.ref
         WHERE d.message_id = ? AND d.read_at IS NOT NULL ORDER BY d.read_at, a.agent_id LIMIT ?`,
      )
      .pluck();
    this.#readCount = reader
      .prepare<[number], number>('SELECT count(*) FROM deliveries WHERE message_id = ? AND read_at IS NOT NULL')
      .pluck();
    this.#newestClaim = reader.prepare(
      "SELECT c.record FROM work w JOIN claims c ON c.claim_id = w.claim_id WHERE w.kind IN ('message', 'task') AND w.subject_id = ?",
    );
    this.#findKey = database.prepare('SELECT digest, message_id FROM idempotency WHERE workspace = ? AND sender = ? AND key = ?');
    this.#open = new OpenCopies(context);
    this.#deadLetters = reader
      .prepare<[string], number>(
        'SELECT count(*) FROM dead_letters u WHERE workspace = ? AND EXISTS (SELECT 1 FROM messages WHERE id = u.message_id)',
      )
      .pluck();
    this.#toExpire = database.prepare(
      `SELECT ${messageColumns} FROM messages WHERE expires_at <= ? AND expired_at IS NULL ORDER BY expires_at LIMIT ?`,
    );
    this.#nextExpiry = reader
      .prepare<[], number | null>('SELECT min(expires_at) FROM messages WHERE expires_at IS NOT NULL AND expired_at IS NULL')
      .pluck();
    this.#markExpired = database.prepare('UPDATE messages SET expired_at = ? WHERE id = ?');
  }

  send<Answer>(subject: SendSubject, decide: (facts: SendFacts) => Decision<Answer>): Promise<Done<Answer>> {
    const { writer, changes } = this.#context;
    return writer.write(() => changes.carryOut(subject.workspace, decide(this.#sendFacts(subject))));
  }

  async get(workspace: string, id: number): Promise<StoredMessage | null> {
    const row = this.#get.get(id);
    return row && row.workspace === workspace ? toStoredMessage(row) : null;
  }

  async detail(messages: readonly StoredMessage[], maxReaders = Number.MAX_SAFE_INTEGER): Promise<readonly MessageDetail[]> {
    const details: MessageDetail[] = [];
    let characters = 0;
    for (const { message } of messages) {
      const readBy = this.#readers.all(message.id, maxReaders);
      const readCount = readBy.length < maxReaders ? readBy.length : (this.#readCount.get(message.id) ?? 0);
      const claim = this.#claimOn(message);
      for (const reader of readBy) characters += reader.length + 3;
      if (claim) characters += JSON.stringify(claim).length;
      if (characters > MAX_PAGE_CHARACTERS && details.length > 0) break;
      details.push({ ...message, readBy, readCount, claim });
    }
    return details;
  }

  list(query: MessageQuery): Promise<Page<StoredMessage>> {
    return this.#list.read(query);
  }

  async thread(workspace: string, threadId: number, { after: from, limit, reading, caller }: ThreadQuery): Promise<Page<StoredMessage>> {
    if (reading) await this.participants(workspace, threadId, caller);
    const participants = () => this.#context.participants.of(workspace, threadId);
    return keptPage({
      from,
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

  async participants(workspace: string, threadId: number, caller?: string): Promise<Participants> {
    return this.#context.participants.lookAt(workspace, threadId, () => this.#context.scanTurns.next(caller));
  }

  participantsAtOnce(workspace: string, threadId: number): Participants | null {
    return this.#context.participants.atOnce(workspace, threadId);
  }

  remove<Answer>(workspace: string, id: number, decide: (facts: EmptyingFacts) => Decision<Answer>): Promise<Done<Answer>> {
    const { writer, changes, facts, participants } = this.#context;
    return writer.write(() => {
      const found = changes.tables.messages.get(workspace, id);
      const claim = found?.message.claimable ? facts.workOn(workspace, id)?.claim : null;
      const open = found ? this.#open.of(found, ['queued', 'dispatched']) : [];
      const held = claim?.status === 'held' ? claim : null;
      return changes.carryOut(workspace, decide({ ...facts.of(workspace), found, open, held, participants: participants.thunk(found) }));
    });
  }

  async countDeadLetters(workspace: string): Promise<{ readonly count: number; readonly cursor: number }> {
    return { count: this.#deadLetters.get(workspace) ?? 0, cursor: this.#context.log.head };
  }

  dismiss<Answer>(workspace: string, id: number, decide: (facts: DismissalFacts) => Decision<Answer>): Promise<Answer> {
    const { writer, changes, facts, participants } = this.#context;
    return writer.write(() => {
      const found = changes.tables.messages.get(workspace, id);
      const isDeadLetter = changes.tables.deadLetters.has(workspace, id);
      const shown = { ...facts.of(workspace), found, isDeadLetter, participants: participants.thunk(found) };
      return changes.carryOut(workspace, decide(shown)).answer;
    });
  }

  expire<Answer>(
    now: number,
    limit: number,
    decide: DecideExpiry<Answer>,
  ): Promise<{ readonly count: number; readonly answers: readonly Answer[] }> {
    const { writer, changes, facts } = this.#context;
    return writer.write(() => {
      const rows = this.#toExpire.all(now, limit);
      const answers = rows.map((row) => {
        const found = toStoredMessage(row);
        const waiting = this.#open.of(found, ['queued']);
        this.#markExpired.run(now, row.id);
        const work = found.message.claimable ? (facts.workOn(row.workspace, row.id)?.work ?? null) : null;
        return changes.carryOut(row.workspace, decide({ ...facts.of(row.workspace), found, waiting, work })).answer;
      });
      return { count: rows.length, answers };
    });
  }

  async nextExpiry(): Promise<number | null> {
    return this.#nextExpiry.get() ?? null;
  }

  #sendFacts({ workspace, from, replyTo, idempotencyKey }: SendSubject): SendFacts {
    const { changes, facts, participants } = this.#context;
    const { holds } = changes.tables;
    const { repliedTo, copy } = facts.replied(workspace, replyTo, from);
    return {
      ...facts.of(workspace),
      earlier: idempotencyKey === null ? null : this.#earlier(workspace, from, idempotencyKey),
      repliedTo,
      copy,
      participants: participants.thunk(repliedTo),
      heldAlike: (digest) => holds.findOpen(workspace, from, digest),
      openHolds: () => holds.countOpen(workspace, from),
    };
  }

  #earlier(workspace: string, from: string, key: string): Earlier | null {
    const { messages, holds } = this.#context.changes.tables;
    const sent = this.#findKey.get(workspace, from, key);
    if (!sent) {
      const held = holds.findUnderKey(workspace, from, key);
      if (held?.hold.status !== 'released') return held;
      const stored = messages.get(workspace, held.hold.messageId);
      return stored && { stored, digest: held.digest };
    }
    const stored = messages.get(workspace, sent.message_id);
    if (!stored) throw new Error('An idempotency key outlived its message');
    return { stored, digest: sent.digest };
  }

  #claimOn(message: StoredMessage['message']): Claim | null {
    if (!message.claimable) return null;
    const row = this.#newestClaim.get(message.id);
    return row ? toClaim(row) : null;
  }
}
