import {
  DEFAULT_PAGE_SIZE,
  formatAddress,
  type HeldClaim,
  MAX_PAGE_SIZE,
  type Principal,
  principalName,
  RelayError,
  type RouteInput,
  type Task,
  type TaskCounts,
} from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { actAs, isOwnAt } from '../../domain/act-as.ts';
import { actingId } from '../../domain/acting.ts';
import { readAddress } from '../../domain/address.ts';
import type { Change, Page } from '../../domain/change.ts';
import { assertHolds, completeClaim, endClaim } from '../../domain/claim.ts';
import { claimEvent, workAvailable } from '../../domain/claim-changes.ts';
import type { Directory } from '../../domain/directory.ts';
import type { TaskFound } from '../../domain/facts.ts';
import { assertScope, isOwner, onlySourceOf } from '../../domain/scopes.ts';
import { assertMayFollow, endTask, followClaim, isActive, updateTask } from '../../domain/task-lifecycle.ts';
import { noTasks, saysWords } from '../../domain/task-words.ts';
import { keptPage } from '../../store/kept-page.ts';
import type { Store } from '../../store/store.ts';
import type { Readers } from '../access/readers.ts';
import { registered } from '../access/registered.ts';
import { listed, pageOf } from '../contract/listed.ts';
import type { CallContext, RelayHandlers } from '../contract/relay-contract.ts';
import type { Inboxes } from '../mail/inboxes.ts';
import { completionChange } from '../work/work-results.ts';
import { endFromOutside } from './task-reports.ts';

type TaskRouteName = 'tasks/list' | 'tasks/count' | 'tasks/get' | 'tasks/events' | 'tasks/claim' | 'tasks/status';
type StatusInput = RouteInput<'tasks/status'>;

export interface TaskRoutesDeps {
  readonly store: Pick<Store, 'tasks' | 'agents' | 'log'>;
  readonly clock: Clock;
  /** Claims the message that offers a task, which claims the task. */
  readonly claim: RelayHandlers['messages/claim'];
  readonly readers: Readers;
  readonly inboxes: Pick<Inboxes, 'settle'>;
}

export function taskHandlers({ store, clock, claim, readers, inboxes }: TaskRoutesDeps): Pick<RelayHandlers, TaskRouteName> {
  const find = async (principal: Principal, id: number): Promise<Task> => {
    const task = await store.tasks.get(principal.workspace, id);
    if (!task || !readers.of(principal).mayReadTask(task)) throw notFound(id);
    return task;
  };

  /** To read it, not to act on it: who may only report sees what came of its own reports. */
  const read = async (principal: Principal, id: number): Promise<Task> => {
    const only = onlySourceOf(principal);
    const task = await find(principal, id);
    if (only !== undefined && task.source !== only) throw notFound(id);
    return task;
  };

  return {
    'tasks/list': async ({ limit = DEFAULT_PAGE_SIZE, find, ...query }, { principal }) => {
      const narrowed = narrowedTo(query, principal);
      const { mayReadTask } = readers.of(principal);
      const page = await keptPage({
        from: query.before ?? Number.MAX_SAFE_INTEGER,
        limit,
        read: (before) =>
          // A page that words narrow is looked for among many.
          store.tasks.list({ ...query, ...narrowed, before, limit: find === undefined ? limit : MAX_PAGE_SIZE }),
        positionOf: ({ id }) => id,
        keep: (task) => mayReadTask(task) && saysWords(task, find),
      });
      return listed(page);
    },
    'tasks/count': async ({ find, ...query }, { principal }) => {
      const narrowed = narrowedTo(query, principal);
      const { mayReadTask, readsAll } = readers.of(principal);
      if (find === undefined && readsAll) return store.tasks.count({ ...query, ...narrowed });
      return countKept((before) => store.tasks.list({ ...query, ...narrowed, before, limit: MAX_PAGE_SIZE }), {
        keep: (task) => mayReadTask(task) && saysWords(task, find),
      });
    },
    'tasks/get': ({ id }, { principal }) => read(principal, id),
    'tasks/events': async ({ id, ...asked }, { principal }) => {
      await read(principal, id);
      const { after, limit } = pageOf(asked);
      return listed(await store.tasks.events(principal.workspace, id, after, limit));
    },
    'tasks/claim': async (input, context) => {
      await find(context.principal, input.id);
      return claim(input, context);
    },
    'tasks/status': async (input, { principal }) => {
      if (input.status === undefined && input.progress === undefined && input.result === undefined) {
        throw new RelayError('validation_failed', 'status: Say a status, a progress or a result', {
          issues: [{ path: 'status', message: 'Say a status, a progress or a result' }],
        });
      }
      const at = clock.now();
      await find(principal, input.id);
      await store.tasks.change(principal.workspace, input.id, ({ found, agents }) => {
        if (!found) throw notFound(input.id);
        return { answer: null, change: statusChange(found, input, { principal, at, agents }) };
      });
      const ended = await find(principal, input.id);
      if (ended.claimedBy !== null && (ended.status === 'done' || ended.status === 'failed'))
        inboxes.settle(principal.workspace, ended.claimedBy, [ended.id]);
      return ended;
    },
  };
}

/** What narrows a list or a count of tasks, as the store reads it. */
function narrowedTo({ source, target }: Pick<RouteInput<'tasks/count'>, 'source' | 'target'>, principal: Principal) {
  const address = target === undefined ? undefined : readAddress(target, 'target');
  const spelled = address && (address.type === 'bare' ? `id:${address.word}` : formatAddress(address));
  const { workspace } = principal;
  return { workspace, caller: principalName(principal), source: sourceToList(principal, source), target: spelled };
}

/** Counts a list that not everybody may read all of, page by page. */
async function countKept(
  read: (before: number) => Promise<Page<Task>>,
  { keep }: { readonly keep: (task: Task) => boolean },
): Promise<{ readonly counts: TaskCounts; readonly cursor: number }> {
  const counts = noTasks();
  for (let before: number | null = Number.MAX_SAFE_INTEGER; ; ) {
    const { items, cursor, next }: Page<Task> = await read(before);
    for (const task of items) if (keep(task)) counts[task.status] += 1;
    if (next === null) return { counts, cursor };
    before = next;
  }
}

/** @throws RelayError `forbidden_scope` when another source is asked for than the only one that the caller reads. */
function sourceToList(principal: Principal, asked: string | undefined): string | undefined {
  const only = onlySourceOf(principal);
  if (only !== undefined && asked !== undefined && asked !== only) assertScope(principal, 'tasks:read');
  return only ?? asked;
}

/** The holder writes under its claim; the owner and the task's source may end it over the holder's head. */
function statusChange(found: TaskFound, input: StatusInput, { principal, at, agents }: StatusContext): Change | null {
  const { task, claim } = found;
  const { status, result } = input;
  const isHeldBy = (agentId: string) => claim?.status === 'held' && claim.agentId === agentId;
  const isUnnamed = input.agentId === undefined && input.fence === undefined;
  const authority = isOwner(principal) || (principal.type === 'integration' && principal.name === task.source);
  const actor = authority && isUnnamed ? null : actingId(principal, input.agentId ?? holderByFence(found, input, principal), 'agentId');
  if (actor !== null) {
    const agent = actAs(agents, principal, actor, guardOf(input));
    assertNewestFence(found, input.fence);
    if (isRepeated(task, actor, status)) return null;
    const isOfSource = actor === task.source && !isHeldBy(actor) && isOwnAt(agents, principal, actor, task.id);
    if (!isOfSource && !isHeldBy(actor)) registered(agents, actor);
    if (!isOfSource) return holderChange(found, input, { agentId: actor, epoch: agent?.epoch ?? 0, at, principal, agents });
  }
  if (!isActive(task) && task.status === status) return null;
  if (status !== 'done' && status !== 'failed' && status !== 'canceled') {
    throw new RelayError('forbidden', `Only the agent that holds task ${task.id} says how it goes; its source and the owner may end it`);
  }
  const step = endTask(task, { status, result, by: principalName(principal), at });
  return endFromOutside(found, step, `${principalName(principal)} ended it`, at);
}

interface StatusContext {
  readonly principal: Principal;
  readonly at: number;
  readonly agents: Directory;
}

interface HolderActs extends StatusContext {
  readonly agentId: string;
  readonly epoch: number;
}

function holderChange(
  { task, work, claim, copy }: TaskFound,
  { status, progress, result, fence }: StatusInput,
  { agentId, epoch, at, principal, agents }: HolderActs,
): Change {
  if (!isActive(task)) assertMayFollow(task, task.status);
  if (!claim) throw new RelayError('forbidden', `${agentId} does not hold task ${task.id}: claim it first`);
  const held = assertHolds(claim, work, { agentId, epoch, fence: fence ?? null, now: at });
  switch (status) {
    case undefined:
    case 'in_progress':
    case 'blocked': {
      const said = progress ?? result;
      const step = updateTask(task, { status, progress: said, by: agentId, at });
      if (said === undefined) return { at, tasks: [step] };
      const progressed: HeldClaim = { ...held, progress: said };
      return { at, events: [claimEvent('claim.progressed', progressed, at)], claims: [progressed], tasks: [step] };
    }
    case 'open': {
      const released = endClaim(held, { status: 'released', reason: null }, at);
      const step = followClaim(task, released, at);
      const events = [claimEvent('claim.released', released, at), workAvailable(released, 'released', at)];
      return { at, events, claims: [released], tasks: step ? [step] : [] };
    }
    case 'canceled': {
      const cancelled = endClaim(held, { status: 'cancelled', reason: `${agentId} cancelled it` }, at);
      const step = endTask(task, { status, result, by: agentId, at });
      return { at, events: [claimEvent('claim.cancelled', cancelled, at)], claims: [cancelled], tasks: [step] };
    }
    case 'done':
    case 'failed': {
      const completed = completeClaim(held, result ?? null, at);
      const step = endTask(task, { status, result, by: agentId, at });
      const offer = { id: task.id, from: task.source, threadId: task.id, hops: 0 };
      const told = completionChange({ claim: completed, offer, copy, outcome: status, principal, now: at }, agents);
      return { ...told, at, events: [claimEvent('claim.completed', completed, at)], claims: [completed], tasks: [step] };
    }
  }
}

/** Whoever shows the fence has the claim, so it need not say who it is. */
function holderByFence({ claim }: TaskFound, { fence }: StatusInput, { type }: CallContext['principal']): string | undefined {
  return fence === undefined || type === 'agent' ? undefined : claim?.agentId;
}

/** Who shows a fence that the task has left behind is told so, whoever holds it now. */
function assertNewestFence({ task, claim }: TaskFound, fence: number | undefined): void {
  if (fence === undefined || claim === null || fence === claim.fence) return;
  throw new RelayError('stale_fence', `The work on task ${task.id} has moved on`, { details: { fence: claim.fence } });
}

/** An ending that its holder says again is answered with what it did. */
const isRepeated = (task: Task, actor: string, status: StatusInput['status']): boolean =>
  !isActive(task) && task.status === status && task.claimedBy === actor;

const guardOf = ({ epoch, instanceId }: StatusInput) => ({
  ...(epoch === undefined ? {} : { epoch }),
  ...(instanceId === undefined ? {} : { instanceId }),
});

const notFound = (id: number): RelayError => new RelayError('not_found', `There is no task ${id}`);
