import type { Statement } from 'better-sqlite3';
import type { NewEvent, TokenRecord, TokenType } from '../change.ts';
import type { TokenStore } from '../store.ts';
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

type TellOfToken = (record: TokenRecord) => NewEvent | null;

export class SqliteTokens implements TokenStore {
  readonly #context: SqliteContext;
  readonly #find: Statement<[string], TokenRow>;
  readonly #list: Statement<[string], TokenRow>;
  readonly #take: Statement<[string], TokenRow>;
  readonly #remove: Statement<[string, string], TokenRow>;
  readonly #removeExpired: Statement<[number], TokenRow>;

  constructor(context: SqliteContext) {
    this.#context = context;
    this.#find = context.reader.prepare('SELECT * FROM tokens WHERE hash = ?');
    this.#list = context.reader.prepare('SELECT * FROM tokens WHERE workspace = ? ORDER BY created_at, token_id');
    this.#take = context.database.prepare('DELETE FROM tokens WHERE hash = ? RETURNING *');
    this.#remove = context.database.prepare('DELETE FROM tokens WHERE workspace = ? AND token_id = ? RETURNING *');
    this.#removeExpired = context.database.prepare('DELETE FROM tokens WHERE expires_at <= ? RETURNING *');
  }

  async find(hash: string): Promise<TokenRecord | null> {
    const row = this.#find.get(hash);
    return row ? toTokenRecord(row) : null;
  }

  put(token: TokenRecord, tell?: NewEvent): Promise<void> {
    const { writer, changes, log } = this.#context;
    return writer.write(() => {
      changes.putToken(token);
      if (tell) log.append(token.workspace, tell);
    });
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

  remove(workspace: string, tokenId: string, tell: TellOfToken = () => null): Promise<TokenRecord | null> {
    return this.#context.writer.write(() => {
      const row = this.#remove.get(workspace, tokenId);
      return row ? this.#removed(row, tell) : null;
    });
  }

  removeExpired(now: number, tell: TellOfToken = () => null): Promise<number> {
    return this.#context.writer.write(() => this.#removeExpired.all(now).map((row) => this.#removed(row, tell)).length);
  }

  #removed(row: TokenRow, tell: TellOfToken): TokenRecord {
    const record = toTokenRecord(row);
    const event = tell(record);
    if (event) this.#context.log.append(record.workspace, event);
    return record;
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
