import type { Database, Statement } from 'better-sqlite3';
import type { TokenRecord, TokenType } from '../../domain/change.ts';
import { isBound } from '../../domain/token-changes.ts';
import type { MutableAgentIndex } from '../agent-index.ts';

export interface TokenRow {
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
  readonly share: string | null;
}

type TokenValues = [
  string,
  string,
  string,
  string,
  string | null,
  number | null,
  string | null,
  string | null,
  number,
  number | null,
  string | null,
  string | null,
];

/** Tokens as they are written. Whatever takes one out, and for whatever reason, does so here: those who listen hear of every end. */
export class TokenTable {
  readonly #database: Database;
  readonly #index: MutableAgentIndex;
  readonly #put: Statement<TokenValues>;
  readonly #end: Statement<[string]>;
  readonly #name: Statement<[string | null, string]>;
  readonly #get: Statement<[string], TokenRow>;
  readonly #withId: Statement<[string, string], TokenRow>;
  readonly #ofAgent: Statement<[string, string], TokenRow>;
  readonly #ofNode: Statement<[string, string], TokenRow>;
  readonly #expired: Statement<[number], TokenRow>;
  readonly #listeners = new Set<(ended: readonly TokenRecord[]) => void>();
  #ended: TokenRecord[] = [];

  constructor(database: Database, index: MutableAgentIndex) {
    this.#database = database;
    this.#index = index;
    this.#put = database.prepare(
      'INSERT INTO tokens (hash, token_id, workspace, type, agent_id, epoch, node_id, name, created_at, expires_at, grants, share) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.#end = database.prepare('DELETE FROM tokens WHERE hash = ?');
    this.#name = database.prepare('UPDATE tokens SET name = ? WHERE hash = ?');
    this.#get = database.prepare('SELECT * FROM tokens WHERE hash = ?');
    this.#withId = database.prepare('SELECT * FROM tokens WHERE workspace = ? AND token_id = ?');
    const inOrder = 'ORDER BY created_at, token_id';
    this.#ofAgent = database.prepare(`SELECT * FROM tokens WHERE workspace = ? AND agent_id = ? ${inOrder}`);
    this.#ofNode = database.prepare(`SELECT * FROM tokens WHERE workspace = ? AND node_id = ? AND type = 'node' ${inOrder}`);
    this.#expired = database.prepare(`SELECT * FROM tokens WHERE expires_at <= ? ${inOrder}`);
    this.reload();
  }

  /** Makes what the index knows of tokens anew from what is committed. */
  reload(): void {
    const bound = this.#database
      .prepare<[], { workspace: string; agent_id: string }>(
        "SELECT workspace, agent_id FROM tokens WHERE type = 'scoped' AND agent_id IS NOT NULL",
      )
      .all();
    this.#index.clearBound();
    for (const { workspace, agent_id } of bound) this.#index.addBound(workspace, agent_id, 1);
  }

  put(token: TokenRecord): void {
    const { hash, tokenId, workspace, type, agentId, epoch, nodeId, name, createdAt, expiresAt, grants, share } = token;
    const texts = [grants && JSON.stringify(grants), share && JSON.stringify(share)] as const;
    this.#put.run(hash, tokenId, workspace, type, agentId, epoch, nodeId, name, createdAt, expiresAt, ...texts);
    if (isBound(token)) this.#index.addBound(workspace, token.agentId, 1);
  }

  end(token: TokenRecord): void {
    if (this.#end.run(token.hash).changes === 0) return;
    if (isBound(token)) this.#index.addBound(token.workspace, token.agentId, -1);
    this.#ended.push(token);
  }

  /** Calls it what the record says. */
  name({ hash, name }: TokenRecord): void {
    this.#name.run(name, hash);
  }

  get(hash: string): TokenRecord | null {
    return found(this.#get.get(hash));
  }

  withId(workspace: string, tokenId: string): TokenRecord | null {
    return found(this.#withId.get(workspace, tokenId));
  }

  ofAgent(workspace: string, agentId: string): readonly TokenRecord[] {
    return this.#ofAgent.all(workspace, agentId).map(toTokenRecord);
  }

  ofNode(workspace: string, nodeId: string): readonly TokenRecord[] {
    return this.#ofNode.all(workspace, nodeId).map(toTokenRecord);
  }

  expired(now: number): readonly TokenRecord[] {
    return this.#expired.all(now).map(toTokenRecord);
  }

  onEnded(listener: (ended: readonly TokenRecord[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  committed(): void {
    if (this.#ended.length === 0) return;
    const ended = this.#ended;
    this.#ended = [];
    for (const listener of this.#listeners) listener(ended);
  }

  rolledBack(): void {
    this.#ended = [];
    this.reload();
  }
}

const found = (row: TokenRow | undefined): TokenRecord | null => (row === undefined ? null : toTokenRecord(row));

export const toTokenRecord = (row: TokenRow): TokenRecord => ({
  hash: row.hash,
  tokenId: row.token_id,
  workspace: row.workspace,
  type: row.type,
  agentId: row.agent_id,
  epoch: row.epoch,
  nodeId: row.node_id,
  name: row.name,
  grants: row.grants === null ? null : JSON.parse(row.grants), // written by `put`, from a TokenRecord
  createdAt: row.created_at,
  share: row.share === null ? null : JSON.parse(row.share), // likewise
  expiresAt: row.expires_at,
});
