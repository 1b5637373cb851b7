import {
  type ActivityEntry,
  type ActivityWatchers,
  type AgentEvent,
  type MethodParams,
  type MethodResult,
  type Principal,
  principalName,
  RelayError,
  type RouteInput,
  type RouteOutput,
  type Session,
} from 'agent-relay-protocol';
import { Bell } from 'agent-relay-wire';
import type { Clock } from '../../clock.ts';
import { watchedIn } from '../../domain/act-as.ts';
import { meaningOf } from '../../domain/activity-changes.ts';
import { isApprovalEvent, maySeeApprovals } from '../../domain/approval.ts';
import { besides, type Crowd, seesCrowd } from '../../domain/crowd.ts';
import { type KnownSecrets, sharedEntry } from '../../domain/shared-log.ts';
import { assertMayWatch, mayWatch } from '../../domain/spawn-rules.ts';
import { tokensOf } from '../../domain/token-use.ts';
import { ownTurn } from '../../events/stream-turn.ts';
import type { ActivityStore } from '../../store/activity-store.ts';
import type { AgentStore } from '../../store/store.ts';
import { assertNothingOf, registered } from '../access/registered.ts';
import type { ApprovalRules } from '../approvals/rules.ts';
import { isFirstPage, listed, pageOf } from '../contract/listed.ts';
import type { ActivityBatch, ActivityStream, CallContext, LiveActivityEntry } from '../contract/relay-contract.ts';
import type { LoopGuard } from '../guard/loop-guard.ts';
import type { ToolMail } from '../mail/tool-mail.ts';
import { Crowds, type Onlooker } from './crowds.ts';

export interface ActivityDeps {
  readonly store: { readonly activity: ActivityStore; readonly agents: Pick<AgentStore, 'index'> };
  readonly clock: Clock;
  /** What no link shows. */
  readonly secrets: () => KnownSecrets;
  /** Told what agents' turns cost. */
  readonly guard: Pick<LoopGuard, 'used'>;
  readonly toolMail: Pick<ToolMail, 'observe'>;
  /** Told what agents ask. */
  readonly rules: Pick<ApprovalRules, 'asked'>;
  /** How long what agents did is kept; null keeps it for ever. */
  readonly retentionMs: number | null;
}

/** Deltas that wait for one watcher; the oldest go first: the completed text says it all again. */
const MAX_WAITING_DELTAS = 1_000;
const PAGE = 200;
const PRUNE_BATCH = 1_000;

interface Watcher {
  deltas: LiveActivityEntry[];
  isRung: boolean;
  readonly bell: Bell;
  /** All who follow the agent, where that has not been told yet. */
  crowd: Crowd | null;
}

interface Reader {
  readonly workspace: string;
  readonly agentId: string;
  readonly principal: Principal;
  /** Asked for each batch: whoever started an agent may have lost it to another meanwhile. */
  readonly view: () => View;
  /** The last entry that it has. */
  after: number;
}

/** What one caller sees of an agent's activity. */
interface View {
  /** The only session of which it does; undefined where it sees all. */
  readonly sessionId?: string | undefined;
  /** How it sees an entry; null for not at all. */
  readonly show: (entry: ActivityEntry) => ActivityEntry | null;
}

/** What agents do: stored from their nodes, listed by cursor, and told live to those who watch. */
export class ActivityRelay {
  readonly #deps: ActivityDeps;
  readonly #watchers = new Map<string, Set<Watcher>>();
  readonly #crowds: Crowds;

  constructor(deps: ActivityDeps) {
    this.#deps = deps;
    this.#crowds = new Crowds(deps.clock);
  }

  /** Entries of a session that a node hosts; what comes after the session's end is kept and marked. */
  async append(
    workspace: string,
    session: Session,
    { entries }: MethodParams<'activity/append'>,
  ): Promise<MethodResult<'activity/append'>> {
    const { agentId, sessionId, status } = session;
    const late = status === 'ended' || status === 'failed';
    const now = this.#deps.clock.now();
    const { ackedSeq, stored } = await this.#deps.store.activity.append(
      { workspace, agentId, sessionId, late, entries, now },
      (entry, facts) => {
        const changes = meaningOf(entry, facts, now);
        this.#deps.guard.used(workspace, agentId, tokensOf(entry.event));
        return changes;
      },
    );
    if (stored > 0) this.#ring(workspace, agentId, []);
    const events = entries.slice(entries.length - stored).map(({ event }) => event);
    // First: whatever fails after it, what was stored is not sent again.
    for (const event of events) if (event.type === 'approval.requested') void this.#deps.rules.asked(workspace, session, event.approvalId);
    await this.#deps.toolMail.observe(workspace, session, events);
    return { ackedSeq };
  }

  /** Deltas that nobody stores. */
  live(workspace: string, session: Pick<Session, 'agentId' | 'sessionId'>, at: number, events: readonly AgentEvent[]): void {
    const { agentId, sessionId } = session;
    // A delta has no number of its own: it belongs before whatever is stored next.
    this.#ring(
      workspace,
      agentId,
      events.map((event) => ({ id: 0, agentId, sessionId, seq: 1, at, late: false, event })),
    );
  }

  async list(input: RouteInput<'agents/activity'>, { principal }: CallContext): Promise<RouteOutput<'agents/activity'>> {
    const { workspace } = principal;
    const { sessionId = input.session, show } = this.#viewOf(input, principal);
    const page = await this.#deps.store.activity.list({
      workspace,
      agentId: input.id,
      sessionId,
      ...pageOf(input),
    });
    if (isFirstPage(input) && principal.type !== 'share') this.#assertNothingOf(workspace, input.id, page.items);
    return listed({ ...page, items: page.items.flatMap((entry) => show(entry) ?? []) });
  }

  async open({ id, after }: MethodParams<'activity/subscribe'>, { principal, signal, turn }: CallContext): Promise<ActivityStream> {
    const { workspace } = principal;
    this.#viewOf({ id }, principal);
    const { cursor: head, items } = await this.#deps.store.activity.list({
      workspace,
      agentId: id,
      after: 0,
      before: Number.MAX_SAFE_INTEGER,
      limit: 1,
    });
    if (principal.type !== 'share') this.#assertNothingOf(workspace, id, items);
    const cursor = after ?? head;
    const view = () => this.#viewOf({ id }, principal);
    return { cursor, batches: this.#follow({ workspace, agentId: id, principal, view, after: cursor }, { signal, turn }) };
  }

  /** Forgets what is older than the retention, a bounded piece at a time. Answers how many entries went. */
  async prune(): Promise<number> {
    const { clock, retentionMs, store } = this.#deps;
    if (retentionMs === null) return 0;
    let pruned = 0;
    for (let went = PRUNE_BATCH; went === PRUNE_BATCH; pruned += went)
      went = await store.activity.prune(clock.now() - retentionMs, PRUNE_BATCH);
    return pruned;
  }

  async *#follow(reader: Reader, { signal, turn = ownTurn }: Pick<CallContext, 'signal' | 'turn'>): AsyncGenerator<ActivityBatch, void> {
    const watcher: Watcher = { deltas: [], isRung: true, bell: new Bell(), crowd: null };
    const key = keyOf(reader.workspace, reader.agentId);
    const watchers = this.#watchers.get(key) ?? new Set();
    this.#watchers.set(key, watchers.add(watcher));
    const onlooker = this.#onlookerOf(reader, watcher);
    this.#crowds.join(key, onlooker);
    let told = nobodyElse;
    try {
      while (!signal.aborted) {
        if (!watcher.isRung && watcher.deltas.length === 0 && watcher.crowd === null) await watcher.bell.next({ signal });
        await turn.begin(signal);
        if (signal.aborted) return;
        const entries = await this.#take(reader, watcher);
        if (entries.length > 0) yield { entries };
        const others = takeOthers(watcher, onlooker);
        if (others !== null && JSON.stringify(others) !== told) {
          told = JSON.stringify(others);
          yield { others };
        }
        turn.end();
      }
    } finally {
      turn.end();
      watchers.delete(watcher);
      if (watchers.size === 0) this.#watchers.delete(key);
      this.#crowds.leave(key, onlooker);
    }
  }

  #onlookerOf({ principal }: Reader, watcher: Watcher): Onlooker {
    const isTold = seesCrowd(principal);
    const tell = (crowd: Crowd) => {
      if (!isTold) return;
      watcher.crowd = crowd;
      watcher.bell.ring();
    };
    return { by: principalName(principal), since: this.#deps.clock.now(), tell };
  }

  /** Deltas first: the text they belong to was completed after them, and may be in the page that follows. */
  async #take(reader: Reader, watcher: Watcher): Promise<LiveActivityEntry[]> {
    const { deltas, isRung } = watcher;
    watcher.deltas = [];
    watcher.isRung = false;
    const { workspace, agentId, after } = reader;
    const { sessionId, show } = reader.view();
    const page = isRung ? await this.#deps.store.activity.list({ workspace, agentId, sessionId, after, limit: PAGE }) : null;
    reader.after = page?.items.at(-1)?.id ?? after;
    watcher.isRung ||= page !== null && page.next !== null;
    const wanted = sessionId === undefined ? deltas : deltas.filter((delta) => delta.sessionId === sessionId);
    return [...wanted, ...(page?.items ?? [])].flatMap((entry) => show(entry) ?? []);
  }

  #ring(workspace: string, agentId: string, deltas: readonly LiveActivityEntry[]): void {
    for (const watcher of this.#watchers.get(keyOf(workspace, agentId)) ?? []) {
      if (deltas.length === 0) watcher.isRung = true;
      else watcher.deltas = [...watcher.deltas, ...deltas].slice(-MAX_WAITING_DELTAS);
      watcher.bell.ring();
    }
  }

  #assertNothingOf(workspace: string, agentId: string, found: readonly ActivityEntry[]): void {
    assertNothingOf(this.#deps.store.agents.index.in(workspace), agentId, found);
  }

  /** What of an agent's activity a caller is shown: what it asks of people only with that right. @throws RelayError `not_found`, `forbidden`. */
  #viewOf({ id: agentId, session }: Asked, principal: CallContext['principal']): View {
    if (principal.type === 'share') return viewOfLink({ id: agentId, session }, principal, this.#deps.secrets);
    const agents = this.#deps.store.agents.index.in(principal.workspace);
    const watched = watchedIn(agents, agentId);
    if (!agents.find(agentId) || !mayWatch(principal, watched)) registered(agents, agentId);
    assertMayWatch(principal, watched);
    const seesAll = maySeeApprovals(principal, watched);
    return { show: (entry) => (seesAll || !isApprovalEvent(entry.event) ? entry : null) };
  }
}

/** What was asked for: an agent, or one session of it. */
interface Asked {
  readonly id: string;
  readonly session?: string | undefined;
}

/** @throws RelayError `not_found` for everything but its own session, whether there is such a thing or not. */
function viewOfLink(
  { id, session }: Asked,
  { agentId, sessionId }: Extract<Principal, { type: 'share' }>,
  secrets: () => KnownSecrets,
): View {
  if (id === agentId && (session ?? sessionId) === sessionId) return { sessionId, show: (entry) => sharedEntry(entry, secrets()) };
  throw new RelayError('not_found', 'This link does not show that');
}

const nobodyElse = JSON.stringify({ watchers: [], more: 0 });

function takeOthers(watcher: Watcher, onlooker: Onlooker): ActivityWatchers | null {
  const { crowd } = watcher;
  watcher.crowd = null;
  return crowd && besides(onlooker, crowd);
}

const keyOf = (workspace: string, agentId: string): string => `${workspace}\n${agentId}`;
