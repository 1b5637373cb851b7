import {
  DEFAULT_PAGE_SIZE,
  formatAddress,
  MAX_PAGE_SIZE,
  type Principal,
  principalName,
  RelayError,
  type RouteInput,
  type Task,
} from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { readAddress } from '../../domain/address.ts';
import type { Directory } from '../../domain/directory.ts';
import { assertScope, onlySourceOf } from '../../domain/scopes.ts';
import { taskStatusChange } from '../../domain/task-status.ts';
import { noTasks, saysWords } from '../../domain/task-words.ts';
import { keptCounts, keptPage } from '../../store/kept-page.ts';
import type { Store } from '../../store/store.ts';
import type { Readers } from '../access/readers.ts';
import { listed, pageOf } from '../contract/listed.ts';
import type { HandlersOf, RelayHandlers } from '../contract/relay-contract.ts';
import type { Inboxes } from '../mail/inboxes.ts';

export interface TaskRoutesDeps {
  readonly store: Pick<Store, 'tasks' | 'agents' | 'log'>;
  readonly clock: Clock;
  /** Claims the message that offers a task, which claims the task. */
  readonly claim: RelayHandlers['messages/claim'];
  readonly readers: Readers;
  readonly inboxes: Pick<Inboxes, 'settle'>;
}

export function taskHandlers({ store, clock, claim, readers, inboxes }: TaskRoutesDeps): HandlersOf<'tasks'> {
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
      return keptCounts({
        read: (before) => store.tasks.list({ ...query, ...narrowed, before, limit: MAX_PAGE_SIZE }),
        keep: (task) => mayReadTask(task) && saysWords(task, find),
        none: noTasks(),
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
      assertSaysSomething(input);
      const at = clock.now();
      const rights = (shown: Directory) => readers.rightsIn(shown, principal);
      await store.tasks.change(principal.workspace, input.id, ({ found, agents }) => {
        if (!found || !rights(agents).mayReadTask(found.task)) throw notFound(input.id);
        return { answer: null, change: taskStatusChange(found, input, { principal, at, agents }) };
      });
      const ended = await find(principal, input.id);
      settleEnded(inboxes, principal.workspace, ended);
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

/** @throws RelayError `forbidden_scope` when another source is asked for than the only one that the caller reads. */
function sourceToList(principal: Principal, asked: string | undefined): string | undefined {
  const only = onlySourceOf(principal);
  if (only !== undefined && asked !== undefined && asked !== only) assertScope(principal, 'tasks:read');
  return only ?? asked;
}

function assertSaysSomething({ status, progress, result }: RouteInput<'tasks/status'>): void {
  if (status !== undefined || progress !== undefined || result !== undefined) return;
  const message = 'Say a status, a progress or a result';
  throw new RelayError('validation_failed', `status: ${message}`, { issues: [{ path: 'status', message }] });
}

/** Its offer is nobody's mail any more. */
function settleEnded(inboxes: TaskRoutesDeps['inboxes'], workspace: string, { id, claimedBy, status }: Task): void {
  if (claimedBy !== null && (status === 'done' || status === 'failed')) inboxes.settle(workspace, claimedBy, [id]);
}

const notFound = (id: number): RelayError => new RelayError('not_found', `There is no task ${id}`);
