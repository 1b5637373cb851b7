import { randomBytes, randomUUID } from 'node:crypto';
import { stripVTControlCharacters } from 'node:util';
import type { Principal } from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import type { NewEvent, TokenGrants, TokenRecord, TokenType } from '../../domain/change.ts';
import { describeToken, isCode } from '../../domain/describe-token.ts';
import type { KnownSecrets } from '../../domain/shared-log.ts';
import { beginToken, endToken } from '../../domain/token-changes.ts';
import type { Store } from '../../store/store.ts';
import { hashOfToken, type IntegrationSettings } from '../contract/integration-settings.ts';
import type { BrowserSession } from '../contract/relay-contract.ts';
import { TokenLives } from './token-lives.ts';

const LOGIN_CODE_MS = 600_000;
const DIAL_CODE_MS = 600_000;
const OWNER_SESSION_MS = 30 * 86_400_000;

export interface TokensDeps {
  readonly store: Pick<Store, 'tokens' | 'agents'>;
  readonly clock: Clock;
  /** The owner's and the integrations'. */
  readonly workspace: string;
  /** Tokens that stand for the owner, e.g. the owner credential and AGENT_RELAY_TOKEN. */
  readonly ownerTokens?: readonly string[];
  readonly integrations?: readonly IntegrationSettings[];
  /** What else nobody may learn, as it is now. */
  readonly otherSecrets?: () => readonly string[];
}

/** A token that has been made but not stored: `token` is shown once, `record` goes into the change that it belongs to. */
export interface MintedToken {
  readonly token: string;
  readonly record: TokenRecord;
}

type TokenHolder = Pick<TokenRecord, 'workspace'> &
  Partial<Pick<TokenRecord, 'agentId' | 'epoch' | 'nodeId' | 'name' | 'grants' | 'share' | 'expiresAt'>>;

/** Who speaks. Tokens are kept as SHA-256 hashes; those that were shown before are known by heart. */
export class Tokens {
  readonly lives: TokenLives;
  readonly #deps: TokensDeps;
  /** The owner's credentials, each by its hash with what a holder of it is called. */
  readonly #owners: ReadonlyMap<string, string>;
  /** With which of them an owner came. */
  readonly #shown = new WeakMap<Principal, string>();
  readonly #integrations: ReadonlyMap<string, Principal>;

  constructor(deps: TokensDeps) {
    this.#deps = deps;
    this.lives = new TokenLives(deps);
    const owners = (deps.ownerTokens ?? []).map(hashOf);
    this.#owners = new Map(owners.map((hash) => [hash, `owner-${hashOf(hash).slice(0, 8)}`]));
    this.#integrations = new Map((deps.integrations ?? []).map((settings) => [settings.tokenHash, principalOf(deps.workspace, settings)]));
  }

  /** What is to be found in what others are shown: credentials of the owner and of systems outside, and what posts to these are signed with. */
  get secrets(): KnownSecrets {
    const { ownerTokens = [], integrations = [], otherSecrets = () => [] } = this.#deps;
    return {
      texts: [...ownerTokens, ...integrations.map(({ callbackKey }) => callbackKey), ...otherSecrets()],
      withoutColours: stripVTControlCharacters,
      words: {
        lengths: new Set(integrations.map(({ tokenLength }) => tokenLength)),
        isOne: (word) => this.#integrations.has(hashOf(word)),
      },
    };
  }

  mint(type: TokenType, holder: TokenHolder): MintedToken {
    const token = `ar_${type}_${randomBytes(32).toString('base64url')}`;
    const record: TokenRecord = {
      agentId: null,
      epoch: null,
      nodeId: null,
      name: null,
      grants: null,
      share: null,
      expiresAt: null,
      ...holder,
      hash: hashOf(token),
      tokenId: randomUUID(),
      type,
      createdAt: this.#deps.clock.now(),
    };
    return { token, record };
  }

  async issueLoginCode(workspace: string): Promise<{ readonly code: string; readonly expiresAt: number }> {
    const expiresAt = this.#deps.clock.now() + LOGIN_CODE_MS;
    const { token, record } = this.mint('login', { workspace, expiresAt });
    await this.#put(record, null);
    return { code: token, expiresAt };
  }

  async exchangeLoginCode(code: string): Promise<BrowserSession | null> {
    const hash = hashOf(code);
    const found = await this.#deps.store.tokens.find(hash);
    if (found?.type !== 'login') return null;
    const taken = await this.#take(hash);
    const now = this.#deps.clock.now();
    if (!taken || (taken.expiresAt !== null && taken.expiresAt <= now)) return null;
    const expiresAt = now + OWNER_SESSION_MS;
    const { token, record } = this.mint('browser', { workspace: taken.workspace, expiresAt, name: 'browser' });
    // Whoever followed the owner's link came with the owner's leave.
    await this.#put(record, 'owner');
    return { token, tokenId: record.tokenId, expiresAt };
  }

  /** A code with which a program may dial in as an agent, good for nothing else. */
  async issueDialCode(workspace: string, agentId: string): Promise<{ readonly token: string; readonly expiresAt: number }> {
    const expiresAt = this.#deps.clock.now() + DIAL_CODE_MS;
    const { token, record } = this.mint('dial', { workspace, agentId, expiresAt });
    await this.#put(record, null);
    return { token, expiresAt };
  }

  /** `epoch` is that of the session that it counts for, null before that has begun; null when it is unknown, or ran out before. */
  async findDialCode(code: string): Promise<TokenRecord | null> {
    const found = await this.#deps.store.tokens.find(hashOf(code));
    const isGood = found?.type === 'dial' && (found.expiresAt === null || found.expiresAt > this.#deps.clock.now());
    return isGood ? found : null;
  }

  /** Who a token speaks for; null when it is unknown, expired, revoked, or its agent has a newer epoch. */
  async authenticate(token: string, as: 'bearer' | 'browser' = 'bearer'): Promise<Principal | null> {
    const hash = hashOf(token);
    const credential = this.#owners.get(hash);
    if (credential !== undefined) return this.#owner(credential);
    const integration = this.#integrations.get(hash);
    if (integration) return integration;
    const record = await this.lives.find(hash);
    // A browser's session is good for a browser, with its cookie and its word.
    if (record?.type === 'browser' && as !== 'browser') return null;
    const principal = record && this.#principalOf(record);
    return principal && this.lives.bind(principal, record);
  }

  /** What a caller's rights end with: the token that it showed, by its id, or one of the owner's credentials; null for who showed neither. */
  holderOf(principal: Principal): string | null {
    const tokenId = this.lives.tokenIdOf(principal);
    if (tokenId !== null || principal.type !== 'owner') return tokenId;
    const [first = null] = this.#owners.values();
    return this.#shown.get(principal) ?? first;
  }

  /** Everybody that `holderOf` may have named and whose token is good now, as whom it speaks for. */
  async holders(workspace: string): Promise<ReadonlyMap<string, Principal>> {
    const now = this.#deps.clock.now();
    const owners = [...this.#owners.values()].map((credential) => [credential, this.#owner(credential)] as const);
    const others = (await this.#deps.store.tokens.list(workspace)).flatMap((record) => {
      const principal = record.expiresAt === null || record.expiresAt > now ? this.#principalOf(record) : null;
      return principal === null ? [] : [[record.tokenId, principal] as const];
    });
    return new Map([...(workspace === this.#deps.workspace ? owners : []), ...others]);
  }

  /** Ends the session that a login link began; false for every other token, which a browser only showed. */
  async endBrowserSession(token: string): Promise<boolean> {
    const record = await this.lives.find(hashOf(token));
    return record?.type === 'browser' && (await this.revoke(record.workspace, record.tokenId, 'owner'));
  }

  /** Ends a token at once; false when there is none of this id. `by` is who asked for it. */
  async revoke(workspace: string, tokenId: string, by: string): Promise<boolean> {
    const at = this.#deps.clock.now();
    const revoked = await this.#deps.store.tokens.change({ workspace, tokenId }, (record) => ({
      answer: true,
      change: endToken(record, at, ended('token.revoked', record, at, by)),
    }));
    return revoked !== null;
  }

  /** Forgets tokens that have run out. */
  async sweep(now: number): Promise<void> {
    await this.#deps.store.tokens.expire(now, (record) => endToken(record, now, ended('token.expired', record, now, null)));
  }

  #put(record: TokenRecord, by: string | null): Promise<null> {
    return this.#deps.store.tokens.begin(record.workspace, () => ({ answer: null, change: beginToken(record, by) }));
  }

  /** Takes a code out, once. */
  #take(hash: string): Promise<TokenRecord | null> {
    const at = this.#deps.clock.now();
    return this.#deps.store.tokens.change({ hash }, (record) => ({ answer: record, change: endToken(record, at, null) }));
  }

  #owner(credential: string): Principal {
    const principal: Principal = { type: 'owner', workspace: this.#deps.workspace };
    this.#shown.set(principal, credential);
    return principal;
  }

  #principalOf({ workspace, type, tokenId, name, agentId, epoch, nodeId, grants, share }: TokenRecord): Principal | null {
    switch (type) {
      case 'browser':
        return { type: 'owner', workspace };
      case 'node':
        return nodeId === null ? null : { type, workspace, nodeId };
      case 'session':
        return agentId !== null && epoch !== null && this.#isCurrent(workspace, agentId, epoch)
          ? { type: 'agent', workspace, agentId, epoch }
          : null;
      case 'scoped':
        return grants && { type: 'token', workspace, tokenId, name: name ?? tokenId, kind: grants.kind, agentId, ...allowed(grants) };
      case 'share':
        return share && agentId !== null ? { type, workspace, tokenId, agentId, sessionId: share.sessionId } : null;
      case 'login':
      case 'dial':
        return null;
    }
  }

  /** A session's token is taken out in the commit that ends the session; asked all the same, for a database may come from a backup. */
  #isCurrent(workspace: string, agentId: string, epoch: number): boolean {
    const agent = this.#deps.store.agents.index.in(workspace).find(agentId)?.agent;
    return agent?.epoch === epoch && agent.protected;
  }
}

/** A code is no token: nothing is told of one. */
const ended = (type: 'token.revoked' | 'token.expired', record: TokenRecord, at: number, by: string | null): NewEvent | null =>
  isCode(record) ? null : { type, at, token: describeToken(record), by };

const allowed = ({ scopes, targets, channels }: TokenGrants) => ({
  scopes: [...scopes],
  targets: targets && [...targets],
  channels: channels && [...channels],
});

const hashOf = hashOfToken;

const principalOf = (workspace: string, { name, scopes, targets, channels }: IntegrationSettings): Principal => ({
  type: 'integration',
  workspace,
  name,
  scopes: [...scopes],
  targets: targets && [...targets],
  channels: channels && [...channels],
});
