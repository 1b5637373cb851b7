import { randomBytes, randomInt } from 'node:crypto';
import { type NodePairing, type PairingOffer, type PairingOutcome, RelayError, type RequestPairing } from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { networkOf } from '../../domain/network-address.ts';
import { newPairingCode, spelledCode } from '../../domain/pairing-code.ts';
import { FailureLimit } from '../access/failure-limit.ts';
import { hashOfToken } from '../contract/integration-settings.ts';
import type { PairingDesk } from '../contract/relay-contract.ts';

/** Machines that may wait at a time, in all and from one network. */
const MOST = 32;
const MOST_OF_ONE = 4;
const LIFE_MS = 600_000;
const POLL_MS = 2_000;
/** Whoever has not asked for so long has gone: it makes room, and is let in only when it asks again. */
const SILENT_MS = 30_000;
/** What was accepted can be fetched for so long at least. */
const FETCH_MS = 60_000;
const WRONG_PER_MINUTE = 20;

/** What a machine is given when it was accepted. */
export interface Admission {
  readonly token: string;
  readonly nodeId: string;
  readonly name: string;
}

/** States: *pending*; *accepting* while the admission is written; *accepted* until the token is used. It is over with its time in each. */
interface Pairing extends NodePairing {
  readonly network: string;
  readonly expiresAt: number;
  heardAt: number;
  fetchableUntil: number;
  isAccepting: boolean;
  admission: Admission | null;
}

/** The machines that ask to be let in. Memory only: after a restart they ask again. */
export class Pairings implements PairingDesk {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #bySecret = new Map<string, Pairing>();
  readonly #wrongSecrets: FailureLimit;
  readonly #wrongCodes: FailureLimit;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
    const limit = { perMinute: WRONG_PER_MINUTE, elapsedMs: () => clock.now() };
    this.#wrongSecrets = new FailureLimit(limit);
    this.#wrongCodes = new FailureLimit(limit);
  }

  request({ name, version }: RequestPairing, address: string): PairingOffer {
    const now = this.#clock.now();
    const network = networkOf(address);
    this.#makeRoom(network, now);
    const secret = randomBytes(32).toString('base64url');
    const code = this.#freeCode();
    const expiresAt = now + LIFE_MS;
    const asked = { code, name, version, address, askedAt: now, expiresAt };
    this.#bySecret.set(hashOfToken(secret), {
      ...asked,
      network,
      heardAt: now,
      fetchableUntil: expiresAt,
      isAccepting: false,
      admission: null,
    });
    return { code, secret, expiresAt, pollMs: POLL_MS };
  }

  outcome(secret: string): PairingOutcome {
    const pairing = this.#live().find(([hash]) => hash === hashOfToken(secret))?.[1];
    if (!pairing)
      throw this.#wrongSecrets.fail(new RelayError('not_found', 'This pairing ran out, or its token was used: ask for a new code'));
    pairing.heardAt = this.#clock.now();
    return pairing.admission ? { status: 'accepted', ...pairing.admission } : { status: 'pending', pollMs: POLL_MS };
  }

  /** Those that still ask, and that nobody has accepted. */
  pending(): readonly NodePairing[] {
    return this.#live().flatMap(([, pairing]) => {
      const { code, name, version, address, askedAt, expiresAt, isAccepting } = pairing;
      return isAccepting || this.#isSilent(pairing) ? [] : [{ code, name, version, address, askedAt, expiresAt }];
    });
  }

  /**
   * Accepts the machine that shows this code, once. When `admit` rejects, it goes on waiting.
   * @throws RelayError `not_found`, `rate_limited`, and what `admit` does.
   */
  async accept<Admitted extends { readonly admission: Admission }>(
    typed: string,
    admit: (asked: NodePairing) => Promise<Admitted>,
  ): Promise<Admitted> {
    const code = spelledCode(typed);
    const pairing = this.#live().find(([, each]) => each.code === code && !each.isAccepting)?.[1];
    if (!pairing) throw this.#wrongCodes.fail(new RelayError('not_found', `No machine waits under the code ${code}`));
    if (this.#isSilent(pairing))
      throw new RelayError('not_found', `${pairing.name} showed this code and asks no longer: start relay-connect pair there again`);
    pairing.isAccepting = true;
    try {
      const admitted = await admit(pairing);
      pairing.admission = admitted.admission;
      pairing.fetchableUntil = Math.max(pairing.expiresAt, this.#clock.now() + FETCH_MS);
      return admitted;
    } catch (error) {
      pairing.isAccepting = false;
      throw error;
    }
  }

  /** The machine has used its token, or has none any more: nobody fetches it again. */
  forget(nodeId: string): void {
    for (const [hash, { admission }] of this.#bySecret) if (admission?.nodeId === nodeId) this.#bySecret.delete(hash);
  }

  #live(): readonly (readonly [string, Pairing])[] {
    const now = this.#clock.now();
    for (const [hash, { fetchableUntil }] of this.#bySecret) if (fetchableUntil <= now) this.#bySecret.delete(hash);
    return [...this.#bySecret];
  }

  #isSilent({ heardAt }: Pairing): boolean {
    return this.#clock.now() - heardAt >= SILENT_MS;
  }

  /** @throws RelayError `rate_limited` when it is full of machines that still ask. */
  #makeRoom(network: string, now: number): void {
    const crowd = this.#crowdFor(network);
    if (crowd.length === 0) return;
    const silent = crowd.find(([, pairing]) => !pairing.isAccepting && this.#isSilent(pairing));
    if (silent) {
      this.#bySecret.delete(silent[0]);
      return;
    }
    const retryAfterMs = Math.min(...crowd.map(([, { fetchableUntil }]) => fetchableUntil)) - now;
    throw new RelayError('rate_limited', 'Too many machines wait to be paired: accept one, or wait', { details: { retryAfterMs } });
  }

  /** Those of whom one would have to go before another machine of this network may wait. */
  #crowdFor(network: string): readonly (readonly [string, Pairing])[] {
    const all = this.#live();
    const own = all.filter(([, pairing]) => pairing.network === network);
    if (own.length >= MOST_OF_ONE) return own;
    return all.length >= MOST ? all : [];
  }

  #freeCode(): string {
    for (;;) {
      const code = newPairingCode((below) => randomInt(below));
      if (!this.#live().some(([, pairing]) => pairing.code === code)) return code;
    }
  }
}
