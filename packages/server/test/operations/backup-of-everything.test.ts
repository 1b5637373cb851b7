import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RelayClient } from 'agent-relay-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { backupDatabase } from '../../src/operations/backup.ts';
import { restoreDatabase } from '../../src/operations/restore.ts';
import { inspectCopy } from '../../src/store/sqlite/database-copy.ts';
import type { TestRelay } from '../../src/testing.ts';
import { as, FarNode, offered, owner, SessionWorld, workspace } from '../session-world.ts';
import { startCommand } from '../support/command.ts';
import { poll } from '../support/poll.ts';
import { CallbackTarget, clientOf, fill, integrationToken, leaveDeadCallback, startOn, writeMeanwhile } from './filled-relay.ts';
import { contentOf, faultsOf } from './invariants.ts';

let folder = '';
let databasePath = '';
let backup = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-relay-everything-'));
  databasePath = join(folder, 'relay.db');
  backup = join(folder, 'backup.db');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const agentRelay = (...args: string[]) => startCommand(args, { HOME: folder, PATH: '/usr/bin:/bin', DB_PATH: databasePath }).done;

/** What a reader that comes with a cursor and no generation is told first. */
async function firstEventAfter(relay: TestRelay, cursor: number, generation?: string): Promise<string> {
  const ended = new AbortController();
  const query = `after=${cursor}${generation === undefined ? '' : `&generation=${generation}`}`;
  const headers = { authorization: `Bearer ${relay.ownerToken}` };
  const { body } = await fetch(`${relay.url}/api/events?${query}`, { headers, signal: ended.signal });
  let text = '';
  for await (const chunk of body ?? []) {
    text += new TextDecoder().decode(chunk as Uint8Array);
    if (/^event: .*\ndata: .*\n\n/mu.test(text)) break;
  }
  ended.abort();
  return /"reason":"[a-z]+"/u.exec(text)?.[0] ?? text;
}

const shownBy = async (client: RelayClient) => ({
  messages: (await client.messages.list({ limit: 1000 })).data,
  tasks: (await client.tasks.list()).data,
  pairs: (await client.pairs.list()).data,
  channels: (await client.channels.list()).data.map(({ id, bindings }) => [id, bindings]),
  holds: (await client.holds.list()).data,
  approvals: (await client.approvals.list()).data.map(({ approvalId }) => approvalId),
  tokens: (await client.tokens.list()).data.map(({ tokenId, kind, name, scopes, targets }) => [tokenId, kind, name, scopes, targets]),
  dead: (await client.callbacks.list({ status: 'dead' })).data,
});

test('a backup of everything, made while everything is written to, is one moment, and a relay goes on from it as from that moment', async () => {
  await using target = await CallbackTarget.open();
  await leaveDeadCallback(databasePath, target);
  await using relay = await startOn(databasePath, target);
  await using client = clientOf(relay);
  await using ops = clientOf(relay, integrationToken);
  const noted = await fill(relay, client);
  await client.search.find({ text: 'something' });
  const before = await shownBy(client);
  await using load = writeMeanwhile(client, ops);
  await poll('the load runs', () => load.written.count > 300);
  const [begun, made] = [load.written.count, await agentRelay('backup', backup)];
  expect(made).toMatchObject({ code: 0, out: expect.stringContaining('whole') });
  expect(load.written.count).toBeGreaterThan(begun);
  const saved = contentOf(backup);
  expect(faultsOf(backup)).toEqual([]);
  expect(Object.entries(saved).filter(([, rows]) => rows === '')).toEqual([]);
  for (const token of [...noted.tokens, relay.ownerToken, integrationToken]) expect(readFileSync(backup).includes(token)).toBe(false);

  await poll('the load goes on', () => load.written.count > begun + 300);
  await load.end();
  const { cursor, generation } = await client.messages.cursor();
  await relay.close();
  const { head } = await inspectCopy(databasePath);
  const restored = await agentRelay('restore', backup);
  expect(restored).toMatchObject({ code: 0, out: expect.stringContaining(`goes on with number ${head + 2}, above all`) });
  expect(contentOf(databasePath)).toEqual(saved);

  await using later = await startOn(databasePath, target);
  await using people = clientOf(later);
  const now = await shownBy(people);
  expect({ ...now, messages: [], tasks: [], pairs: [] }).toEqual({ ...before, messages: [], tasks: [], pairs: [] });
  expect(now.messages.length).toBeGreaterThan(before.messages.length);
  expect(await firstEventAfter(later, cursor, generation)).toBe('"reason":"generation"');
  expect(await firstEventAfter(later, cursor)).toBe('"reason":"generation"');
  expect(await firstEventAfter(later, head)).toBe('"reason":"generation"');
  const said = { from: 'Ada', to: 'Bob', body: 'first', idempotencyKey: 'once' };
  expect(await people.messages.send(said)).toMatchObject({ id: noted.first.id, duplicate: true });
  const next = await people.messages.send({ to: 'Bob', body: 'next' });
  expect(next.id).toBeGreaterThan(head + 1);
  expect(await people.messages.list({ since: head })).toMatchObject({ data: [{ id: next.id }] });
  await expect(people.messages.get({ id: head })).rejects.toMatchObject({ code: 'not_found' });
  for (const token of noted.tokens) {
    await using holder = clientOf(later, token);
    expect(await holder.messages.cursor()).toMatchObject({ generation: expect.any(String) });
  }
  await using reporter = clientOf(later, integrationToken);
  expect(await reporter.integrations.report({ title: 'long ago', target: 'cap:ops', idempotencyKey: 'alarm-1' })).toMatchObject({
    duplicate: true,
  });
  const waiting = (await people.callbacks.list({ status: 'pending' })).data;
  expect(waiting.length).toBeGreaterThan(0);
  const triedBefore = new Set(target.refused.map((headers) => headers['idempotency-key']));
  target.isUp = true;
  await poll('callbacks go on', async () => (await people.callbacks.list({ status: 'pending' })).data.length === 0, 60_000);
  const keys = target.taken.map((headers) => headers['idempotency-key']);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys.some((key) => triedBefore.has(key))).toBe(true);
  await later.close();
  expect(faultsOf(databasePath).filter((fault) => !/numbers/u.test(fault))).toEqual([]);
});

test('a session that a far machine goes on running is heard after a restore, from where its machine is', async () => {
  const world = await SessionWorld.open();
  const path = join(world.folder, 'relay.db');
  const node = new FarNode();
  await world.attach(node);
  const session = await world.start('Worker');
  const say = (from: SessionWorld, link: FarNode, ...seqs: number[]) => {
    const entries = seqs.map((seq) => ({ seq, at: 1, event: { type: 'session.status', status: 'idle' } as const }));
    return from.relay.nodeHandlers['activity/append']({ sessionId: session.sessionId, entries }, { ...as(owner), link });
  };
  await say(world, node, 1, 2);
  await backupDatabase({ databasePath: path, file: backup, force: false });
  // What the machine is told is kept, it throws away.
  await say(world, node, 3, 4, 5);
  await world.relay.close();
  await restoreDatabase({ databasePath: path, file: backup, now: new Date(0) });
  const restored = await SessionWorld.open(world.folder);
  const again = new FarNode();
  expect(await restored.attach(again, [offered(session, 5)])).toMatchObject({ sessions: [{ keep: true, ackedSeq: 2 }] });
  expect(await say(restored, again, 6, 7)).toMatchObject({ ackedSeq: 7 });
  await expect(say(restored, again, 9)).rejects.toMatchObject({ code: 'validation_failed', details: { ackedSeq: 7 } });
  const { items } = await restored.store.activity.list({ workspace, agentId: 'Worker', after: 0, limit: 10 });
  expect(items.map(({ seq }) => seq)).toEqual([1, 2, 6, 7]);
  await restored.close();
});
