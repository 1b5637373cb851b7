import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { createNodeRelayClient } from 'agent-relay-client/node';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { backupDatabase } from '../../src/operations/backup.ts';
import { restoreDatabase } from '../../src/operations/restore.ts';
import { migrations } from '../../src/store/sqlite/migrations/migrations.ts';
import { startTestRelay } from '../../src/testing.ts';
import { type Command, type Outcome, ownCli, startCommand } from '../support/command.ts';
import { poll } from '../support/poll.ts';

let folder = '';
let databasePath = '';
let backup = '';
const started: Command[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-relay-files-'));
  databasePath = join(folder, 'relay.db');
  backup = join(folder, 'backup.db');
});
afterEach(async () => {
  for (const { child, done } of started.splice(0)) {
    child.kill('SIGKILL');
    await done;
  }
  rmSync(folder, { recursive: true, force: true });
});

const start = (args: readonly string[]) => {
  const command = startCommand(args, { HOME: folder, PATH: '/usr/bin:/bin', DB_PATH: databasePath });
  started.push(command);
  return command;
};
const run = (...args: string[]): Promise<Outcome> => start(args).done;

async function serve(): Promise<{ readonly server: Command; readonly url: string; readonly token: string }> {
  const server = start(['serve', '--port', '0', '--no-local-node']);
  await poll('it listens', () => server.out().includes('agent-relay watch'));
  const token = readFileSync(`${databasePath}.owner-token`, 'utf8').trim();
  return { server, url: /listens on (\S+)/u.exec(server.out())?.[1] ?? '', token };
}

async function stop({ child, done }: Command): Promise<void> {
  child.kill('SIGTERM');
  await done;
}

/** Sends without a pause from several loops until it is told to stop; answers what was acknowledged, in the order of that. */
function sendMeanwhile(url: string, token: string) {
  const acknowledged: number[] = [];
  let isOver = false;
  const loop = async () => {
    await using client = createNodeRelayClient({ url, token, transport: 'socket' });
    while (!isOver) acknowledged.push((await client.messages.send({ to: 'id:Worker', body: 'x'.repeat(500) })).id);
  };
  const loops = Promise.all(Array.from({ length: 8 }, loop));
  const end = async () => {
    isOver = true;
    await loops;
  };
  return { acknowledged, end };
}

const idsIn = (path: string): number[] => {
  const database = new Sqlite(path, { readonly: true });
  const ids = database.prepare<[], number>('SELECT id FROM messages ORDER BY id').pluck().all();
  database.close();
  return ids;
};

test('a backup under load is one moment of the log, and restoring it gives exactly that back, with a reset for old cursors', async () => {
  const { server, url, token } = await serve();
  const load = sendMeanwhile(url, token);
  await poll('the load runs', () => load.acknowledged.length > 2_000);
  const before = new Set(load.acknowledged);
  const made = await run('backup', backup);
  expect(made).toMatchObject({ code: 0, out: expect.stringContaining('whole') });
  const duringBackup = load.acknowledged.length - before.size;
  await load.end();
  expect(duringBackup).toBeGreaterThan(0);
  const saved = idsIn(backup);
  // Everything acknowledged before it began is in it, and it has no hole: it was cut at one number.
  expect([...before].filter((id) => !saved.includes(id))).toEqual([]);
  const last = saved.at(-1) ?? 0;
  expect(load.acknowledged.filter((id) => id <= last).sort((one, other) => one - other)).toEqual(
    saved.filter((id) => load.acknowledged.includes(id)),
  );
  expect([statSync(backup).mode & 0o777, existsSync(`${backup}-wal`)]).toEqual([0o600, false]);

  await using client = createNodeRelayClient({ url, token });
  const { cursor, generation } = await client.messages.cursor();
  expect(await run('restore', backup)).toMatchObject({ code: 1, note: expect.stringContaining('stop it first') });
  await stop(server);
  const all = idsIn(databasePath);
  const restored = await run('restore', backup);
  expect(restored).toMatchObject({ code: 0 });
  const aside = readdirSync(folder).find((name) => name.includes('.before-restore-') && !/-(?:wal|shm)$/u.test(name)) ?? '';
  expect(restored.out).toContain(aside);
  expect([idsIn(join(folder, aside)), idsIn(databasePath)]).toEqual([all, saved]);

  const again = await serve();
  await using later = createNodeRelayClient({ url: again.url, token: again.token });
  expect((await later.messages.cursor()).generation).not.toBe(generation);
  const events = await fetch(`${again.url}/api/events?after=${cursor}&generation=${generation}`, {
    headers: { authorization: `Bearer ${again.token}` },
  });
  const reader = events.body?.getReader();
  let text = '';
  while (reader && !text.includes('event: reset')) text += new TextDecoder().decode((await reader.read()).value);
  await reader?.cancel();
  expect(text).toMatch(/event: reset\n[\s\S]*"reason":"generation"/u);
  expect((await later.messages.send({ to: 'id:Worker', body: 'on we go' })).id).toBeGreaterThan(last);
});

/** Whether a restore could be killed as soon as a file with this in its name was there: it is, for milliseconds only. */
async function killedAt(sign: string): Promise<boolean> {
  const before = new Set(readdirSync(folder));
  const { child, done } = start(['restore', backup]);
  while (child.exitCode === null && !readdirSync(folder).some((name) => name.includes(sign) && !before.has(name))) await setImmediate();
  child.kill('SIGKILL');
  return (await done).code === null;
}

/** A command that may write no file beyond 50 KiB. */
function withoutRoom(...args: string[]): Promise<Outcome> {
  const limited = `trap '' XFSZ; ulimit -f 100; exec "$0" "$@"`;
  const command = ['-c', limited, process.execPath, '--conditions=agent-relay-source', ownCli, ...args];
  return new Promise((resolve) => {
    execFile('/bin/sh', command, { env: { HOME: folder, DB_PATH: databasePath } }, (error, out, note) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, note });
    });
  });
}

test('the database, its journal and a restored one are readable by their owner alone', async () => {
  await using relay = await startTestRelay({ databasePath });
  await relay.relay.handlers['messages/send']({ to: 'id:a', body: 'private' }, asOwner);
  const rights = readdirSync(folder).filter((name) => /\.db(?:-wal|-shm)?$/u.test(name));
  expect(rights.map((name) => [name, statSync(join(folder, name)).mode & 0o777])).toEqual(
    ['relay.db', 'relay.db-shm', 'relay.db-wal'].map((name) => [name, 0o600]),
  );
});

describe('backup', () => {
  test('writes over nothing without --force, and leaves no half file behind', async () => {
    await (await startTestRelay({ databasePath })).close();
    writeFileSync(backup, 'precious');
    await expect(backupDatabase({ databasePath, file: backup, force: false })).rejects.toMatchObject({ code: 'busy' });
    expect(readFileSync(backup, 'utf8')).toBe('precious');
    await backupDatabase({ databasePath, file: backup, force: true });
    expect(readdirSync(folder).filter((name) => name.startsWith('backup'))).toEqual(['backup.db']);
  });

  test('of nothing, of something else and into nowhere are one sentence each, and nothing is written', async () => {
    const other = join(folder, 'other.db');
    new Sqlite(other).exec('CREATE TABLE t (x)').close();
    writeFileSync(join(folder, 'text.db'), 'no database at all, only long enough to look like one. '.repeat(50));
    const attempt = (path: string, file = backup) => backupDatabase({ databasePath: path, file, force: false });
    await expect(attempt(databasePath)).rejects.toMatchObject({ code: 'not_found' });
    await expect(attempt(other)).rejects.toMatchObject({ code: 'store_unavailable', message: expect.stringContaining(other) });
    await expect(attempt(join(folder, 'text.db'))).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(attempt(other, join(folder, 'no', 'where.db'))).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(readdirSync(folder).sort()).toEqual(['other.db', 'text.db']);
  });

  test('a damaged database yields no backup', async () => {
    const relay = await startTestRelay({ databasePath });
    for (let count = 0; count < 50; count += 1)
      await relay.relay.handlers['messages/send']({ to: 'id:a', body: 'x'.repeat(3_000) }, asOwner);
    await relay.close();
    const bytes = readFileSync(databasePath);
    bytes.fill(0xff, bytes.length - 40_960, bytes.length - 8_192);
    writeFileSync(databasePath, bytes);
    await expect(backupDatabase({ databasePath, file: backup, force: false })).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(existsSync(backup)).toBe(false);
  });
});

describe('restore', () => {
  const now = new Date(0);

  /** A backup of a relay with one message, and the database gone. */
  async function oneMessage(): Promise<void> {
    const relay = await startTestRelay({ databasePath });
    await relay.relay.handlers['messages/send']({ to: 'id:a', body: 'kept' }, asOwner);
    await relay.close();
    await backupDatabase({ databasePath, file: backup, force: false });
  }

  /** The number that a relay on this database gives to the next message. */
  async function nextId(path: string): Promise<number> {
    await using relay = await startTestRelay({ databasePath: path });
    return (await relay.relay.handlers['messages/send']({ to: 'id:a', body: 'next' }, asOwner)).id;
  }

  test('into an empty place, as on a new machine: the folder is made, and numbers go on far above what may have been given out', async () => {
    await oneMessage();
    const elsewhere = join(folder, 'new', 'place', 'relay.db');
    const restored = await restoreDatabase({ databasePath: elsewhere, file: backup, now });
    expect(restored).toMatchObject({ previous: null, basis: 'unknown' });
    expect(idsIn(elsewhere)).toEqual(idsIn(backup));
    expect([statSync(elsewhere).mode & 0o777, statSync(join(folder, 'new')).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(restored.next).toBeGreaterThan(1_000_000);
    expect(await nextId(elsewhere)).toBe(restored.next);
  });

  test('goes on above the numbers of the database before it, however often', async () => {
    await oneMessage();
    for (let count = 0; count < 3; count += 1) {
      const given = await nextId(databasePath);
      const { next, basis } = await restoreDatabase({ databasePath, file: backup, now: new Date(count) });
      expect([next > given, basis]).toEqual([true, 'replaced']);
      expect(idsIn(databasePath)).toEqual(idsIn(backup));
    }
  });

  test('goes on above the number that the person names, and refuses one that was given out', async () => {
    await oneMessage();
    const elsewhere = join(folder, 'new.db');
    expect(await run('restore', backup, '--db', elsewhere, '--continue-above', '4711')).toMatchObject({
      code: 0,
      out: expect.stringContaining('It goes on with number 4713.'),
    });
    expect(await nextId(elsewhere)).toBe(4713);
    expect(await run('restore', backup, '--db', elsewhere, '--continue-above', '4000')).toMatchObject({
      code: 2,
      note: expect.stringMatching(/^error: Numbers up to \d+ have been given out, so 4000 is too low\n$/u),
    });
    expect((await run('restore', backup, '--db', elsewhere, '--continue-above', 'x')).code).toBe(2);
    expect(await nextId(elsewhere)).toBeGreaterThan(4713);
  });

  test('of a backup that the first version made: what that did not know is made when the relay starts', async () => {
    const old = new Sqlite(backup);
    old.exec(migrations[0]?.sql ?? '').pragma('user_version = 1');
    old.exec("INSERT INTO meta (key, value) VALUES ('generation', 'old'), ('pruned_through', 7)").close();
    expect(await restoreDatabase({ databasePath, file: backup, now })).toMatchObject({ head: 7, basis: 'unknown' });
    expect(await nextId(databasePath)).toBeGreaterThan(1_000_008);
  });

  test.each([['.part'], ['.before-restore-']])(
    'killed as soon as a file %s is there, the database is the old or the new one, whole',
    async (sign) => {
      await oneMessage();
      const given = await nextId(databasePath);
      while (!(await killedAt(sign)));
      expect([idsIn(backup), [...idsIn(backup), given]]).toContainEqual(idsIn(databasePath));
      const { previous } = await restoreDatabase({ databasePath, file: backup, now });
      expect([idsIn(databasePath), existsSync(previous ?? '')]).toEqual([idsIn(backup), true]);
      expect(readdirSync(folder).filter((name) => name.includes('.part'))).toEqual([]);
      expect(await nextId(databasePath)).toBeGreaterThan(given);
    },
  );

  test('without room for it, and a backup likewise, changes nothing and says so', async () => {
    await oneMessage();
    const before = readFileSync(databasePath);
    // The folder is the command's home too, where Node keeps compiled code.
    const files = () => readdirSync(folder).filter((name) => !/^\.cache$|-(?:wal|shm)$/u.test(name));
    const filesBefore = files();
    for (const [command, file] of [
      ['restore', backup],
      ['backup', join(folder, 'second.db')],
    ] as const) {
      const { code, note } = await withoutRoom(command, file);
      expect([command, code, note]).toEqual([command, 1, expect.stringMatching(/^error: .*(?:full|failed).*\n$/u)]);
    }
    expect(files()).toEqual(filesBefore);
    expect(readFileSync(databasePath).equals(before)).toBe(true);
  });

  test('over a damaged database, which is kept as it is with its journal', async () => {
    await oneMessage();
    const garbage = 'damaged beyond all hope, and long enough for a header. '.repeat(100);
    writeFileSync(databasePath, garbage);
    writeFileSync(`${databasePath}-wal`, 'left over');
    const { previous } = await restoreDatabase({ databasePath, file: backup, now });
    expect([readFileSync(previous ?? '', 'utf8'), readFileSync(`${previous}-wal`, 'utf8')]).toEqual([garbage, 'left over']);
    expect(idsIn(databasePath)).toEqual(idsIn(backup));
  });

  test('a database that a relay left by being killed is kept whole', async () => {
    await oneMessage();
    const { server, url, token } = await serve();
    await using client = createNodeRelayClient({ url, token });
    const { id } = await client.messages.send({ to: 'id:a', body: 'only in the journal' });
    server.child.kill('SIGKILL');
    await server.done;
    const { previous } = await restoreDatabase({ databasePath, file: backup, now });
    expect(idsIn(previous ?? '')).toContain(id);
    expect(idsIn(databasePath)).not.toContain(id);
  });

  test('is refused while any program has the database open, and nothing changes', async () => {
    await oneMessage();
    const other = new Sqlite(databasePath);
    other.prepare('SELECT count(*) FROM messages').get();
    await expect(restoreDatabase({ databasePath, file: backup, now })).rejects.toMatchObject({ code: 'busy' });
    other.close();
    expect(readdirSync(folder).filter((name) => name.includes('before-restore') || name.includes('.part'))).toEqual([]);
  });

  test('a damaged, foreign, newer or missing file is refused, and the database stays', async () => {
    await oneMessage();
    const before = readFileSync(databasePath);
    const newer = join(folder, 'newer.db');
    writeFileSync(newer, readFileSync(backup));
    const database = new Sqlite(newer);
    database.prepare("UPDATE meta SET value = 9999 WHERE key = 'oldest_schema'").run();
    database.pragma('user_version = 9999');
    database.close();
    const cut = join(folder, 'cut.db');
    writeFileSync(cut, readFileSync(backup).subarray(0, 40_960));
    const foreign = join(folder, 'foreign.db');
    new Sqlite(foreign).exec('CREATE TABLE t (x)').close();
    for (const file of [newer, cut, foreign]) {
      await expect(restoreDatabase({ databasePath, file, now })).rejects.toMatchObject({ code: 'store_unavailable' });
    }
    await expect(restoreDatabase({ databasePath, file: join(folder, 'none.db'), now })).rejects.toMatchObject({ code: 'not_found' });
    expect(readFileSync(databasePath).equals(before)).toBe(true);
  });
});

const asOwner = { principal: { type: 'owner', workspace: 'default' }, signal: new AbortController().signal } as const;
