import type { Claim, HeldClaim } from 'agent-relay-protocol';
import type { Statement } from 'better-sqlite3';
import type { Change, Page } from '../../domain/change.ts';
import type { ClaimFacts, Decision, Done, Facts } from '../../domain/facts.ts';
import { takePage } from '../../domain/page.ts';
import type { ClaimStore, ClaimSubject, WorkFound, WorkQuery } from '../store.ts';
import { toClaim } from './claim-table.ts';
import type { SqliteContext } from './context.ts';
import { type MessageRow, messageCharacters, messageColumns, toStoredMessage } from './message-rows.ts';

interface RecordRow {
  readonly workspace: string;
  readonly record: string;
}

type WorkRow = MessageRow & { readonly work_status: WorkFound['status']; readonly fence: number };

const toWork = (row: WorkRow): WorkFound => ({ stored: toStoredMessage(row), status: row.work_status, fence: row.fence });

const prefixed = messageColumns
  .split(', ')
  .map((column) => `m.${column}`)
  .join(', ');

export class SqliteClaims implements ClaimStore {
  readonly #context: SqliteContext;
  readonly #get: Statement<[string, string], RecordRow>;
  readonly #expired: Statement<[number, number], RecordRow>;
  readonly #moveLeases: Statement<[number, number]>;
  readonly #nextExpiry: Statement<[], number | null>;
  readonly #unfinished: Statement<[string, number, number], WorkRow>;
  readonly #offered: Statement<[string, string, number, number], WorkRow>;

  constructor(context: SqliteContext) {
    this.#context = context;
    const { reader, database } = context;
    this.#get = reader.prepare('SELECT workspace, record FROM claims WHERE claim_id = ? AND workspace = ?');
    this.#expired = database.prepare(
      "SELECT workspace, record FROM claims WHERE status = 'held' AND lease_expires_at <= ? ORDER BY lease_expires_at LIMIT ?",
    );
    this.#moveLeases = database.prepare(
      `UPDATE claims SET lease_expires_at = lease_expires_at + ?, record = json_set(record, '$.leaseExpiresAt', lease_expires_at + ?)
       WHERE status = 'held'`,
    );
    this.#nextExpiry = reader.prepare<[], number | null>("SELECT min(lease_expires_at) FROM claims WHERE status = 'held'").pluck();
    const work = `SELECT ${prefixed}, w.status AS work_status, w.fence FROM work w JOIN messages m ON m.id = w.subject_id WHERE w.workspace = ?`;
    this.#unfinished = reader.prepare(`${work} AND w.status <> 'closed' AND w.subject_id > ? ORDER BY w.subject_id LIMIT ?`);
    this.#offered = reader.prepare(`${work} AND w.status = 'open' AND w.address = ? AND w.subject_id > ? ORDER BY w.subject_id LIMIT ?`);
  }

  async get(workspace: string, claimId: string): Promise<Claim | null> {
    const row = this.#get.get(claimId, workspace);
    return row ? toClaim(row) : null;
  }

  change<Answer>(workspace: string, subject: ClaimSubject, decide: (facts: ClaimFacts) => Decision<Answer>): Promise<Done<Answer>> {
    const { writer, changes } = this.#context;
    return writer.write(() => changes.carryOut(workspace, decide(this.#facts(workspace, subject))));
  }

  expire(now: number, limit: number, decide: (claim: HeldClaim, facts: Facts) => Change): Promise<number> {
    const { writer, changes, facts } = this.#context;
    return writer.write(() => {
      const rows = this.#expired.all(now, limit);
      for (const row of rows) {
        const claim = toClaim(row);
        if (claim.status === 'held') changes.apply(row.workspace, decide(claim, facts.of(row.workspace)));
      }
      return rows.length;
    });
  }

  moveLeases(byMs: number): Promise<void> {
    return this.#context.writer.write(() => void this.#moveLeases.run(byMs, byMs));
  }

  async nextExpiry(): Promise<number | null> {
    return this.#nextExpiry.get() ?? null;
  }

  async listWork(workspace: string, { addresses, held, after, limit }: WorkQuery): Promise<Page<WorkFound>> {
    const { rows, isCut } = takePage(this.#workRows(workspace, { addresses, held, after, limit: limit + 1 }), limit, messageCharacters);
    return { items: rows.map(toWork), cursor: this.#context.log.head, next: isCut ? (rows.at(-1)?.id ?? null) : null };
  }

  #workRows(workspace: string, { addresses, held, after, limit }: WorkQuery): Iterable<WorkRow> {
    if (addresses === null || held) return this.#unfinished.iterate(workspace, after, limit);
    const found = addresses.flatMap((address) => this.#offered.all(workspace, address, after, limit));
    return found.sort((one, other) => one.id - other.id);
  }

  #facts(workspace: string, subject: ClaimSubject): ClaimFacts {
    const { facts, changes, participants } = this.#context;
    const { claims, messages } = changes.tables;
    const named = 'claimId' in subject ? claims.get(workspace, subject.claimId) : null;
    const messageId = 'messageId' in subject ? subject.messageId : named?.subjectId;
    const stored = messageId === undefined ? null : messages.get(workspace, messageId);
    const shown = { ...facts.of(workspace), participants: participants.thunk(stored) };
    if (messageId === undefined) return { ...shown, message: null, kind: 'message', work: null, claim: null, copy: null };
    const found = facts.workOn(workspace, messageId);
    const claim = 'claimId' in subject ? named : ((stored && found?.claim) ?? null);
    return {
      ...shown,
      message: stored?.message ?? null,
      kind: found?.work.kind ?? 'message',
      work: stored && found && { status: found.work.status, fence: found.work.fence },
      claim,
      copy: stored && claim && facts.copyOf(workspace, stored, claim.agentId),
    };
  }
}
