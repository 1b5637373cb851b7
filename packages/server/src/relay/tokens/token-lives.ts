import type { Principal } from 'agent-relay-protocol';
import { Alarm } from '../../alarm.ts';
import type { Clock } from '../../clock.ts';
import type { TokenRecord } from '../../domain/change.ts';
import type { BeginningFacts } from '../../domain/facts.ts';
import { assertLives, tokenEnded } from '../../domain/token-life.ts';
import type { Store } from '../../store/store.ts';

export interface TokenLivesDeps {
  readonly store: Pick<Store, 'tokens'>;
  readonly clock: Clock;
}

/** Records kept in memory: beyond it the oldest that nobody waits on is forgotten and read again when it is shown. */
const KNOWN_LIMIT = 20_000;

/** States: *live*; *ended* for good when its token has run out or was taken out of the store, which aborts `end`. */
interface Life {
  readonly record: TokenRecord;
  hasEnded: boolean;
  /** Made when somebody waits to hear of it. */
  end: AbortController | null;
}

/**
 * How long those who showed a token may go on. A principal that came of a token carries that token's life, whatever its type; the owner's
 * credential, integrations and programs without a token have none: they end with the relay.
 */
export class TokenLives {
  readonly #deps: TokenLivesDeps;
  readonly #known = new Map<string, Life>();
  readonly #lives = new WeakMap<Principal, Life>();
  readonly #expiries: Alarm;
  readonly #stopListening: () => void;
  /** Counts what has ended: a look-up that was under way meanwhile looks again. */
  #endings = 0;

  constructor(deps: TokenLivesDeps) {
    this.#deps = deps;
    this.#expiries = new Alarm(deps.clock, () => this.#endExpired());
    this.#stopListening = deps.store.tokens.onEnded((ended) => {
      this.#endings += ended.length;
      for (const { hash } of ended) this.#end(this.#known.get(hash));
    });
  }

  /** The token with this hash, while it lives. */
  async find(hash: string): Promise<TokenRecord | null> {
    const life = this.#known.get(hash) ?? (await this.#learn(hash));
    return life && this.#isLive(life) ? life.record : null;
  }

  /** Makes the principal one that lives as long as the token of a record that `find` answered; null when that has ended meanwhile. */
  bind(principal: Principal, { hash }: TokenRecord): Principal | null {
    const life = this.#known.get(hash);
    if (!life) return null;
    this.#lives.set(principal, life);
    return principal;
  }

  /** Makes `principal` live no longer than `from`, of which it came. */
  inherit(principal: Principal, from: Principal): Principal {
    const life = this.#lives.get(from);
    if (life) this.#lives.set(principal, life);
    return principal;
  }

  /** Whether the caller's token may end before the relay does. */
  isBound(principal: Principal): boolean {
    return this.#lives.has(principal);
  }

  /** Which token the caller showed; null for one that shows none that is kept. */
  tokenIdOf(principal: Principal): string | null {
    return this.#lives.get(principal)?.record.tokenId ?? null;
  }

  /** As `assertLive`, for a decision, before which the token may have been taken out in the same commit. */
  assertLiveIn({ token }: Pick<BeginningFacts, 'token'>, principal: Principal): void {
    const life = this.#lives.get(principal);
    if (life) assertLives(token(life.record.hash), this.#deps.clock.now());
  }

  /** When the caller's token runs out; null for one that does not, and for who shows none. */
  expiryOf(principal: Principal): number | null {
    return this.#lives.get(principal)?.record.expiresAt ?? null;
  }

  /** @throws RelayError `unauthorized` when the token has ended since it was shown. */
  assertLive(principal: Principal): void {
    const life = this.#lives.get(principal);
    if (life && !this.#isLive(life)) throw tokenEnded();
  }

  /** Aborts when the token of the caller ends, which is told at once; `null` for a caller without one. */
  endOf(principal: Principal): AbortSignal | null {
    const life = this.#lives.get(principal);
    if (!life) return null;
    life.end ??= new AbortController();
    if (!this.#isLive(life)) life.end.abort(tokenEnded());
    else if (life.record.expiresAt !== null) this.#expiries.setFor(life.record.expiresAt);
    return life.end.signal;
  }

  close(): void {
    this.#stopListening();
    this.#expiries.clear();
  }

  #isLive(life: Life): boolean {
    const { expiresAt } = life.record;
    if (expiresAt !== null && expiresAt <= this.#deps.clock.now()) this.#end(life);
    return !life.hasEnded;
  }

  #end(life: Life | undefined): void {
    if (!life) return;
    this.#known.delete(life.record.hash);
    life.hasEnded = true;
    life.end?.abort(tokenEnded());
  }

  #endExpired(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const life of [...this.#known.values()]) {
      const { expiresAt } = life.record;
      if (this.#isLive(life) && expiresAt !== null && life.end) next = Math.min(next, expiresAt);
    }
    if (next !== Number.POSITIVE_INFINITY) this.#expiries.setFor(next);
  }

  async #learn(hash: string): Promise<Life | null> {
    for (;;) {
      const endings = this.#endings;
      const record = await this.#deps.store.tokens.find(hash);
      const known = this.#known.get(hash);
      if (known || !record) return known ?? null;
      if (endings !== this.#endings) continue;
      this.#forgetOldest();
      const life: Life = { record, hasEnded: false, end: null };
      this.#known.set(hash, life);
      return life;
    }
  }

  /** What somebody waits on must be told of its end, so it stays known: at most as many as there are tokens. */
  #forgetOldest(): void {
    if (this.#known.size < KNOWN_LIMIT) return;
    for (const [hash, { end }] of this.#known) {
      if (end) continue;
      this.#known.delete(hash);
      return;
    }
  }
}
