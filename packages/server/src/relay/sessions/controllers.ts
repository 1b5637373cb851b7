import type { Principal, Session } from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { watchedIn } from '../../domain/act-as.ts';
import { controllersAt, forgetControllers, STEERED, steeringOf, steeringResource } from '../../domain/controllers.ts';
import { mayWatch } from '../../domain/spawn-rules.ts';
import { allRecords } from '../../store/all-records.ts';
import type { Store } from '../../store/store.ts';

interface ControllersDeps {
  readonly store: Pick<Store, 'agents' | 'records'>;
  readonly clock: Clock;
}

/** Who steers sessions, for those who may see what their agents do. */
export class Controllers {
  readonly #deps: ControllersDeps;

  constructor(deps: ControllersDeps) {
    this.#deps = deps;
  }

  async addTo(principal: Principal, sessions: readonly Session[]): Promise<Session[]> {
    const agents = this.#deps.store.agents.index.in(principal.workspace);
    const isShown = ({ agentId, status }: Session) =>
      (status === 'starting' || status === 'running') && mayWatch(principal, watchedIn(agents, agentId));
    const shown = sessions.filter(isShown);
    if (shown.length === 0) return [...sessions];
    const under = shown.length === 1 && shown[0] ? steeringOf(shown[0].sessionId) : STEERED;
    const all = await allRecords(this.#deps.store, steeringResource, { workspace: principal.workspace, under });
    const bySession = new Map(all.map(({ sessionId, controllers }) => [sessionId, controllers]));
    const now = this.#deps.clock.now();
    return sessions.map((session) =>
      isShown(session) ? { ...session, controllers: controllersAt(bySession.get(session.sessionId) ?? [], now) } : session,
    );
  }

  /** Forgets those who have not steered for a while, and tells of it. */
  async sweep(workspace: string, now: number): Promise<void> {
    const kept = await allRecords(this.#deps.store, steeringResource, { workspace, under: STEERED });
    if (kept.every(({ controllers }) => controllersAt(controllers, now).length === controllers.length)) return;
    await this.#deps.store.records.begin(workspace, (facts) => forgetControllers(facts, now));
  }
}
