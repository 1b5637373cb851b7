import type { Database, Statement } from 'better-sqlite3';
import type { TokenRecord, TokenType } from '../../domain/change.ts';
import type { MutableAgentIndex } from '../agent-index.ts';
import type { PushTable } from './push-table.ts';

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
  readonly #pushes: Pick<PushTable, 'endOfHolder'>;
  readonly #put: Statement<TokenValues>;
  readonly #take: Statement<[string], TokenRow>;
  readonly #remove: Statement<[string, string], TokenRow>;
  readonly #removeOfAgent: Statement<[string, string], TokenRow>;
  readonly #removeShares: Statement<[string, string], TokenRow>;
  readonly #ofNode: Statement<[string, string], TokenRow>;
  readonly #removeOfNode: Statement<[string, string], TokenRow>;
  readonly #nameNode: Statement<[string, string, string]>;
  readonly #removeExpired: Statement<[number], TokenRow>;
  readonly #hasSession: Statement<[string, string], number>;
  readonly #listeners = new Set<(ended: readonly TokenRecord[]) => void>();
  #ended: TokenRecord[] = [];

  constructor(database: Database, index: MutableAgentIndex, pushes: Pick<PushTable, 'endOfHolder'>) {
    this.#database = database;
    this.#index = index;
    this.#pushes = pushes;
    this.#put = database.prepare(
      'INSERT INTO tokens (hash, token_id, workspace, type, agent_id, epoch, node_id, name, created_at, expires_at, grants, share) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.#take = database.prepare('DELETE FROM tokens WHERE hash = ? RETURNING *');
    this.#remove = database.prepare('DELETE FROM tokens WHERE workspace = ? AND token_id = ? RETURNING *');
    // A code counts for one session from its first use on, which gives it that session's epoch.
    this.#removeOfAgent = database.prepare(
      "DELETE FROM tokens WHERE workspace = ? AND agent_id = ? AND (type = 'session' OR (type = 'dial' AND epoch IS NOT NULL)) RETURNING *",
    );
    this.#removeShares = database.prepare("DELETE FROM tokens WHERE workspace = ? AND agent_id = ? AND type = 'share' RETURNING *");
    this.#ofNode = database.prepare("SELECT * FROM tokens WHERE workspace = ? AND node_id = ? AND type = 'node'");
    this.#removeOfNode = database.prepare("DELETE FROM tokens WHERE workspace = ? AND node_id = ? AND type = 'node' RETURNING *");
    this.#nameNode = database.prepare("UPDATE tokens SET name = ? WHERE workspace = ? AND node_id = ? AND type = 'node'");
    this.#removeExpired = database.prepare('DELETE FROM tokens WHERE expires_at <= ? RETURNING *');
    this.#hasSession = database
      .prepare<[string, string], number>("SELECT count(*) FROM tokens WHERE workspace = ? AND agent_id = ? AND type = 'session'")
      .pluck();
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

  take(hash: string): TokenRecord | null {
    return this.#gone(this.#take.all(hash))[0] ?? null;
  }

  remove(workspace: string, tokenId: string): TokenRecord | null {
    return this.#gone(this.#remove.all(workspace, tokenId))[0] ?? null;
  }

  /** Those of its sessions. */
  removeOfAgent(workspace: string, agentId: string): void {
    this.#gone(this.#removeOfAgent.all(workspace, agentId));
  }

  /** The links to its sessions' logs. */
  removeShares(workspace: string, agentId: string): readonly TokenRecord[] {
    return this.#gone(this.#removeShares.all(workspace, agentId));
  }

  /** A machine's own; those of the sessions that it runs are not among them. */
  ofNode(workspace: string, nodeId: string): readonly TokenRecord[] {
    return this.#ofNode.all(workspace, nodeId).map(toTokenRecord);
  }

  removeOfNode(workspace: string, nodeId: string): void {
    this.#gone(this.#removeOfNode.all(workspace, nodeId));
  }

  nameNode(workspace: string, nodeId: string, name: string): void {
    this.#nameNode.run(name, workspace, nodeId);
  }

  removeExpired(now: number): readonly TokenRecord[] {
    return this.#gone(this.#removeExpired.all(now));
  }

  /** Whether a session of the agent holds a token. */
  hasSession(workspace: string, agentId: string): boolean {
    return (this.#hasSession.get(workspace, agentId) ?? 0) > 0;
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

  #gone(rows: readonly TokenRow[]): readonly TokenRecord[] {
    const records = rows.map(toTokenRecord);
    for (const record of records) {
      if (isBound(record)) this.#index.addBound(record.workspace, record.agentId, -1);
      this.#pushes.endOfHolder(record.workspace, record.tokenId);
    }
    this.#ended.push(...records);
    return records;
  }
}

/** A token that a person made for one agent: it speaks for it in every epoch. */
export const isBound = (record: TokenRecord): record is TokenRecord & { readonly agentId: string } =>
  record.type === 'scoped' && record.agentId !== null;

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
