import {
  DEFAULT_LEASE_MS,
  DEFAULT_PAGE_SIZE,
  isReservationHeld,
  type Keeping,
  keepingAmong,
  keptSentence,
  type PendingApproval,
  type Principal,
  RelayError,
  type Reservation,
  type RouteInput,
  type SessionGuard,
} from 'agent-relay-protocol';
import { sleep } from 'agent-relay-wire';
import { actAs } from '../../domain/act-as.ts';
import { actingId } from '../../domain/acting.ts';
import type { Facts } from '../../domain/facts.ts';
import {
  assertMayTouch,
  endReservation,
  endReservations,
  holdingFile,
  newReservation,
  reservationKey,
  reservationResource,
} from '../../domain/reservation.ts';
import { recordWrite } from '../../domain/resource.ts';
import { isOwner } from '../../domain/scopes.ts';
import { isUnheld, type Worker } from '../../domain/unheld.ts';
import { allRecords } from '../../store/all-records.ts';
import { registered } from '../access/registered.ts';
import { listed } from '../contract/listed.ts';
import type { HandlersOf } from '../contract/relay-contract.ts';
import type { RelayCore } from '../relay-core.ts';

type ReservationHandlers = HandlersOf<'reservations'>;

/** Long names against long patterns take a while: so long one turn of the event loop may be spent on them, and then whatever else there is to do has as long. */
const TURN_MS = 1;
const LONGEST_REST_MS = 20;

/** Files that agents have for themselves: leases over patterns, decided in one write against all that are held. */
export class Reservations {
  readonly #deps: Pick<RelayCore, 'store' | 'clock'>;
  readonly handlers: ReservationHandlers;

  constructor(deps: Pick<RelayCore, 'store' | 'clock'>) {
    this.#deps = deps;
    this.handlers = {
      'reservations/list': (input, { principal }) => this.#list(input, principal),
      'reservations/check': async (input, { principal }) => {
        registered(this.#deps.store.agents.index.in(principal.workspace), input.agentId);
        const keeping = await this.keepingFrom(principal.workspace, input);
        return { holder: keeping?.holder ?? null, reason: keeping && keptSentence(keeping) };
      },
      'reservations/create': (input, { principal }) => this.#create(input, principal),
      'reservations/renew': ({ id, leaseMs = DEFAULT_LEASE_MS, agentId, ...guard }, { principal }) =>
        this.#change(id, { principal, agentId, guard }, (reservation, now) => {
          const answer = { ...reservation, leaseExpiresAt: Math.max(reservation.leaseExpiresAt, now + leaseMs) };
          return { answer, change: { at: now, records: [recordWrite(reservationResource, answer)] } };
        }),
      'reservations/release': ({ id, agentId, ...guard }, { principal }) =>
        this.#change(id, { principal, agentId, guard }, (reservation, now) => endReservation(reservation, 'released', now)),
    };
  }

  /**
   * Who has reserved for itself what somebody asks to edit, or may have, where the question does not tell its files; null where nobody keeps
   * them from it.
   */
  async keepingFrom(workspace: string, asked: Pick<PendingApproval, 'agentId' | 'kind' | 'files' | 'cwd'>): Promise<Keeping | null> {
    if (asked.kind !== 'edit' && asked.files === undefined) return null;
    const now = this.#deps.clock.now();
    const others = (await this.#open(workspace)).filter(
      (each) => each.enforced && each.agentId !== asked.agentId && isReservationHeld(each, now),
    );
    const looking = keepingAmong(others, asked);
    for (let begunAt = performance.now(); ; ) {
      const step = looking.next();
      if (step.done) return step.value;
      const tookMs = performance.now() - begunAt;
      if (tookMs < TURN_MS) continue;
      await sleep(Math.min(tookMs, LONGEST_REST_MS));
      begunAt = performance.now();
    }
  }

  /** Ends those whose lease is over. */
  async sweep(workspace: string, now: number): Promise<void> {
    if ((await this.#open(workspace)).every((each) => isReservationHeld(each, now))) return;
    await this.#deps.store.records.begin(workspace, ({ records }) => {
      const over = records.under(reservationResource, reservationKey({})).filter((each) => !isReservationHeld(each, now));
      return { answer: undefined, change: over.length === 0 ? null : endReservations(over, 'expired', now).change };
    });
  }

  /** All that nobody ended, however much they say: their number has a limit, a page has another. */
  #open(workspace: string): Promise<readonly Reservation[]> {
    return allRecords(this.#deps.store, reservationResource, { workspace, under: reservationKey({}) });
  }

  async #list(
    { agent, file, ended: isOver = false, before, limit = DEFAULT_PAGE_SIZE }: RouteInput<'reservations/list'>,
    { workspace }: Principal,
  ) {
    const { store, clock } = this.#deps;
    if (agent !== undefined) registered(store.agents.index.in(workspace), agent);
    const page = await store.records.list(reservationResource, { workspace, under: reservationKey({ agent, isOver }), before, limit });
    const now = clock.now();
    const asked = isOver ? page.items : page.items.filter((each) => isReservationHeld(each, now));
    return listed({ ...page, items: file === undefined ? asked : holdingFile(asked, file) });
  }

  async #create({ agentId, instanceId, epoch, ...input }: RouteInput<'reservations/create'>, principal: Principal) {
    const { store, clock } = this.#deps;
    const now = clock.now();
    const acting = actingId(principal, agentId, 'agentId');
    const sessionId = store.agents.index.in(principal.workspace).find(acting)?.agent?.sessionId ?? null;
    const session = isOwner(principal) || sessionId === null ? null : await store.sessions.get(principal.workspace, sessionId);
    const guard = { ...(instanceId !== undefined && { instanceId }), ...(epoch !== undefined && { epoch }) };
    const made = await store.records.begin(principal.workspace, ({ nextId: id, agents, records }) => {
      actAs(agents, principal, acting, guard);
      const { sessionId: current } = registered(agents, acting);
      // Another session, whose folder was not looked at.
      if (!isOwner(principal) && current !== sessionId)
        throw new RelayError('stale_session', `A newer session of ${acting} has taken over`);
      if (session !== null) assertMayTouch(session, input.folder);
      const { reservation, conflicts, over } = newReservation(input, {
        ...{ id, agentId: acting, now, records },
        isUnlimited: isOwner(principal),
      });
      const ending = endReservations(over, 'expired', now).change;
      const events = [{ type: 'reservation.created' as const, at: now, reservation }, ...ending.events];
      const answer = { ...reservation, conflicts: [...conflicts] };
      return { answer, change: { at: now, events, records: [recordWrite(reservationResource, reservation), ...ending.records] } };
    });
    return made.enforced ? { ...made, unheld: await this.#unheld(principal.workspace, made) } : made;
  }

  async #unheld(workspace: string, reservation: Reservation): Promise<string[]> {
    const { store } = this.#deps;
    const nodes = await store.nodes.list(workspace);
    const unheld: string[] = [];
    for (const { agent } of [...store.agents.index.in(workspace).agents()]) {
      if (agent === null || agent.status === 'offline') continue;
      const worker: Worker = { agent, session: agent.sessionId === null ? null : await store.sessions.get(workspace, agent.sessionId) };
      if (isUnheld(worker, reservation, nodes)) unheld.push(agent.id);
    }
    return unheld.sort();
  }

  /** @throws RelayError `not_found`, `forbidden` for another's, `claim_closed` once it is over. */
  #change(
    id: number,
    { principal, agentId, guard }: { readonly principal: Principal; readonly agentId: string | undefined; readonly guard: SessionGuard },
    decide: (reservation: Reservation, now: number) => ReturnType<typeof endReservation>,
  ): Promise<Reservation> {
    const { store, clock } = this.#deps;
    const now = clock.now();
    return store.records.change<Reservation, Reservation>(
      reservationResource,
      principal.workspace,
      id,
      (reservation, { agents }: Facts) => {
        const acting = isOwner(principal) && agentId === undefined ? null : actingId(principal, agentId, 'agentId');
        if (acting !== null) actAs(agents, principal, acting, guard);
        if (acting !== null) registered(agents, acting);
        if (reservation === null) throw new RelayError('not_found', `There is no reservation ${id}`);
        if (acting !== null && acting !== reservation.agentId)
          throw new RelayError('forbidden', `Reservation ${id} is of ${reservation.agentId}`);
        if (!isReservationHeld(reservation, now)) throw new RelayError('claim_closed', `Reservation ${id} is over: make another`);
        return decide(reservation, now);
      },
    );
  }
}
