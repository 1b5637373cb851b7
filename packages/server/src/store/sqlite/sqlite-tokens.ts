import type { Statement } from 'better-sqlite3';
import type { Change, TokenRecord } from '../../domain/change.ts';
import type { Decision, Facts } from '../../domain/facts.ts';
import type { TokenStore, TokenSubject } from '../store.ts';
import type { SqliteContext } from './context.ts';
import { type TokenRow, toTokenRecord } from './token-table.ts';

export class SqliteTokens implements TokenStore {
  readonly #context: SqliteContext;
  readonly #find: Statement<[string], TokenRow>;
  readonly #list: Statement<[string], TokenRow>;

  constructor(context: SqliteContext) {
    this.#context = context;
    this.#find = context.reader.prepare('SELECT * FROM tokens WHERE hash = ?');
    this.#list = context.reader.prepare('SELECT * FROM tokens WHERE workspace = ? ORDER BY created_at, token_id');
  }

  async find(hash: string): Promise<TokenRecord | null> {
    const row = this.#find.get(hash);
    return row ? toTokenRecord(row) : null;
  }

  async list(workspace: string): Promise<readonly TokenRecord[]> {
    return this.#list.all(workspace).map(toTokenRecord);
  }

  begin<Answer>(workspace: string, decide: (facts: Facts) => Decision<Answer>): Promise<Answer> {
    const { writer, changes, facts } = this.#context;
    return writer.write(() => changes.carryOut(workspace, decide(facts.of(workspace))).answer);
  }

  change<Answer>(subject: TokenSubject, decide: (found: TokenRecord, facts: Facts) => Decision<Answer>): Promise<Answer | null> {
    const { writer, changes, facts } = this.#context;
    const { tokens } = changes.tables;
    return writer.write(() => {
      const found = 'hash' in subject ? tokens.get(subject.hash) : tokens.withId(subject.workspace, subject.tokenId);
      if (found === null) return null;
      return changes.carryOut(found.workspace, decide(found, facts.of(found.workspace))).answer;
    });
  }

  expire(now: number, decide: (expired: TokenRecord, facts: Facts) => Change): Promise<number> {
    const { writer, changes, facts } = this.#context;
    return writer.write(() => {
      const expired = changes.tables.tokens.expired(now);
      for (const record of expired) changes.apply(record.workspace, decide(record, facts.of(record.workspace)));
      return expired.length;
    });
  }

  onEnded(listener: (ended: readonly TokenRecord[]) => void): () => void {
    return this.#context.changes.tables.tokens.onEnded(listener);
  }
}
