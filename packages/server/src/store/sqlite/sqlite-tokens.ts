import type { Statement } from 'better-sqlite3';
import type { NewEvent, TokenRecord } from '../../domain/change.ts';
import { protectionChange } from '../../domain/registration.ts';
import type { TokenStore } from '../store.ts';
import type { SqliteContext } from './context.ts';
import { isBound, type TokenRow, toTokenRecord } from './token-table.ts';

type TellOfToken = (record: TokenRecord) => NewEvent | null;

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

  put(token: TokenRecord, tell?: NewEvent): Promise<void> {
    const { writer, changes, log } = this.#context;
    return writer.write(() => {
      changes.tables.tokens.put(token);
      if (tell) log.append(token.workspace, tell);
      this.#protect(token, token.createdAt);
    });
  }

  take(hash: string): Promise<TokenRecord | null> {
    return this.#context.writer.write(() => this.#context.changes.tables.tokens.take(hash));
  }

  async list(workspace: string): Promise<readonly TokenRecord[]> {
    return this.#list.all(workspace).map(toTokenRecord);
  }

  remove(workspace: string, tokenId: string, tell: TellOfToken = () => null): Promise<TokenRecord | null> {
    return this.#context.writer.write(() => {
      const record = this.#context.changes.tables.tokens.remove(workspace, tokenId);
      if (record) this.#tell(record, tell);
      return record;
    });
  }

  removeExpired(now: number, tell: TellOfToken = () => null): Promise<number> {
    return this.#context.writer.write(() => {
      const expired = this.#context.changes.tables.tokens.removeExpired(now);
      for (const record of expired) this.#tell(record, tell);
      return expired.length;
    });
  }

  onEnded(listener: (ended: readonly TokenRecord[]) => void): () => void {
    return this.#context.changes.tables.tokens.onEnded(listener);
  }

  #tell(record: TokenRecord, tell: TellOfToken): void {
    const event = tell(record);
    if (event) this.#context.log.append(record.workspace, event);
    this.#protect(record, event?.at ?? 0);
  }

  #protect(record: TokenRecord, at: number): void {
    if (!isBound(record)) return;
    const { workspace, agentId } = record;
    const { index, changes } = this.#context;
    const agent = index.find(workspace, agentId)?.agent;
    if (!agent) return;
    const holdsToken = index.isBound(workspace, agentId) || changes.tables.tokens.hasSession(workspace, agentId);
    const change = protectionChange(agent, holdsToken, at);
    if (change) changes.apply(workspace, change);
  }
}
