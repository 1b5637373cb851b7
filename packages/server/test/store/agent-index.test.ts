import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { registerAgent } from '../../src/domain/registration.ts';
import { MutableAgentIndex } from '../../src/store/agent-index.ts';
import { AddressTable } from '../../src/store/sqlite/address-table.ts';
import { migrate } from '../../src/store/sqlite/migrate.ts';

const LIMIT = 50;
const nothing = { agent: null, epoch: 0, spawnedBy: null, isBound: false, approval: 'open', heldClaims: [], pair: null } as const;

function open() {
  const database = new Sqlite(':memory:');
  migrate(database);
  const index = new MutableAgentIndex(LIMIT);
  return { index, table: new AddressTable(database, index) };
}

const agentOf = (id: string, epoch = 1) => ({ ...registerAgent(nothing, { id, name: id, tags: ['ops'] }, null, 1).agent, epoch });

test('of ids that nobody has, only so many are in memory, and all are known', () => {
  const { index, table } = open();
  for (let count = 0; count < 1_000; count += 1) table.ensure('default', `id-${count}`);
  for (let count = 0; count < 1_000; count += 1) {
    table.set('default', `went-${count}`, { agent: agentOf(`went-${count}`), spawnedBy: null }, count);
    table.set('default', `went-${count}`, { agent: null, spawnedBy: null }, count + 1);
  }
  for (let count = 0; count < 1_000; count += 1) expect(index.find('default', `never-${count}`)).toBe(undefined);
  expect(index.held).toBeLessThanOrEqual(LIMIT);
  const { ref } = table.ensure('default', 'id-7');
  expect(index.byRef(ref)).toMatchObject({ agentId: 'id-7', agent: null });
  expect(table.ensure('default', 'id-7').ref).toBe(ref);
  expect(index.held).toBeLessThanOrEqual(LIMIT);
});

test('what was remembered of one that left is remembered beyond that: its epoch, what holds for it, since when it belonged where', () => {
  const { index, table } = open();
  table.set('default', 'a', { agent: { ...agentOf('a', 4), approval: 'guarded' }, spawnedBy: 'lead' }, 10);
  table.set('default', 'a', { agent: null, spawnedBy: null }, 20);
  for (let count = 0; count < LIMIT * 2; count += 1) table.ensure('default', `id-${count}`);
  const found = index.find('default', 'a');
  expect(found).toMatchObject({ epoch: 4, approval: 'guarded', agent: null });
  expect(found?.intervals.get('tag:ops')).toEqual([{ fromSeq: 10, untilSeq: 20 }]);
  table.set('default', 'a', { agent: agentOf('a', 5), spawnedBy: null }, 30);
  expect(index.find('default', 'a')?.intervals.get('tag:ops')).toEqual([
    { fromSeq: 10, untilSeq: 20 },
    { fromSeq: 30, untilSeq: null },
  ]);
});

test('whoever is registered stays, however many there are, and so after everything was read anew', () => {
  const { index, table } = open();
  for (let count = 0; count < LIMIT * 3; count += 1)
    table.set('default', `a-${count}`, { agent: agentOf(`a-${count}`), spawnedBy: null }, count);
  expect(index.held).toBe(LIMIT * 3);
  table.reload();
  expect([...index.agents('default')]).toHaveLength(LIMIT * 3);
  expect(index.members('default', 'tag:ops').size).toBe(LIMIT * 3);
});

test('an id that was no address becomes one', () => {
  const { index, table } = open();
  expect(index.find('default', 'a')).toBe(undefined);
  table.set('default', 'a', { agent: agentOf('a'), spawnedBy: null }, 1);
  expect(index.find('default', 'a')?.agent?.id).toBe('a');
});

test('it has another version after every change of who is read as whom, and the same one when somebody is looked up', () => {
  const { index, table } = open();
  const a = agentOf('a');
  const { ref } = table.ensure('default', 'a');
  const isOther = (change: () => unknown): boolean => {
    const before = index.version;
    change();
    return index.version !== before;
  };
  const put = (agent: typeof a | null, seq: number) => () => table.set('default', 'a', { agent, spawnedBy: null }, seq);
  expect(isOther(put(a, 1))).toBe(true);
  expect(isOther(put({ ...a, tags: [] }, 2))).toBe(true);
  expect(isOther(put({ ...a, tags: [], nodeId: 'n' }, 3))).toBe(true);
  expect(isOther(() => index.setProven(ref, 3))).toBe(true);
  expect(isOther(() => index.addBound('default', 'a', 1))).toBe(true);
  expect(isOther(() => index.addBound('default', 'a', -1))).toBe(true);
  expect(isOther(() => index.clearBound())).toBe(true);
  expect(isOther(() => index.reserve('default', ['ci']))).toBe(true);
  expect(isOther(put(null, 4))).toBe(true);
  expect(isOther(() => index.dropIntervalsBefore(4))).toBe(true);
  expect(isOther(() => table.reload())).toBe(true);
  for (let count = 0; count < LIMIT * 2; count += 1) table.ensure('default', `id-${count}`);
  expect(isOther(() => index.find('default', 'a'))).toBe(false);
  expect(isOther(() => index.find('default', 'nobody'))).toBe(false);
});
