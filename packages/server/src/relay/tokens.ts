import { randomBytes, randomUUID } from 'node:crypto';
import { DEFAULT_WORKSPACE, type Principal, RelayError } from 'agent-relay-protocol';
import type { Clock } from '../clock.ts';
import type { NewEvent, TokenGrants, TokenRecord, TokenType } from '../store/change.ts';
import type { Store } from '../store/store.ts';
import { describeToken } from './describe-token.ts';
import { hashOfToken, type IntegrationSettings } from './integration-settings.ts';

const LOGIN_CODE_MS = 600_000;
const OWNER_SESSION_MS = 30 * 86_400_000;
/** Records kept in memory: beyond it the oldest is forgotten and read again when it is shown. */
const CACHE_LIMIT = 20_000;

export interface TokensDeps {
  readonly store: Pick<Store, 'tokens' | 'agents'>;
  readonly clock: Clock;
  /** Tokens that stand for the owner of the default workspace, e.g. the owner credential and AGENT_RELAY_TOKEN. Held as hashes. */
  readonly ownerTokens?: readonly string[];
  readonly integrations?: readonly IntegrationSettings[];
}

/** A token that has been made but not stored: `token` is shown once, `record` goes into the change that it belongs to. */
export interface MintedToken {
  readonly token: string;
  readonly record: TokenRecord;
}

type TokenHolder = Pick<TokenRecord, 'workspace'> &
  Partial<Pick<TokenRecord, 'agentId' | 'epoch' | 'nodeId' | 'name' | 'grants' | 'expiresAt'>>;

/** Who speaks. Tokens are kept as SHA-256 hashes; those that were shown before are known by heart. */
export class Tokens {
  readonly #deps: TokensDeps;
  readonly #owners: ReadonlySet<string>;
  readonly #integrations: ReadonlyMap<string, Principal>;
  readonly #known = new Map<string, TokenRecord>();
  /** Hashes of what was revoked while this relay runs: a look-up that was under way must not bring it back. */
  readonly #revoked = new Set<string>();
  /** Ids of tokens and of browsers' sessions that ended while this relay runs; a socket may still speak for one. */
  readonly #ended = new Set<string>();
  readonly #expiries = new Map<string, number>();
  readonly #lives = new Map<string, AbortController>();
  /** Which session of a browser an owner comes with: the principal itself is the same for all of them. */
  readonly #sessions = new WeakMap<Principal, string>();

  constructor(deps: TokensDeps) {
    this.#deps = deps;
    this.#owners = new Set((deps.ownerTokens ?? []).map(hashOf));
    this.#integrations = new Map((deps.integrations ?? []).map((settings) => [settings.tokenHash, principalOf(settings)]));
  }

  mint(type: TokenType, holder: TokenHolder): MintedToken {
    const token = `ar_${type}_${randomBytes(32).toString('base64url')}`;
    const record: TokenRecord = {
      agentId: null,
      epoch: null,
      nodeId: null,
      name: null,
      grants: null,
      expiresAt: null,
      ...holder,
      hash: hashOf(token),
      tokenId: randomUUID(),
      type,
      createdAt: this.#deps.clock.now(),
    };
    return { token, record };
  }

  /** Makes and stores a node's token. */
  async issueNode(workspace: string, nodeId: string, name: string): Promise<string> {
    const { token, record } = this.mint('node', { workspace, nodeId, name });
    await this.#deps.store.tokens.put(record, created(record));
    return token;
  }

  async issueLoginCode(workspace: string): Promise<{ readonly code: string; readonly expiresAt: number }> {
    const expiresAt = this.#deps.clock.now() + LOGIN_CODE_MS;
    const { token, record } = this.mint('login', { workspace, expiresAt });
    await this.#deps.store.tokens.put(record);
    return { code: token, expiresAt };
  }

  async exchangeLoginCode(code: string): Promise<{ readonly token: string; readonly expiresAt: number } | null> {
    const hash = hashOf(code);
    const found = await this.#deps.store.tokens.find(hash);
    if (found?.type !== 'login') return null;
    const taken = await this.#deps.store.tokens.take(hash);
    const now = this.#deps.clock.now();
    if (!taken || (taken.expiresAt !== null && taken.expiresAt <= now)) return null;
    const expiresAt = now + OWNER_SESSION_MS;
    const { token, record } = this.mint('owner', { workspace: taken.workspace, expiresAt, name: 'browser' });
    await this.#deps.store.tokens.put(record, created(record));
    return { token, expiresAt };
  }

  /** Who a token speaks for; null when it is unknown, expired, revoked, or its agent has a newer epoch. */
  async authenticate(token: string): Promise<Principal | null> {
    const hash = hashOf(token);
    if (this.#owners.has(hash)) return { type: 'owner', workspace: DEFAULT_WORKSPACE };
    const integration = this.#integrations.get(hash);
    if (integration) return integration;
    const record = this.#known.get(hash) ?? (await this.#learn(hash));
    if (!record || (record.expiresAt !== null && record.expiresAt <= this.#deps.clock.now())) return null;
    const { workspace, type, tokenId, name, agentId, epoch, nodeId, grants } = record;
    switch (type) {
      case 'owner': {
        const owner: Principal = { type, workspace };
        this.#sessions.set(owner, tokenId);
        return owner;
      }
      case 'node':
        return nodeId === null ? null : { type, workspace, nodeId };
      case 'agent':
        return agentId !== null && epoch !== null && this.#isCurrent(workspace, agentId, epoch)
          ? { type, workspace, agentId, epoch }
          : null;
      case 'scoped':
        return grants && { type: 'token', workspace, tokenId, name: name ?? tokenId, agentId, ...allowed(grants) };
      case 'login':
        return null;
    }
  }

  /** Ends the session that a login link began; false for every other token, which a browser only showed. */
  async endSession(token: string): Promise<boolean> {
    const hash = hashOf(token);
    const record = this.#known.get(hash) ?? (await this.#learn(hash));
    return record?.type === 'owner' && (await this.revoke(record.workspace, record.tokenId, 'owner'));
  }

  /** Ends a token at once; false when there is none of this id. `by` is who asked for it. */
  async revoke(workspace: string, tokenId: string, by: string): Promise<boolean> {
    const at = this.#deps.clock.now();
    const removed = await this.#deps.store.tokens.remove(workspace, tokenId, (record) => ended('token.revoked', record, at, by));
    if (!removed) return false;
    this.#revoked.add(removed.hash);
    this.#known.delete(removed.hash);
    this.#end(tokenId);
    return true;
  }

  /** Aborts when the caller's token ends; `null` for callers whose tokens end with what they stand for. */
  endOf(principal: Principal): AbortSignal | null {
    const tokenId = this.#tokenIdOf(principal);
    if (tokenId === null) return null;
    const life = this.#lives.get(tokenId) ?? new AbortController();
    this.#lives.set(tokenId, life);
    if (this.#ended.has(tokenId)) life.abort(endedError());
    return life.signal;
  }

  /** @throws RelayError `unauthorized` when the caller's token was revoked, or has run out, since it was shown. */
  assertLive(principal: Principal): void {
    const tokenId = this.#tokenIdOf(principal);
    if (tokenId === null) return;
    const expiresAt = this.#expiries.get(tokenId);
    if (expiresAt !== undefined && expiresAt <= this.#deps.clock.now()) this.#end(tokenId);
    if (this.#ended.has(tokenId)) throw endedError();
  }

  /** Of those that end by themselves: tokens that people made, and browsers' sessions. */
  #tokenIdOf(principal: Principal): string | null {
    return principal.type === 'token' ? principal.tokenId : (this.#sessions.get(principal) ?? null);
  }

  /** Forgets tokens that have run out, and ends what they still hold open. */
  async sweep(now: number): Promise<void> {
    for (const [tokenId, expiresAt] of this.#expiries) if (expiresAt <= now) this.#end(tokenId);
    await this.#deps.store.tokens.removeExpired(now, (record) => ended('token.expired', record, now, null));
  }

  #end(tokenId: string): void {
    this.#ended.add(tokenId);
    this.#expiries.delete(tokenId);
    this.#lives.get(tokenId)?.abort(endedError());
    this.#lives.delete(tokenId);
  }

  async #learn(hash: string): Promise<TokenRecord | null> {
    const record = await this.#deps.store.tokens.find(hash);
    if (!record || this.#revoked.has(hash)) return null;
    if ((record.type === 'scoped' || record.type === 'owner') && record.expiresAt !== null)
      this.#expiries.set(record.tokenId, record.expiresAt);
    const [oldest] = this.#known.keys();
    if (this.#known.size >= CACHE_LIMIT && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(hash, record);
    return record;
  }

  /** An agent's tokens live and die with its epoch, which the index knows: so memory never outlives a revocation. */
  #isCurrent(workspace: string, agentId: string, epoch: number): boolean {
    const agent = this.#deps.store.agents.index.find(workspace, agentId)?.agent;
    return agent?.epoch === epoch && agent.protected;
  }
}

/** Whoever followed the owner's link, or lent a machine, came with the owner's leave. */
const created = (record: TokenRecord): NewEvent => ({
  type: 'token.created',
  at: record.createdAt,
  token: describeToken(record),
  by: 'owner',
});

/** A login code is no token yet: nothing is told of one. */
const ended = (type: 'token.revoked' | 'token.expired', record: TokenRecord, at: number, by: string | null): NewEvent | null =>
  record.type === 'login' ? null : { type, at, token: describeToken(record), by };

const endedError = (): RelayError => new RelayError('unauthorized', 'The token was revoked, or has run out');

const allowed = ({ scopes, targets, channels }: TokenGrants) => ({
  scopes: [...scopes],
  targets: targets && [...targets],
  channels: channels && [...channels],
});

const hashOf = hashOfToken;

const principalOf = ({ name, scopes, targets, channels }: IntegrationSettings): Principal => ({
  type: 'integration',
  workspace: DEFAULT_WORKSPACE,
  name,
  scopes: [...scopes],
  targets: targets && [...targets],
  channels: channels && [...channels],
});
