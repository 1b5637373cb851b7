import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { CodexClient, parseEndpoint } from 'agent-relay-codex-app-server';
import { RELAY_VERSION } from 'agent-relay-protocol';
import { startTestRelay } from 'agent-relay-server/testing';
import { freePort } from 'agent-relay-testing';
import { commandLineOf, processIdentity } from 'agent-relay-wire/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HeadlessThread, startCodexRelay } from '../src/relay/start-codex-relay.ts';
import { type Bench, sentTo, startBench, until } from './bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(async () => {
  bench.model.assertNoViolations();
  await bench[Symbol.asyncDispose]();
});

const free: HeadlessThread = { resumes: null, approvalPolicy: 'never', sandbox: 'danger-full-access' };

async function session(more: Record<string, string> = {}, thread = free) {
  const { home, env, command } = bench;
  const told: string[] = [];
  const relay = await startCodexRelay({ cwd: home.workFolder, env: { ...env, ...more }, command, tell: (sentence) => told.push(sentence) });
  expect(await relay.isAttachedWithin(60_000)).toBe(true);
  const threadId = await relay.openThread(thread);
  return { relay, told, threadId, [Symbol.asyncDispose]: () => relay.close() };
}

const say = (to: string, body: string, mode: 'next' | 'now' | 'urgent' | 'fyi' = 'next') =>
  bench.owner.messages.send({ to: `id:${to}`, body, mode });
const states = async (id: number) => (await bench.owner.messages.deliveries({ id })).data.map(({ state, evidence }) => [state, evidence]);
const comes = (id: number, state: string, evidence: string) =>
  until(`${state} of ${id}`, async () => JSON.stringify(await states(id)) === JSON.stringify([[state, evidence]]));

describe('a session of codex-relay', () => {
  test('is told who and where it is, and its shells speak as it with a token that is not the owner’s', async () => {
    await using live = await session({ AGENT_RELAY_LABEL: 'tester', AGENT_RELAY_TAGS: 'blue' });
    const { agentId } = live.relay;
    expect(await bench.owner.agents.get({ id: agentId })).toMatchObject({
      label: 'tester',
      tags: ['codex', 'blue'],
      provider: 'codex',
      protected: true,
    });
    const file = join(bench.home.workFolder, 'environment');
    const { id } = await say(
      agentId,
      `run command: env > ${file}; curl -sS -X POST -H "Authorization: Bearer $AGENT_RELAY_TOKEN" -H "Content-Type: application/json" -d '{"to":"owner","body":"from the shell"}' $AGENT_RELAY_URL/api/messages && then say: done`,
    );
    await comes(id, 'seen', 'turn');
    const mail = await until('the message', async () =>
      (await bench.owner.messages.list({})).data.find(({ body }) => body === 'from the shell'),
    );
    expect(mail).toMatchObject({ from: agentId, sender: { principal: `agent:${agentId}` } });
    const environment = await readFile(file, 'utf8');
    expect(environment).toContain(`AGENT_RELAY_ID=${agentId}\n`);
    expect(environment).not.toContain(bench.relay.ownerToken);
    expect(sentTo(bench.model)).toContain(
      `Agent Relay active. Your agent ID: ${agentId}\\nRelay URL: ${bench.relay.url} | Server: ${RELAY_VERSION} | Plugin: ${RELAY_VERSION}\\nApproval mode: open`,
    );
  });

  test('takes mail in every mode, once each, and says what became of it', async () => {
    await using live = await session();
    const { agentId } = live.relay;
    const fyi = await say(agentId, 'just so you know', 'fyi');
    await comes(fyi.id, 'delivered', 'accepted');
    const next = await say(agentId, 'say: one');
    const now = await say(agentId, 'say: two', 'now');
    await comes(next.id, 'seen', 'turn');
    await comes(now.id, 'seen', 'turn');
    const slow = await say(agentId, 'hang 60000');
    await comes(slow.id, 'delivered', 'echo');
    const urgent = await say(agentId, 'say: three', 'urgent');
    await comes(urgent.id, 'seen', 'turn');
    const text = sentTo(bench.model);
    for (const { id } of [fyi, next, now, urgent]) expect(text).toContain(`[msg:${id}] from owner: `);
  });

  test('that guards its mail runs it read-only, and its person’s settings are as before', async () => {
    await using live = await session({ AGENT_RELAY_APPROVAL: 'read-only' }, { ...free, sandbox: 'workspace-write' });
    const file = join(bench.home.workFolder, 'not-made');
    for (const mode of ['next', 'fyi'] as const) {
      const { id } = await say(live.relay.agentId, `run command: touch ${file} && then say: done`, mode);
      await comes(id, 'seen', 'turn');
      expect(existsSync(file)).toBe(false);
      expect(await live.relay.settingsOf(live.threadId)).toMatchObject({ approvalPolicy: 'never', sandbox: { type: 'workspaceWrite' } });
    }
  });
});

test('what a person sets on the relay holds for the next message, and a session is told it', async () => {
  await using live = await session({}, { ...free, sandbox: 'workspace-write' });
  const { agentId } = live.relay;
  await bench.owner.agents.approval({ id: agentId, approval: 'read-only' });
  const file = join(bench.home.workFolder, 'not-made-either');
  const { id } = await say(agentId, `run command: touch ${file} && then say: done`);
  await comes(id, 'seen', 'turn');
  expect(existsSync(file)).toBe(false);
  expect(await live.relay.settingsOf(live.threadId)).toMatchObject({ approvalPolicy: 'never', sandbox: { type: 'workspaceWrite' } });
  const second = await live.relay.openThread(free);
  await live.relay.say(second, 'say: hello');
  await until('the introduction', () =>
    sentTo(bench.model).includes(
      `Your agent ID: ${agentId}\\nRelay URL: ${bench.relay.url} | Server: ${RELAY_VERSION} | Plugin: ${RELAY_VERSION}\\nApproval mode: read-only`,
    ),
  );
});

test('is offline and gone when it is closed; nothing of it runs', async () => {
  const live = await session();
  await live.relay.close();
  await live.relay.ended;
  expect((await bench.owner.agents.get({ id: live.relay.agentId })).status).toBe('offline');
});

test('works while the relay is away, says so, and holds what its shells send until the relay is there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'agent-relay-late-'));
  const databasePath = join(folder, 'relay.db');
  const port = String(await freePort());
  const earlier = await startTestRelay({ databasePath, settings: { PORT: port } });
  await earlier.close();
  const { home, command, env } = bench;
  const told: string[] = [];
  await using relay = await startCodexRelay({
    cwd: home.workFolder,
    env: { ...env, AGENT_RELAY_URL: earlier.url, AGENT_RELAY_TOKEN: earlier.ownerToken },
    command,
    tell: (sentence) => told.push(sentence),
  });
  // Told that the relay is away, it is gone by the time that there is one.
  const left = await relay.openThread(free);
  const threadId = await relay.openThread(free);
  await archive(relay.address, left);
  expect(relay.attached).toBeUndefined();
  await until('a word', () => told.some((sentence) => sentence.startsWith('The relay cannot be reached: ')));
  const sending =
    'curl -sS -X POST -H "Authorization: Bearer $AGENT_RELAY_TOKEN" -H "Content-Type: application/json" -d \'{"to":"owner","body":"held"}\' $AGENT_RELAY_URL/api/messages';
  await relay.say(threadId, `run command: ${sending} && then say: sent`);
  await using later = await startTestRelay({ databasePath, settings: { PORT: port } });
  const owner = createNodeRelayClient({ url: later.url, token: later.ownerToken });
  await until('what was held', async () => (await owner.messages.list({})).data.some(({ body }) => body === 'held'));
  expect((await owner.messages.list({})).data.map(({ body, from }) => [body, from])).toEqual([['held', relay.agentId]]);
  await until('a word', () =>
    told.some((sentence) => sentence === `The relay at ${later.url} is there; this session is ${relay.agentId}.`),
  );
  const { id } = await owner.messages.send({ to: `id:${relay.agentId}`, body: 'say: hello' });
  await until('the receipt', async () => (await owner.messages.deliveries({ id })).data[0]?.state === 'seen');
  expect(sentTo(bench.model)).toMatch(/Server: not reached yet[\s\S]*Server: 0/u);
  await owner.close();
  await rm(folder, { recursive: true, force: true });
});

test('that was killed leaves nothing behind once the next one begins', async () => {
  const { home, env } = bench;
  const killed = spawn(process.execPath, ['--conditions=agent-relay-source', program, '--headless'], {
    cwd: home.workFolder,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  for await (const chunk of killed.stdout) {
    printed += String(chunk);
    if (printed.includes('codex resume --remote')) break;
  }
  const [, folder = ''] = /unix:\/\/(\S+)\/codex\.sock/u.exec(printed) ?? [];
  const { processes } = JSON.parse(await readFile(join(notes(), (await readdir(notes()))[0] ?? ''), 'utf8'));
  const [server] = processes.map(({ pid }: { pid: number }) => pid);
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  expect(await isAlive(server)).toBe(true);
  await using next = await session();
  expect([await isAlive(server), existsSync(folder)]).toEqual([false, false]);
  expect(await readdir(notes())).toHaveLength(1);
  await next.relay.close();
  expect(await readdir(notes())).toEqual([]);
});

async function archive(address: string, threadId: string): Promise<void> {
  await using codex = await CodexClient.connect(parseEndpoint(address), { clientInfo: { name: 'test', version: '1' } });
  await codex.request('thread/archive', { threadId });
}

test('that is stopped while it starts says nothing, and what the system refuses is said in a sentence', async () => {
  const stopped = run(['--headless']);
  await until('its note', async () => (await readdir(notes()).catch(() => [])).some((name) => name.endsWith('.json')));
  stopped.child.kill('SIGINT');
  expect(await stopped.end).toEqual([0, '']);
  const refused = run(['--headless'], { more: { TMPDIR: join(bench.home.directory, 'no-such-folder') } });
  expect(await refused.end).toEqual([1, expect.stringMatching(/^codex-relay: ENOENT: .*\n$/u)]);
});

test('that goes on with the newest conversation of its folder is the same agent each time', async () => {
  const cwd = join(bench.home.directory, 'a-folder');
  await mkdir(cwd);
  const auto = async (mail?: string) => {
    const { child, end } = run(['--headless', '--thread-mode', 'auto'], { cwd });
    let printed = '';
    for await (const chunk of child.stdout ?? []) {
      printed += String(chunk);
      if (printed.includes('codex resume --remote')) break;
    }
    const [, agentId = '', threadId] = /^(\S+) works in .*codex resume --remote \S+ (\S+)/su.exec(printed) ?? [];
    // Codex lists a conversation once something was said in it.
    if (mail !== undefined) await comes((await say(agentId, mail)).id, 'seen', 'turn');
    child.kill('SIGTERM');
    await end;
    return { agentId, threadId };
  };
  const begun = await auto('say: hello');
  const again = await auto();
  expect(again.threadId).toBe(begun.threadId);
  expect(await auto()).toEqual(again);
});

test('two in one folder are two agents, and each gets its own mail alone', async () => {
  await using one = await session();
  await using two = await session();
  const [forOne, forTwo] = [await say(one.relay.agentId, 'say: first'), await say(two.relay.agentId, 'say: second')];
  for (const { id } of [forOne, forTwo]) await comes(id, 'seen', 'turn');
  const read = (id: number) => bench.model.requests.filter(({ model }) => JSON.stringify(model).includes(`[msg:${id}] from owner`));
  expect([read(forOne.id).length > 0, read(forTwo.id).length > 0]).toEqual([true, true]);
  expect(read(forOne.id).filter((request) => read(forTwo.id).includes(request))).toEqual([]);
});

test('that goes on with a conversation keeps it and its agent when another begins with it, and one that was killed leaves no mail to be read twice', async () => {
  const first = await session();
  await comes((await say(first.relay.agentId, 'say: hello')).id, 'seen', 'turn');
  const { threadId } = first;
  await first.relay.close();
  const resume = async () => {
    const { child, end } = run(['--headless', 'resume', threadId]);
    let printed = '';
    for await (const chunk of child.stdout ?? []) {
      printed += String(chunk);
      if (printed.includes('codex resume --remote')) break;
    }
    const [, agentId = '', address = ''] = /^(\S+) works in .*codex resume --remote (\S+)/su.exec(printed) ?? [];
    return { child, end, agentId, address };
  };
  const earlier = await resume();
  const refused = await resume();
  expect(await refused.end).toEqual([
    1,
    expect.stringMatching(/^codex-relay: The conversation \S+ is open in another Codex: close it there first/mu),
  ]);
  const { agentId } = earlier;
  await comes((await say(agentId, 'hang 600000')).id, 'delivered', 'echo');
  const { id } = await say(agentId, 'say: once');
  await using codex = await CodexClient.connect(parseEndpoint(earlier.address), { clientInfo: { name: 'test', version: '1' } });
  const queued = async () => JSON.stringify(await codex.request('thread/queue/list', { threadId })).includes(`relay-${id}-`);
  await until('its place in the queue', queued);
  earlier.child.kill('SIGKILL');
  await earlier.end;
  const later = await resume();
  expect(later.agentId).toBe(agentId);
  await comes(id, 'seen', 'turn');
  await comes((await say(agentId, 'say: the last')).id, 'seen', 'turn');
  expect(sentTo(bench.model).split('\n').at(-1)?.split(`[msg:${id}] from owner`)).toHaveLength(2);
  later.child.kill('SIGTERM');
  await later.end;
});

test('started by agent-relay-codex start is the same: an agent until it is stopped, with its own words and exit codes', async () => {
  const { child, end } = run(['start', '--headless'], { file: installer });
  let printed = '';
  for await (const chunk of child.stdout ?? []) {
    printed += String(chunk);
    if (printed.includes('codex resume --remote')) break;
  }
  const [, agentId = ''] = /^(\S+) works in /u.exec(printed) ?? [];
  await comes((await say(agentId, 'say: started')).id, 'seen', 'turn');
  child.kill('SIGTERM');
  expect((await end)[0]).toBe(0);
  expect((await bench.owner.agents.get({ id: agentId })).status).toBe('offline');
  const refused = run(['start', '--thread-mode', 'sideways'], { file: installer });
  expect(await refused.end).toEqual([2, expect.stringContaining("argument 'sideways' is invalid")]);
  const versionBy = async (file: string, ...args: readonly string[]) => {
    const { child: asked, end: over } = run([...args, '--', '--version'], { file });
    let said = '';
    asked.stdout?.on('data', (chunk) => {
      said += String(chunk);
    });
    await over;
    return said;
  };
  // What follows -- is Codex's.
  expect([await versionBy(program), await versionBy(installer, 'start')]).toEqual(Array(2).fill(expect.stringContaining('codex-cli')));
});

test('whose Codex ends at once ends with it', async () => {
  const PATH = await pathWithTerminal('exit 7');
  for (let time = 0; time < 3; time += 1) expect((await run([], { more: { PATH } }).end)[0]).toBe(7);
});

test('whose server stays dead says so when it gives the terminal back', async () => {
  const { end } = run([], { more: { PATH: await pathWithTerminal('exec sleep 600') } });
  await until('its terminal', async () => (await noted()).length === 2);
  const killed = new Set<number>();
  while (killed.size < 5) {
    const server = await until('a server', async () => (await servers()).find((pid) => !killed.has(pid)));
    killed.add(server);
    process.kill(server, 'SIGKILL');
  }
  expect(await end).toEqual([1, expect.stringMatching(/^codex-relay: Codex's server died too often; \S+\.log says more/mu)]);
});

/** Where `codex` is the real one as a server, and this line of a shell as a terminal. */
async function pathWithTerminal(line: string): Promise<string> {
  const bin = await mkdtemp(join(bench.home.directory, 'bin-'));
  await writeFile(join(bin, 'codex'), `#!/bin/sh\n[ "$1" = app-server ] && exec "${bench.command}" "$@"\n${line}\n`, { mode: 0o755 });
  return [bin, process.env['PATH']].join(delimiter);
}

interface RunOptions {
  readonly more?: Record<string, string>;
  readonly cwd?: string;
  readonly file?: string;
}

function run(args: readonly string[], { more = {}, cwd = bench.home.workFolder, file = program }: RunOptions = {}) {
  const child = spawn(process.execPath, ['--conditions=agent-relay-source', file, ...args], {
    cwd,
    env: { ...bench.env, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += String(chunk);
  });
  // What it has said may come after the news of its exit.
  return { child, end: once(child, 'close').then(([code]) => [code, said]) };
}

/** What runs, as the notes say. */
async function noted(): Promise<readonly number[]> {
  const [name = ''] = (await readdir(notes()).catch(() => [])).filter((each) => each.endsWith('.json'));
  const text = await readFile(join(notes(), name), 'utf8').catch(() => '{"processes":[]}');
  return JSON.parse(text).processes.map(({ pid }: { readonly pid: number }) => pid);
}

async function servers(): Promise<readonly number[]> {
  const pids = await noted();
  const commands = await Promise.all(pids.map((pid) => commandLineOf(pid)));
  return pids.filter((_, index) => commands[index]?.includes('app-server'));
}

const program = fileURLToPath(new URL('../src/codex-relay.ts', import.meta.url));
const installer = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const notes = () => join(bench.home.directory, 'home', '.local', 'state', 'agent-relay', 'codex-relay-processes');

/** Whose parent is gone may stay as a zombie. */
const isAlive = async (pid: number): Promise<boolean> => (await processIdentity(pid)) !== undefined;
