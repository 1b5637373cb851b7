import type { Statement } from 'better-sqlite3';
import type { TokenRecord, TokenStore, TokenType } from '../store.ts';
import type { SqliteContext } from './context.ts';

interface TokenRow {
  readonly hash: string;
  readonly token_id: string;
  readonly workspace: string;
  /** Written by this version only, from a TokenRecord. */
  readonly type: TokenType;
  readonly agent_id: string | null;
  readonly epoch: number | null;
  readonly node_id: string | null;
  readonly name: string | null;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly grants: string | null;
}

export class SqliteTokens implements TokenStore {
  readonly #context: SqliteContext;
  readonly #find: Statement<[string], TokenRow>;
  readonly #list: Statement<[string], TokenRow>;
  readonly #take: Statement<[string], TokenRow>;
  readonly #remove: Statement<[string, string], TokenRow>;
  readonly #removeExpired: Statement<[number]>;

  constructor(context: SqliteContext) {
    this.#context = context;
    this.#find = context.reader.prepare('SELECT * FROM tokens WHERE hash = ?');
    this.#list = context.reader.prepare('SELECT * FROM tokens WHERE workspace = ? ORDER BY created_at, token_id');
    this.#take = context.database.prepare('DELETE FROM tokens WHERE hash = ? RETURNING *');
    this.#remove = context.database.prepare('DELETE FROM tokens WHERE workspace = ? AND token_id = ? RETURNING *');
    this.#removeExpired = context.database.prepare('DELETE FROM tokens WHERE expires_at <= ?');
  }

  async find(hash: string): Promise<TokenRecord | null> {
    const row = this.#find.get(hash);
    return row ? toTokenRecord(row) : null;
  }

  put(token: TokenRecord): Promise<void> {
    return this.#context.writer.write(() => this.#context.changes.putToken(token));
  }

  take(hash: string): Promise<TokenRecord | null> {
    return this.#context.writer.write(() => {
      const row = this.#take.get(hash);
      return row ? toTokenRecord(row) : null;
    });
  }

  async list(workspace: string): Promise<readonly TokenRecord[]> {
    return this.#list.all(workspace).map(toTokenRecord);
  }

  remove(workspace: string, tokenId: string): Promise<TokenRecord | null> {
    return this.#context.writer.write(() => {
      const row = this.#remove.get(workspace, tokenId);
      return row ? toTokenRecord(row) : null;
    });
  }

  removeExpired(now: number): Promise<number> {
    return this.#context.writer.write(() => this.#removeExpired.run(now).changes);
  }
}

const toTokenRecord = (row: TokenRow): TokenRecord => ({
  hash: row.hash,
  tokenId: row.token_id,
  workspace: row.workspace,
  type: row.type,
  agentId: row.agent_id,
  epoch: row.epoch,
  nodeId: row.node_id,
  name: row.name,
  grants: row.grants === null ? null : JSON.parse(row.grants), // written by putToken, from a TokenRecord
  createdAt: row.created_at,
  expiresAt: row.expires_at,
});
