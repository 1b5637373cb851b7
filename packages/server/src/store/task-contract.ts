import type { ReportEvent, Task } from 'agent-relay-protocol';
import { expect } from 'vitest';
import type { Decision, ReportFacts } from '../domain/facts.ts';
import { endTask, repeatTask } from '../domain/task-lifecycle.ts';
import type { Store } from './store.ts';
import { at, type InFolder, newMessage, writes } from './store-contract-parts.ts';

/** The part of the store contract about tasks and their callbacks. */
export function taskContract(inFolder: InFolder): void {
  /** A new task of `ops`, which is told of it. */
  const opened =
    (dedupeKey: string | null) =>
    ({ nextId }: ReportFacts): Decision<Task> => {
      const task = { ...someTask, id: nextId, dedupeKey };
      const { draft, matched } = newMessage('ops', 'tag:x');
      const step = { task, type: 'task.created', by: 'ops', detail: null } as const;
      const offer = { matched, draft: { ...draft, claimable: true }, task: { step, callbackTo: 'ops' } };
      return { answer: task, change: { at, sent: [offer] } };
    };
  const subjectOf = (dedupeKey: string | null, idempotencyKey: string | null = null) => ({
    workspace: 'default',
    source: 'ops',
    dedupeKey,
    idempotencyKey,
  });
  const report = (store: Store, dedupeKey: string | null) =>
    store.tasks.report(subjectOf(dedupeKey), (facts) =>
      facts.active ? repeated(facts.active.task, { title: 'again' }) : opened(dedupeKey)(facts),
    );
  const create = (store: Store, key: string) => report(store, key);
  const cancel = (store: Store, id: number) =>
    store.tasks.change('default', id, ({ found }) =>
      writes(found ? { tasks: [endTask(found.task, { status: 'canceled', by: 'ops', at })] } : {}),
    );

  inFolder('of reports that race under one key, each sees the task that the first one made', async (store, reopen) => {
    const seen: (number | null)[] = [];
    await Promise.all(
      Array.from({ length: 20 }, () =>
        store.tasks.report(subjectOf('k'), (facts) => {
          seen.push(facts.active?.task.id ?? null);
          return facts.active ? repeated(facts.active.task, { title: 'again' }) : opened('k')(facts);
        }),
      ),
    );
    expect(seen).toEqual([null, ...Array(19).fill(1)]);
    const other = await reopen();
    expect((await other.tasks.list({ workspace: 'default', limit: 10 })).items.map(({ id }) => id)).toEqual([1]);
    expect((await other.tasks.events('default', 1, 0, 100)).items.map(({ type, count }) => [type, count])).toEqual([
      ['task.created', 1],
      ['task.repeated', 19],
    ]);
  });

  inFolder(
    'whoever reports under a key is shown what became of it, also after a restart, until the key is pruned',
    async (store, reopen) => {
      const key = { source: 'ops', key: 'once', digest: 'said', outcome: 'created', taskId: 1 } as const;
      const task = await store.tasks.report(subjectOf('k', 'once'), (facts) => {
        const { answer, change } = opened('k')(facts);
        return { answer, change: { at, ...change, reportKey: key } };
      });
      const earlier = (each: Store, source: string, idempotencyKey: string) =>
        each.tasks.report({ ...subjectOf('k', idempotencyKey), source }, (facts) => ({ answer: facts.earlier, change: null }));
      for (const each of [store, await reopen()]) {
        expect(await earlier(each, 'ops', 'once')).toEqual({ digest: 'said', outcome: 'created', task });
        expect([await earlier(each, 'another', 'once'), await earlier(each, 'ops', 'other')]).toEqual([null, null]);
      }
      const nothing = { source: 'ops', key: 'void', digest: 'said', outcome: 'ignored', taskId: null } as const;
      await store.tasks.report(subjectOf(null, 'void'), () => writes({ reportKey: nothing }));
      expect(await earlier(store, 'ops', 'void')).toEqual({ digest: 'said', outcome: 'ignored', task: null });
      expect([await store.tasks.prune(at + 1, 2), await store.tasks.prune(at + 1, 100)]).toEqual([true, false]);
      expect(await earlier(store, 'ops', 'once')).toBe(null);
    },
  );

  inFolder('a claim on a task moves the task in the same commit, whoever puts it', async (store) => {
    await report(store, null);
    const held = { claimId: 'c', kind: 'task', subjectId: 1, agentId: 'b', epoch: 1, fence: 1, claimedAt: at, progress: null } as const;
    const atBell: unknown[] = [];
    const stop = store.log.onCommit(() => void store.tasks.get('default', 1).then((task) => atBell.push(task?.status)));
    await store.claims.change('default', { messageId: 1 }, ({ kind, work }) => {
      expect([kind, work]).toEqual(['task', { status: 'open', fence: 0 }]);
      const claim = { ...held, status: 'held', leaseExpiresAt: at + 1 } as const;
      return writes({ claims: [claim] });
    });
    expect(await store.tasks.get('default', 1)).toMatchObject({ status: 'claimed', claimedBy: 'b', claimId: 'c' });
    await store.agents.change('default', 'b', () => writes({ claims: [{ ...held, status: 'completed', endedAt: at, result: 7 }] }));
    stop();
    expect(await store.tasks.get('default', 1)).toMatchObject({ status: 'done', result: 7 });
    expect(atBell).toEqual(['claimed', 'done']);
  });

  inFolder('callbacks of a task are due one after the other, those of others meanwhile', async (store, reopen) => {
    await create(store, 'k');
    await cancel(store, 1);
    await create(store, 'other');
    expect(await due(store)).toEqual([1, 3]);
    await store.callbacks.settle(1, later);
    expect(await due(store)).toEqual([3]);
    expect(await store.callbacks.nextDue('default', 'ops')).toBe(at);
    await store.callbacks.settle(1, taken);
    const other = await reopen();
    expect(await due(other)).toEqual([2, 3]);
    expect((await other.callbacks.list({ workspace: 'default', limit: 10 })).items.map(({ status }) => status)).toEqual([
      'pending',
      'pending',
      'delivered',
    ]);
  });

  inFolder('a callback that is sent again goes at its place: before the later ones of its task, behind the earlier', async (store) => {
    const redeliver = async (id: number) =>
      (await store.callbacks.redeliver('default', id, { now: at, deadlineAt: at + 9 }, () => {})).nextAttemptAt;
    await create(store, 'k');
    for (const progress of [1, 2]) {
      await store.tasks.change('default', 1, ({ found }) =>
        writes(found ? { tasks: [{ task: { ...found.task, progress }, type: 'task.updated', by: 'ops', detail: progress }] } : {}),
      );
    }
    await store.callbacks.settle(1, dead);
    await store.callbacks.settle(2, later);
    expect([await redeliver(3), await due(store)]).toEqual([null, []]);
    expect([await redeliver(1), await due(store)]).toEqual([at, [1]]);
    // The attempt that was under way meanwhile comes back: its next one waits all the same.
    await store.callbacks.settle(2, later);
    expect(await store.callbacks.nextDue('default', 'ops')).toBe(at);
    await store.callbacks.settle(1, taken);
    expect(await due(store)).toEqual([2]);
    await store.callbacks.settle(2, taken);
    expect(await due(store)).toEqual([3]);
  });

  inFolder('what is given up is dead with what went wrong last, and was not attempted by that', async (store) => {
    await create(store, 'k');
    await cancel(store, 1);
    await store.callbacks.settle(1, later);
    expect(await store.callbacks.giveUp(at + 100_000_000, 'too late', 10)).toBe(2);
    expect((await store.callbacks.list({ workspace: 'default', limit: 10 })).items).toMatchObject([
      { id: 2, status: 'dead', attempts: 0, lastError: 'too late', nextAttemptAt: null },
      { id: 1, status: 'dead', attempts: 1, lastError: 'no', lastStatus: 500 },
    ]);
  });

  inFolder('the log tells of every attempt, every redelivery and what is given up, in the commit that writes it', async (store) => {
    await create(store, 'k');
    const after = store.log.head;
    await store.callbacks.settle(1, later);
    await store.callbacks.settle(1, taken);
    await store.callbacks.redeliver('default', 1, { now: at, deadlineAt: at + 9 }, () => {});
    await store.callbacks.giveUp(at + 100, 'too late', 10);
    const { entries } = await store.log.read(after, 100);
    const update = { type: 'callback.updated', callbackId: 1, taskId: 1, integration: 'ops' };
    expect(entries.flatMap((entry) => entry.events())).toMatchObject(
      ['pending', 'delivered', 'pending', 'dead'].map((status) => ({ ...update, status })),
    );
  });

  inFolder('pruning a task takes its history and its callbacks, a few rows a write, and waits for those to be delivered', async (store) => {
    const rows = async () => [
      (await store.tasks.list({ workspace: 'default', limit: 10 })).items.map(({ id }) => id),
      (await store.tasks.events('default', 1, 0, 100)).items.length,
      (await store.callbacks.list({ workspace: 'default', limit: 10 })).items.length,
    ];
    await create(store, 'k');
    for (let count = 0; count < 20; count += 1) {
      await store.tasks.report(subjectOf('k'), ({ active }) =>
        active ? repeated(active.task, { title: `again ${count}` }) : { answer: null, change: null },
      );
    }
    await cancel(store, 1);
    await create(store, 'young');
    const [, young] = (await store.tasks.list({ workspace: 'default', limit: 10 })).items.map(({ id }) => id).reverse();
    await store.callbacks.settle(1, taken);
    expect([await store.tasks.prune(at + 1, 8), await rows()]).toEqual([false, [[young, 1], 22, 3]]);
    await store.callbacks.settle(2, dead);
    expect([await store.tasks.prune(at, 8), await rows()]).toEqual([false, [[young, 1], 22, 3]]);
    let writes = 1;
    while (await store.tasks.prune(at + 1, 8)) writes += 1;
    expect([writes, await rows()]).toEqual([4, [[young], 0, 1]]);
  });
}

const later = { status: 'pending', nextAttemptAt: at + 50, lastStatus: 500, lastError: 'no', at } as const;
const taken = { status: 'delivered', nextAttemptAt: null, lastStatus: 200, lastError: null, at } as const;
const dead = { status: 'dead', nextAttemptAt: null, lastStatus: 500, lastError: 'no', at } as const;

const repeated = (active: Task, report: ReportEvent): Decision<Task> => {
  const step = repeatTask(active, report, 'ops', at);
  return { answer: step.task, change: { at, tasks: [step] } };
};

const due = async (store: Store) => (await store.callbacks.due('default', 'ops', at, 10)).map(({ id }) => id);

export const someTask: Task = {
  id: 1,
  source: 'ops',
  type: null,
  severity: null,
  title: 'a title',
  body: '',
  target: 'tag:x',
  channel: null,
  dedupeKey: null,
  externalUrl: null,
  metadata: null,
  status: 'open',
  claimedBy: null,
  claimId: null,
  result: null,
  progress: null,
  occurrenceCount: 1,
  lastSeenAt: at,
  createdAt: at,
  updatedAt: at,
  endedAt: null,
};
