import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Page } from '../../src/domain/change.ts';
import { openConnections } from '../../src/store/sqlite/open.ts';
import { ScanTurns } from '../../src/store/sqlite/scan-turns.ts';
import { activityLists } from '../../src/store/sqlite/sqlite-activity.ts';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';

const ROWS = 20_000;
/** Rows in the shape of each table, which no filter below wants. */
const fillings = {
  messages: {
    columns: 'id, workspace, sender, address, fan_out, thread_id, relation, principal, matched, created_at, body',
    values: "n, 'default', 'a' || n, 'id:b', 0, CASE n WHEN 1 THEN NULL ELSE 1 END, 'none', 'owner', 1, n, 'x'",
  },
  sessions: { columns: 'workspace, session_id, agent_id, status, record', values: "'default', 's' || n, 'a', 'ended', '{}'" },
  approvals: {
    columns: 'workspace, agent_id, session_id, approval_id, status, requested_at, record',
    values: "'default', 'a', 's' || n, 'x', 'approved', n, '{}'",
  },
  holds: { columns: 'workspace, sender, status, digest, held_at, record', values: "'default', 'a', 'rejected', 'd', n, '{}'" },
  tasks: {
    columns: 'workspace, source, target, status, is_active, last_seen_at, record',
    values: "'default', 'x', 'id:a', 'done', 0, n, '{}'",
  },
  callbacks: {
    columns: 'workspace, task_id, integration, event, status, deadline_at, created_at, updated_at, body',
    values: "'default', n, 'x', 'created', 'delivered', n, n, n, '{}'",
  },
};

let folder: string;
let store: SqliteStore;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'agent-relay-long-lists-'));
  const path = join(folder, 'relay.db');
  await (await SqliteStore.open({ path })).close();
  const { database, reader } = await openConnections({ path });
  const numbers = `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${ROWS})`;
  for (const [table, { columns, values }] of Object.entries(fillings))
    database.exec(`INSERT INTO ${table} (${columns}) ${numbers} SELECT ${values} FROM numbers`);
  reader.close();
  database.close();
  store = await SqliteStore.open({ path });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What a list answers, and how many turns others had meanwhile. */
async function during<Item>(listing: Promise<Pick<Page<Item>, 'items' | 'next'>>) {
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const { items, next } = await listing;
  isOver = true;
  return { items, next, letsOthersRun: turns >= ROWS / 2_000 - 1 };
}

test('a list of which nothing matches passes over few rows in one turn, and takes the turns of who asked', async () => {
  const asked = { workspace: 'default', caller: 'somebody', limit: 50 };
  using turns = vi.spyOn(ScanTurns.prototype, 'next');
  const lists = {
    messages: () => store.messages.list({ ...asked, from: 'nobody', after: 0 }),
    sessionsByStatus: () => store.sessions.list({ ...asked, status: 'running' }),
    sessionsOfAgentByStatus: () => store.sessions.list({ ...asked, agentId: 'a', status: 'running' }),
    approvals: () => store.approvals.list({ ...asked, status: 'pending' }),
    holds: () => store.holds.list({ ...asked, status: 'held' }),
    holdsOfSender: () => store.holds.list({ ...asked, from: 'a', status: 'held' }),
    tasks: () => store.tasks.list({ ...asked, status: 'failed' }),
    tasksOfSource: () => store.tasks.list({ ...asked, source: 'x', target: 'id:nobody' }),
    callbacks: () => store.callbacks.list({ ...asked, status: 'dead' }),
  };
  for (const [name, list] of Object.entries(lists)) {
    expect({ name, ...(await during<unknown>(list())) }).toEqual({ name, items: [], next: null, letsOthersRun: true });
  }
  expect(new Set(turns.mock.calls.map(([caller]) => caller))).toEqual(new Set(['somebody']));
});

test('what one agent, or nobody, has is found by an index', async () => {
  const { database, reader } = await openConnections({ path: join(folder, 'relay.db') });
  const parameters = { workspace: 'default', agentId: 'a', sessionId: 'none', after: 0, before: 9, limit: 5 };
  const plans = Object.entries(activityLists).map(([name, sql]) => {
    const steps = reader.prepare<[typeof parameters], { readonly detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all(parameters);
    return [name, steps.map(({ detail }) => detail)];
  });
  reader.close();
  database.close();
  const within = '(workspace=? AND agent_id=? AND id>? AND id<?)';
  const withinSession = '(workspace=? AND agent_id=? AND session_id=? AND id>? AND id<?)';
  expect(Object.fromEntries(plans)).toEqual({
    first: [`SEARCH activity USING INDEX activity_of_agent ${within}`],
    last: [`SEARCH activity USING INDEX activity_of_agent ${within}`],
    firstOfSession: [`SEARCH activity USING INDEX activity_of_session ${withinSession}`],
    lastOfSession: [`SEARCH activity USING INDEX activity_of_session ${withinSession}`],
  });
});

test('who takes part in a long thread that nobody has asked for is looked up in turns, and once', async () => {
  const looking = store.messages.participants('default', 1).then((participants) => ({ items: [...participants.keys()], next: null }));
  const { items, letsOthersRun } = await during(looking);
  expect({ many: items.length, last: items.at(-1), letsOthersRun }).toEqual({ many: ROWS + 1, last: `a${ROWS}`, letsOthersRun: true });
});
