import {
  type Claim,
  MAX_LEASE_MS,
  type RouteRequest,
  type RunRecord,
  type Task,
  type TaskEvent,
  type TaskStatus,
} from 'agent-relay-protocol';
import type { Difference, PlayedAct } from './difference.ts';
import type { MessagePlayer } from './play-messages.ts';
import type { Stage } from './stage.ts';

type RecordedTask = Extract<RunRecord, { readonly type: 'task' }>;

interface PlayedTask {
  readonly id: number;
  /** How it stood when it was recorded. */
  readonly recorded: TaskStatus;
  holder: string | null;
}

interface PlayedClaim {
  readonly claimId: string;
  readonly recorded: Claim;
}

/** Reports the tasks of a run, and claims, works on and ends what its agents did: by the relay's own rules for who has what. */
export class WorkPlayer {
  readonly #stage: Stage;
  readonly #messages: MessagePlayer;
  readonly #tasks = new Map<number, PlayedTask>();
  readonly #claims = new Map<string, PlayedClaim>();

  constructor(stage: Stage, messages: MessagePlayer) {
    this.#stage = stage;
    this.#messages = messages;
  }

  get taskCount(): number {
    return this.#tasks.size;
  }

  get claimCount(): number {
    return this.#claims.size;
  }

  async open({ task }: RecordedTask): Promise<void> {
    await this.#stage.reach(task.createdAt);
    await this.#stage.arrive(task.createdAt, task.source);
    const { relay, call, differences } = this.#stage;
    const reported = await this.#stage.attempt(
      () => relay.integrations.report(asReported(task), call),
      (code, reason) => ({ type: 'refused', messageId: task.id, code, reason }),
    );
    if (!reported) return;
    if (reported.outcome !== 'created' || reported.task === null) {
      const reason = `The report was ${reported.outcome}: another task is active under its key`;
      differences.push({ type: 'refused', messageId: task.id, code: 'not_created', reason });
      return;
    }
    this.#messages.isPlayed(task.id, reported.task.id);
    this.#tasks.set(task.id, { id: reported.task.id, recorded: task.status, holder: null });
  }

  /** One line of a task's history. */
  async step({ task }: RecordedTask, event: TaskEvent): Promise<void> {
    const { type, at, by } = event;
    const played = this.#tasks.get(task.id);
    if (type === 'task.created' || !played) return;
    await this.#stage.reach(at);
    switch (type) {
      case 'task.repeated':
        return this.#repeat(task, event);
      case 'task.claimed':
        return this.#claim(played, task.id, event);
      case 'task.updated': {
        const { status, detail: progress } = event;
        const said = {
          ...(status === 'in_progress' || status === 'blocked' ? { status } : {}),
          ...(progress === null ? {} : { progress }),
        };
        return this.#says(played, { act: 'progress', by, subject: task.id }, { ...said, agentId: by });
      }
      case 'task.released':
        await this.#says(
          played,
          { act: 'release', by, subject: task.id },
          { status: 'open', ...(played.holder && { agentId: played.holder }) },
        );
        return this.#gaveBack(played);
      case 'task.completed':
      case 'task.failed':
      case 'task.canceled': {
        const actor = by === played.holder ? { agentId: by } : {};
        const result = event.detail === null ? {} : { result: event.detail };
        await this.#says(played, { act: 'end', by, subject: task.id }, { status: endings[type], ...actor, ...result });
        return this.#gaveBack(played);
      }
    }
  }

  /** Takes a message that is no task. */
  async take(claim: Claim): Promise<void> {
    const { agentId, claimedAt, subjectId, claimId } = claim;
    await this.#stage.reach(claimedAt);
    await this.#stage.arrive(claimedAt, agentId);
    const id = await this.#messages.idOf(subjectId);
    if (id === undefined) return;
    const { relay, call } = this.#stage;
    const taken = await this.#attempt(claim, 'claim', () => relay.messages.claim({ id, agentId, leaseMs: MAX_LEASE_MS }, call));
    if (!taken) return;
    this.#claims.set(claimId, { claimId: taken.claimId, recorded: claim });
    this.#stage.holds(agentId);
  }

  /** What came of it. */
  async finish(claim: Claim): Promise<void> {
    const here = this.#claims.get(claim.claimId);
    if (!here) return;
    if (claim.status !== 'held') await this.#stage.reach(claim.endedAt);
    const { relay, call } = this.#stage;
    const { agentId, progress } = claim;
    const own = { id: here.claimId, agentId };
    if (progress !== null) await this.#attempt(claim, 'progress', () => relay.claims.progress({ ...own, progress }, call));
    if (claim.status === 'held') return;
    if (claim.status === 'completed') {
      const result = claim.result === null ? {} : { result: claim.result };
      await this.#attempt(claim, 'end', () => relay.claims.complete({ ...own, ...result }, call));
    } else await this.#attempt(claim, 'release', () => relay.claims.release(own, call));
    this.#stage.letsGo(agentId);
  }

  async compare(): Promise<void> {
    const { relay, call, differences } = this.#stage;
    for (const [taskId, { id, recorded }] of this.#tasks) {
      const { status: replayed } = await relay.tasks.get({ id }, call);
      if (recorded !== replayed) differences.push({ type: 'task', taskId, recorded, replayed });
    }
    for (const { claimId, recorded: claim } of this.#claims.values()) {
      const [recorded, replayed] = [standing(claim.status), standing((await relay.claims.get({ id: claimId }, call)).status)];
      if (recorded !== replayed) differences.push({ type: 'claim', messageId: claim.subjectId, recorded, replayed });
    }
  }

  /** Reports that repeat each other share a line. */
  async #repeat(task: Task, { count, by }: TaskEvent): Promise<void> {
    const { relay, call } = this.#stage;
    for (let times = 0; times < count; times += 1) {
      const differs = refusedAct({ act: 'report', by, subject: task.id });
      if (!(await this.#stage.attempt(() => relay.integrations.report(asReported(task), call), differs))) return;
    }
  }

  async #claim(played: PlayedTask, subject: number, { at, by }: TaskEvent): Promise<void> {
    await this.#stage.arrive(at, by);
    const { relay, call } = this.#stage;
    const taken = await this.#stage.attempt(
      () => relay.tasks.claim({ id: played.id, agentId: by, leaseMs: MAX_LEASE_MS }, call),
      refusedAct({ act: 'claim', by, subject }),
    );
    if (!taken) return;
    this.#gaveBack(played);
    played.holder = by;
    this.#stage.holds(by);
  }

  async #says({ id }: PlayedTask, who: Act, said: Omit<RouteRequest<'tasks/status'>, 'id'>): Promise<void> {
    const { relay, call } = this.#stage;
    await this.#stage.attempt(() => relay.tasks.status({ id, ...said }, call), refusedAct(who));
  }

  #gaveBack(played: PlayedTask): void {
    if (played.holder !== null) this.#stage.letsGo(played.holder);
    played.holder = null;
  }

  #attempt<Answer>({ agentId: by, subjectId: subject }: Claim, act: PlayedAct, run: () => Promise<Answer>): Promise<Answer | null> {
    return this.#stage.attempt(run, refusedAct({ act, by, subject }));
  }
}

const endings = { 'task.completed': 'done', 'task.failed': 'failed', 'task.canceled': 'canceled' } as const;

interface Act {
  readonly act: PlayedAct;
  readonly by: string;
  readonly subject: number;
}

const refusedAct =
  ({ act, by: agentId, subject }: Act) =>
  (code: string, reason: string): Difference => ({ type: 'act_refused', act, agentId, subject: String(subject), code, reason });

/** A lease that ran out, and work that somebody took back, are given back in a replay: nobody waits for them there. */
const standing = (status: Claim['status']): Claim['status'] => (status === 'held' || status === 'completed' ? status : 'released');

const asReported = (task: Task): RouteRequest<'integrations/report'> => ({
  source: task.source,
  title: task.title,
  target: task.target,
  ...(task.type === null ? {} : { type: task.type }),
  ...(task.severity === null ? {} : { severity: task.severity }),
  ...(task.body === '' ? {} : { body: task.body }),
  ...(task.channel === null ? {} : { channel: task.channel }),
  ...(task.dedupeKey === null ? {} : { dedupeKey: task.dedupeKey }),
  ...(task.externalUrl === null ? {} : { externalUrl: task.externalUrl }),
  ...(task.metadata === null ? {} : { metadata: task.metadata }),
});
