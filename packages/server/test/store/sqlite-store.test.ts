import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openPairOf, pairKey, pairResource } from '../../src/domain/pair.ts';
import { recordWrite } from '../../src/domain/resource.ts';
import { repeatTask } from '../../src/domain/task-lifecycle.ts';
import { migrate } from '../../src/store/sqlite/migrate.ts';
import { migrations } from '../../src/store/sqlite/migrations/migrations.ts';
import { openConnections } from '../../src/store/sqlite/open.ts';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { storeContract } from '../../src/store/store-contract.ts';
import { send as sendTo, writes } from '../../src/store/store-contract-parts.ts';

storeContract('SqliteStore', (folder) => SqliteStore.open({ path: join(folder, 'relay.db') }));

const folders: string[] = [];
const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'agent-relay-sqlite-'));
  folders.push(folder);
  return folder;
};
afterEach(() => {
  for (const folder of folders.splice(0)) {
    chmodSync(folder, 0o700);
    rmSync(folder, { recursive: true, force: true });
  }
});

const send = (store: SqliteStore, body = 'x', to = 'b') => sendTo(store, { from: 'a', to: `id:${to}`, body });

describe('durability', () => {
  test('the log is flushed at every commit', async () => {
    const { database, reader } = await openConnections({ path: join(newFolder(), 'relay.db') });
    expect(database.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(database.pragma('synchronous', { simple: true })).toBe(2);
    expect(() => reader.exec('DELETE FROM messages')).toThrow();
    reader.close();
    database.close();
  });

  test('nothing is answered before its commit, and one turn shares one', async () => {
    const path = join(newFolder(), 'relay.db');
    const store = await SqliteStore.open({ path });
    const watcher = new Sqlite(path, { readonly: true });
    const count = watcher.prepare('SELECT count(*) FROM messages').pluck();
    let commits = 0;
    store.log.onCommit(() => {
      commits += 1;
    });
    const visible: unknown[] = [];
    await Promise.all(
      Array.from({ length: 100 }, () =>
        send(store).then(() => {
          visible.push(count.get());
        }),
      ),
    );
    expect([...new Set(visible)]).toEqual([100]);
    expect(commits).toBe(1);
    watcher.close();
    await store.close();
  });
});

describe('copies without a row', () => {
  test('get one when they have waited for long; a restart finds those with and those without', async () => {
    const path = join(newFolder(), 'relay.db');
    const store = await SqliteStore.open({ path });
    const early = [await send(store), await send(store)].map(({ message }) => message.id);
    for (let round = 0; round < 156; round += 1) await Promise.all(Array.from({ length: 500 }, () => send(store, 'x', 'c')));
    const late = (await send(store)).message.id;
    const watcher = new Sqlite(path, { readonly: true });
    const written = watcher.prepare('SELECT message_id FROM deliveries WHERE message_id IN (?, ?, ?) ORDER BY message_id').pluck();
    expect(written.all(...early, late)).toEqual(early);
    expect(watcher.prepare("SELECT value FROM meta WHERE key = 'unwritten_after'").pluck().get()).toBeGreaterThanOrEqual(early[1] ?? 0);
    watcher.close();
    const before = await store.counts('default');
    await store.close();
    const again = await SqliteStore.open({ path });
    expect(await again.counts('default')).toEqual(before);
    expect((await again.deliveries.waiting('default', 'b', 0, 10)).items.map(({ message }) => message.id)).toEqual([...early, late]);
    await again.close();
  });
});

describe('a full disk', () => {
  test('refuses all writes of the turn with store_full, goes on reading, and writes again when there is space', async () => {
    const path = join(newFolder(), 'relay.db');
    const store = await SqliteStore.open({ path, maxPageCount: 200 });
    const kept: number[] = [];
    let failed: unknown[] = [];
    for (let round = 0; round < 100 && failed.length === 0; round += 1) {
      const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => send(store, 'x'.repeat(4_000))));
      for (const outcome of outcomes) if (outcome.status === 'fulfilled') kept.push(outcome.value.message.id);
      failed = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    }
    expect(failed).toHaveLength(10);
    for (const reason of failed) expect(reason).toMatchObject({ code: 'store_full', httpStatus: 507 });
    expect(store.log.head).toBe(kept.at(-1));
    expect((await store.messages.get('default', kept.at(-1) ?? 0))?.message.body).toHaveLength(4_000);
    const waiting: number[] = [];
    for (let after = 0; after < store.log.head; ) {
      const page = await store.deliveries.waiting('default', 'b', after, 1_000);
      waiting.push(...page.items.map(({ message }) => message.id));
      after = page.through;
    }
    expect(waiting).toEqual(kept);
    while (await store.retention.prune(2_000, 100));
    expect((await send(store)).message.id).toBe((kept.at(-1) ?? 0) + 1);
    await store.close();
    const again = await SqliteStore.open({ path });
    expect(await again.integrityCheck()).toEqual([]);
    await again.close();
  });
});

describe('a file that cannot be used', () => {
  test('locked by another program: writes are refused, reads go on, and later writes succeed', async () => {
    const path = join(newFolder(), 'relay.db');
    const store = await SqliteStore.open({ path, busyTimeoutMs: 10 });
    const { message } = await send(store);
    const other = new Sqlite(path);
    other.exec('BEGIN IMMEDIATE');
    await expect(send(store)).rejects.toMatchObject({ code: 'store_unavailable', message: expect.stringContaining('locked') });
    expect(await store.check()).toMatchObject({ code: 'store_unavailable' });
    expect((await store.messages.get('default', message.id))?.message).toEqual(message);
    other.exec('ROLLBACK');
    other.close();
    expect((await send(store)).message.id).toBe(message.id + 1);
    expect(await store.check()).toBe(null);
    await store.close();
  });

  test('locked by another program for a while: what is asked meanwhile is written when it lets go, and nothing else has waited', async () => {
    const path = join(newFolder(), 'relay.db');
    const store = await SqliteStore.open({ path, busyTimeoutMs: 60_000 });
    const other = new Sqlite(path);
    other.exec('BEGIN IMMEDIATE');
    let longestTurnMs = 0;
    let turnBeganAt = performance.now();
    const watch = setInterval(() => {
      longestTurnMs = Math.max(longestTurnMs, performance.now() - turnBeganAt);
      turnBeganAt = performance.now();
    }, 1);
    const sending = [send(store), send(store)];
    await vi.waitFor(async () => expect(await store.check()).toMatchObject({ code: 'store_unavailable' }), { timeout: 60_000 });
    expect(await store.messages.get('default', 1)).toBe(null);
    other.exec('ROLLBACK');
    other.close();
    const ids = (await Promise.all(sending)).map(({ message }) => message.id);
    clearInterval(watch);
    expect(ids).toEqual([ids[0], (ids[0] ?? 0) + 1]);
    expect(await store.check()).toBe(null);
    expect(longestTurnMs).toBeLessThan(5_000);
    await store.close();
  });

  test('no database, a folder that is none, a newer database: one sentence each, naming the file', async () => {
    const folder = newFolder();
    const garbage = join(folder, 'garbage.db');
    writeFileSync(garbage, 'this is no database at all, but long enough to look like one. '.repeat(50));
    await expect(SqliteStore.open({ path: garbage })).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining(garbage),
    });
    const blocked = join(garbage, 'relay.db');
    await expect(SqliteStore.open({ path: blocked })).rejects.toMatchObject({ code: 'store_unavailable' });
    const newer = join(folder, 'newer.db');
    const database = new Sqlite(newer);
    database.pragma(`user_version = ${migrations.length + 1}`);
    database.close();
    await expect(SqliteStore.open({ path: newer })).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('newer Agent Relay'),
    });
  });

  test('a damaged page is found by the check', async () => {
    const path = join(newFolder(), 'relay.db');
    const store = await SqliteStore.open({ path });
    for (let count = 0; count < 50; count += 1) await send(store, 'y'.repeat(2_000));
    await store.close();
    const database = new Sqlite(path);
    database.pragma('wal_checkpoint(TRUNCATE)');
    const page = Number(database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'messages'").pluck().get());
    database.close();
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.alloc(4_096, 0xff), 0, 4_096, (page - 1) * 4_096);
    closeSync(file);
    const fault = await SqliteStore.open({ path }).then(
      async (opened) => {
        const found = await opened.integrityCheck();
        await opened.close();
        return found.length > 0 ? 'found' : 'missed';
      },
      (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : 'bug'),
    );
    expect(['found', 'store_unavailable']).toContain(fault);
  });
});

describe('migrations', () => {
  const first = { sql: 'CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL)' };
  const second = { sql: 'CREATE TABLE two (x)' };

  test('run in order, each once, each wholly or not at all', () => {
    const database = new Sqlite(':memory:');
    migrate(database, [first]);
    expect(() => migrate(database, [first, { sql: 'CREATE TABLE two (x); CREATE TABLE two (x)' }])).toThrow();
    expect(database.pragma('user_version', { simple: true })).toBe(1);
    expect(database.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'two'").pluck().get()).toBe(0);
    migrate(database, [first, second, { sql: 'CREATE TABLE three (x)' }]);
    expect(database.pragma('user_version', { simple: true })).toBe(3);
    database.close();
  });

  test.each([
    ['a migration that says nothing', [first, second], false],
    ['one that programs from before it may work with', [first, { ...second, worksFrom: 1 }], true],
    ['several of which one says nothing', [first, { ...second, worksFrom: 1 }, { sql: 'CREATE TABLE three (x)' }], false],
    ['several that all say so', [first, { ...second, worksFrom: 1 }, { sql: 'CREATE TABLE three (x)', worksFrom: 1 }], true],
  ])('after %s, whether an older program may go on', (_what, steps, mayGoOn) => {
    const database = new Sqlite(':memory:');
    migrate(database, steps);
    const older = () => migrate(database, [first]);
    if (mayGoOn) older();
    else expect(older).toThrow('newer Agent Relay');
    expect(database.pragma('user_version', { simple: true })).toBe(steps.length);
    database.close();
  });

  test('standing rules of before they named agents as everything else are the same, in the log as well', async () => {
    const path = join(newFolder(), 'relay.db');
    const database = new Sqlite(path);
    migrate(database, migrations.slice(0, 21));
    const rule = { id: 3, name: 'say "agent": \\"agent\\":', agent: 'a', tag: null, kind: 'execute', command: ['ls'], folder: '/' };
    const more = { expiresAt: null, maxUses: null, uses: 0, createdAt: 1, createdBy: 'owner', endedAt: null, ended: null, endedBy: null };
    const text = JSON.stringify({ ...rule, ...more });
    database
      .prepare("INSERT INTO records (resource, workspace, id, is_open, record) VALUES ('approval-rules', 'default', 3, 1, ?)")
      .run(text);
    database
      .prepare("INSERT INTO events (seq, count, workspace, at, type, body) VALUES (3, 1, 'default', 1, 'rule.created', ?)")
      .run(`{"rule":${text}}`);
    migrate(database);
    const { agent: agentId, ...same } = { ...rule, ...more };
    const read = (sql: string) => JSON.parse(String(database.prepare(sql).pluck().get()));
    expect(read('SELECT record FROM records')).toEqual({ ...same, agentId });
    expect(read('SELECT body FROM events')).toEqual({ rule: { ...same, agentId } });
    database.close();
  });

  test('tokens of before their types were called as on the wire are the same tokens, by their new names', async () => {
    const path = join(newFolder(), 'relay.db');
    const database = new Sqlite(path);
    migrate(database, migrations.slice(0, 11));
    const insert = database.prepare(
      "INSERT INTO tokens (hash, token_id, workspace, type, agent_id, epoch, created_at) VALUES (?, ?, 'default', ?, ?, ?, 1)",
    );
    for (const type of ['owner', 'node', 'scoped', 'login']) insert.run(type, type, type, null, null);
    insert.run('agent', 'agent', 'agent', 'a', 3);
    database.close();
    const store = await SqliteStore.open({ path });
    const types = await Promise.all(
      ['owner', 'agent', 'node', 'scoped', 'login'].map(async (hash) => (await store.tokens.find(hash))?.type),
    );
    expect(types).toEqual(['browser', 'session', 'node', 'scoped', 'login']);
    expect(await store.tokens.find('agent')).toMatchObject({ agentId: 'a', epoch: 3 });
    await store.close();
  });

  test('pairs of before they were records among others are found as they were, and a side of an open one is not free', async () => {
    const path = join(newFolder(), 'relay.db');
    const before = new Sqlite(path);
    migrate(before, migrations.slice(0, 13));
    const open = { id: 3, requester: 'a', target: 'b', objective: 'talk', requestedAt: 1, status: 'pending' } as const;
    const over = { ...open, id: 5, requester: 'c', status: 'rejected', endedAt: 2, reason: null } as const;
    for (const pair of [open, over]) {
      before
        .prepare("INSERT INTO pairs (id, workspace, requester, target, status, record) VALUES (?, 'default', ?, ?, ?, ?)")
        .run(pair.id, pair.requester, pair.target, pair.status, JSON.stringify(pair));
    }
    for (const [side, id] of [
      ['a', 3],
      ['b', 3],
      ['c', 5],
    ])
      before.prepare("INSERT INTO paired_agents VALUES ('default', ?, ?)").run(side, id);
    before.close();
    const store = await SqliteStore.open({ path });
    const under = async (key: string) => (await store.records.list(pairResource, { workspace: 'default', under: key, limit: 10 })).items;
    expect(await under('')).toEqual([over, open]);
    expect(await under(pairKey({ agent: 'b' }))).toEqual([over, open]);
    expect(await under(pairKey({ agent: 'b', status: 'rejected' }))).toEqual([over]);
    expect(await under(pairKey({ status: 'pending' }))).toEqual([open]);
    const openOf = (agentId: string) =>
      store.records.begin('default', ({ records }) => ({ answer: openPairOf(records, agentId)?.id, change: null }));
    expect(await Promise.all(['a', 'b', 'c'].map(openOf))).toEqual([3, 3, undefined]);
    const again = { ...open, id: 9, requester: 'z' } as const;
    await expect(store.records.begin('default', () => writes({ records: [recordWrite(pairResource, again)] }))).rejects.toThrow('UNIQUE');
    const next = { ...open, id: 11, requester: 'c', target: 'd' } as const;
    await store.records.begin('default', () => writes({ records: [recordWrite(pairResource, next)] }));
    expect(await openOf('c')).toBe(11);
    await store.close();
  });

  test('a history of before its lines could stand for several reports is read as what it was, and goes on', async () => {
    const path = join(newFolder(), 'relay.db');
    const before = new Sqlite(path);
    migrate(before, migrations.slice(0, 8));
    before
      .prepare(
        `INSERT INTO tasks (id, workspace, source, target, status, is_active, dedupe_key, last_seen_at, record)
         VALUES (1, 'default', 'ops', 'tag:x', 'open', 1, 'k', 5, ?)`,
      )
      .run(JSON.stringify(oldTask));
    const line = { seq: 2, taskId: 1, type: 'task.repeated', at: 5, by: 'ops', status: 'open', occurrenceCount: 2, detail: { title: 'x' } };
    before.prepare('INSERT INTO task_events (task_id, seq, record) VALUES (1, 2, ?)').run(JSON.stringify(line));
    before.close();
    const store = await SqliteStore.open({ path });
    const history = async () => (await store.tasks.events('default', 1, 0, 10)).items;
    expect(await history()).toEqual([{ ...line, count: 1, lastAt: 5 }]);
    await store.tasks.change('default', 1, ({ found }) =>
      writes(found ? { tasks: [repeatTask(found.task, { title: 'x' }, 'ops', 9)] } : {}),
    );
    expect(await history()).toEqual([{ ...line, count: 2, lastAt: 9, occurrenceCount: 3 }]);
    await store.close();
  });
});

const oldTask = {
  id: 1,
  source: 'ops',
  type: null,
  severity: null,
  title: 'x',
  body: '',
  target: 'tag:x',
  channel: null,
  dedupeKey: 'k',
  externalUrl: null,
  metadata: null,
  status: 'open',
  claimedBy: null,
  claimId: null,
  result: null,
  progress: null,
  occurrenceCount: 2,
  lastSeenAt: 5,
  createdAt: 1,
  updatedAt: 5,
  endedAt: null,
};
