import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AgentEvent, RelayError, type Session } from 'agent-relay-protocol';
import type { DialledLink } from 'agent-relay-provider';
import { AsyncQueue, decodeNdjson, formatEnvelope, silentLog } from 'agent-relay-wire';
import { spawnProcess } from 'agent-relay-wire/node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ActivityBuffer } from '../src/activity-buffer.ts';
import { createHost } from '../src/host.ts';
import type { Host, HostOptions, StartRequest } from '../src/host-contract.ts';
import { PromptIds } from '../src/prompt-ids.ts';
import { inboxItem, RecordingRelay } from './recording-relay.ts';
import { ScriptedProvider } from './scripted-provider.ts';

const until = <T>(check: () => T) => vi.waitFor(check, { timeout: 60_000, interval: 100 });
const isRunning = (pid: number) => existsSync(`/proc/${pid}`) && !/^State:\s+Z/mu.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

let stateDir: string;
let cwd: string;
let relay: RecordingRelay;
let provider: ScriptedProvider;
let host: Host;

async function open(options: Partial<HostOptions> = {}): Promise<Host> {
  host = await createHost({
    providers: [provider],
    stateDir,
    allowedFolders: [],
    relay,
    log: silentLog,
    clock: Date,
    env: process.env,
    ...options,
  });
  return host;
}

const session = (sessionId = 's1', over: Partial<Session> = {}): Session => ({
  sessionId,
  agentId: 'Worker',
  nodeId: 'n1',
  provider: 'scripted',
  instanceId: `i-${sessionId}`,
  epoch: 1,
  status: 'starting',
  mode: 'agentic',
  ask: false,
  cwd: null,
  model: null,
  spawnedBy: null,
  startedAt: 0,
  endedAt: null,
  reason: null,
  vendorSessionId: null,
  sandbox: 'none',
  sandboxReason: null,
  ...over,
});

const start = (over: Partial<StartRequest> = {}) =>
  host.start({ session: session(), task: null, cwd, within: null, mode: 'agentic', approval: 'open', model: null, mcp: [], ...over });

const stored = (sessionId = 's1') =>
  host.buffers
    .find(({ owner }) => owner.sessionId === sessionId)
    ?.next(10_000, Number.MAX_SAFE_INTEGER)
    .map(({ event }) => event) ?? [];

const orphanPid = () => {
  const said = stored().find((event) => event.type === 'text.completed' && event.text.startsWith('orphan'));
  if (said?.type !== 'text.completed') throw new Error('no orphan yet');
  return Number(said.text.split(' ')[1]);
};

const vendorPid = () => {
  const started = stored().find((event) => event.type === 'session.started');
  return Number(started?.type === 'session.started' && started.vendorSessionId.split('-')[1]);
};

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'host-state-'));
  cwd = realpathSync(mkdtempSync(join(tmpdir(), 'host-cwd-')));
  relay = new RecordingRelay();
  provider = new ScriptedProvider();
});

afterEach(async () => {
  await host.close('test over');
  for (const folder of [stateDir, cwd]) rmSync(folder, { recursive: true, force: true });
});

/** Leaves behind what a session said before its process was killed. */
function killedAfter(events: readonly AgentEvent[]): void {
  const buffer = ActivityBuffer.create(stateDir, session());
  for (const event of events) buffer.append(event, 0);
  buffer.close();
}

/** A machine whose bubblewrap says that it can. */
const withBubblewrap = () => {
  const AGENT_RELAY_BWRAP = join(stateDir, 'bwrap');
  writeFileSync(AGENT_RELAY_BWRAP, '#!/bin/sh\nexit 0\n', { mode: 0o755 });
  return { ...process.env, AGENT_RELAY_BWRAP };
};

describe('a sandbox', () => {
  it('that a provider forgets costs it the session', async () => {
    await open({ env: withBubblewrap() });
    Object.assign(provider, { sandboxFiles: () => ({}) });
    await expect(start({ sandbox: 'os' })).rejects.toMatchObject({
      code: 'internal',
      message: 'scripted started scripted agent outside of its sandbox bwrap; it was ended',
    });
    expect(host.has('s1')).toBe(false);
  });

  it('is not there for a provider that does not say its files, which starts without where that will do', async () => {
    await open({ env: withBubblewrap(), sandbox: 'auto' });
    expect(await start()).toMatchObject({ sandbox: 'none', sandboxReason: expect.stringContaining('cannot be put in a sandbox') });
    await expect(start({ session: session('s2'), sandbox: 'os' })).rejects.toMatchObject({ code: 'unsupported' });
    expect(provider.started.map(({ sessionId }) => sessionId)).toEqual(['s1']);
  });
});

it('what an agent in a sandbox plants in its folder is not what a machine looks for', async () => {
  const bin = join(cwd, 'bin');
  const asked: (string | undefined)[] = [];
  Object.assign(provider, {
    sandboxFiles: () => ({}),
    detect: async (env: Readonly<Record<string, string>>) => {
      asked.push(env['PATH']);
      return { available: true, version: '1.0' };
    },
  });
  await open({ env: { ...withBubblewrap(), PATH: `/w/node_modules/.bin:${bin}:${process.env['PATH']}` } });
  await host.detect();
  await start({ sandbox: 'os' }).catch(() => {});
  await host.detect();
  expect(asked.map((path) => path?.split(':').filter((entry) => entry === bin || entry.startsWith('/w/')))).toEqual([[bin], []]);
});

describe('a conversation that is kept', () => {
  it('goes on where its vendor can, and its id is told then alone', async () => {
    provider.resumes = true;
    await open();
    expect(await start({ resume: 'earlier' })).toMatchObject({ resumed: true, vendorSessionId: expect.stringMatching(/^scripted-/u) });
    expect(provider.started[0]?.resume).toBe('earlier');
  });

  it('is not asked of a vendor that would begin another one instead', async () => {
    await open();
    await expect(start({ resume: 'earlier' })).rejects.toMatchObject({ code: 'unsupported' });
    expect(provider.started).toEqual([]);
    expect(await start()).toMatchObject({ resumed: false, vendorSessionId: null });
  });
});

describe('mail', () => {
  it('reaches an idle agent as an envelope, and the runtime’s word becomes a report', async () => {
    await open();
    await start();
    host.deliver('s1', [inboxItem(7, 'hello')]);
    await until(() => expect(relay.reports).toHaveLength(2));
    expect(relay.dispatched).toEqual([[7]]);
    expect(provider.prompts).toEqual([{ agentId: 'Worker', text: formatEnvelope(inboxItem(7, 'hello')), mode: 'next', messageIds: [7] }]);
    expect(relay.reports).toEqual([
      { messageId: 7, state: 'delivered', evidence: 'echo' },
      { messageId: 7, state: 'seen', evidence: 'echo' },
    ]);
  });

  it('that an agent had read before its machine was killed is told by the next process, also what came of it', async () => {
    const seen = (messageId: number) => ({ type: 'input.accepted', messageId, evidence: 'turn', state: 'seen' }) as const;
    const done = { type: 'turn.completed', turnId: 't1', outcome: 'finished' } as const;
    killedAfter([seen(1), done, seen(2), { type: 'user.message', turnId: 't2', text: 'go on', messageIds: [2] }]);
    await open();
    const reason = "The agent's process ended while it worked on this: relay-connect ended unexpectedly";
    expect(relay.reports).toEqual([
      { messageId: 1, state: 'seen', evidence: 'turn' },
      { messageId: 2, state: 'seen', evidence: 'turn' },
      { messageId: 2, state: 'seen', evidence: 'turn', reason },
    ]);
    expect(stored().at(-1)).toMatchObject({ type: 'session.ended', reason: 'lost' });
    // The relay was away, and the process that told is killed in its turn.
    const told = relay.reports.splice(0);
    await open();
    expect(relay.reports).toEqual(told);
    expect(stored().filter(({ type }) => type === 'session.ended')).toHaveLength(1);
  });

  it('is found by the next process before the relay is told that an agent has it', async () => {
    const found: (readonly number[])[] = [];
    class LookingRelay extends RecordingRelay {
      override async report(...told: Parameters<RecordingRelay['report']>): Promise<void> {
        const text = readFileSync(join(stateDir, 'activity', 's1.ndjson'), 'utf8');
        found.push(told[1].filter(({ state }) => !text.includes(`"state":"${state}"`)).map(({ messageId }) => messageId));
        await super.report(...told);
      }
    }
    relay = new LookingRelay();
    await open();
    await start();
    host.deliver('s1', [inboxItem(7, 'hello')]);
    await until(() => expect(relay.reports).toHaveLength(2));
    expect(found).toEqual([[], []]);
  });

  it('of mode next waits for the turn to end and then comes as one prompt, in order', async () => {
    await open();
    await start({ task: '!hang' });
    host.deliver('s1', [inboxItem(2, 'second'), inboxItem(1, 'first')]);
    host.deliver('s1', [inboxItem(3, 'third')]);
    await until(() => expect(host.running[0]?.presence).toBe('busy'));
    expect(provider.prompts.map(({ messageIds }) => messageIds)).toEqual([[]]);
    await host.interrupt('s1');
    await until(() => expect(provider.prompts).toHaveLength(2));
    expect(provider.prompts[1]).toEqual({
      agentId: 'Worker',
      text: [inboxItem(1, 'first'), inboxItem(2, 'second'), inboxItem(3, 'third')].map(formatEnvelope).join('\n\n'),
      mode: 'next',
      messageIds: [1, 2, 3],
    });
  });

  it('of mode now goes into the running turn, of mode urgent interrupts it', async () => {
    await open();
    await start({ task: '!hang' });
    await until(() => expect(host.running[0]?.presence).toBe('busy'));
    host.deliver('s1', [inboxItem(1, 'soon', 'now')]);
    await until(() =>
      expect(stored()).toContainEqual(expect.objectContaining({ type: 'user.message', turnId: 'turn-1', messageIds: [1] })),
    );
    host.deliver('s1', [inboxItem(2, 'stop', 'urgent')]);
    await until(() => expect(stored()).toContainEqual({ type: 'turn.completed', turnId: 'turn-1', outcome: 'interrupted' }));
    expect(provider.prompts.map(({ mode }) => mode)).toEqual(['next', 'now', 'urgent']);
  });

  it('that the agent has read by itself meanwhile is not handed over', async () => {
    await open();
    await start();
    relay.taken.add(1);
    host.deliver('s1', [inboxItem(1, 'read already'), inboxItem(2, 'new')]);
    await until(() => expect(provider.prompts).toHaveLength(1));
    expect(provider.prompts[0]?.messageIds).toEqual([2]);
  });

  it('offered twice enters once', async () => {
    await open();
    await start();
    host.deliver('s1', [inboxItem(1, 'once')]);
    host.deliver('s1', [inboxItem(1, 'once')]);
    await until(() => expect(relay.reports).toHaveLength(2));
    host.deliver('s1', [inboxItem(1, 'once'), inboxItem(2, 'then')]);
    await until(() => expect(relay.reports.filter(({ messageId }) => messageId === 2)).toHaveLength(2));
    expect(provider.prompts.map(({ messageIds }) => messageIds)).toEqual([[1], [2]]);
  });

  it('waits while the relay is away and goes on when it is back', async () => {
    await open();
    await start();
    relay.isAway = true;
    host.deliver('s1', [inboxItem(1, 'later')]);
    relay.isAway = false;
    host.wake('s1');
    await until(() => expect(provider.prompts).toHaveLength(1));
  });

  it('that the relay refuses and offers anew before its refusal is read is handed over', async () => {
    await open();
    await start();
    relay.taken.add(1);
    relay.onDispatch = () => {
      relay.onDispatch = () => undefined;
      relay.taken.delete(1);
      host.deliver('s1', [inboxItem(1, 'anew')]);
      return [];
    };
    host.deliver('s1', [inboxItem(1, 'anew')]);
    await until(() => expect(provider.prompts.map(({ messageIds }) => messageIds)).toEqual([[1]]));
    expect(relay.dispatched).toEqual([[1], [1]]);
  });

  it('that is offered again after it was handed over is not handed over twice, and the relay hears once more what became of it', async () => {
    await open();
    await start();
    host.deliver('s1', [inboxItem(1, 'once')]);
    await until(() => expect(relay.reports).toHaveLength(2));
    const [, last] = relay.reports;
    host.deliver('s1', [inboxItem(1, 'once')]);
    await until(() => expect(relay.reports).toHaveLength(3));
    expect(relay.reports[2]).toEqual(last);
    expect(provider.prompts).toHaveLength(1);
  });

  it('that the runtime refuses for good fails with its reason, and the mail beside it still arrives', async () => {
    provider = new ScriptedProvider({
      refuse: ({ text }) => (text.includes('poison') ? new RelayError('validation_failed', 'The text cannot be taken') : null),
    });
    await open();
    await start();
    host.deliver('s1', [inboxItem(1, 'good'), inboxItem(2, 'poison'), inboxItem(3, 'also good')]);
    await until(() => expect(provider.prompts.map(({ messageIds }) => messageIds)).toEqual([[1], [3]]));
    expect(relay.reports.filter(({ state }) => state === 'failed')).toEqual([
      { messageId: 2, state: 'failed', reason: 'The text cannot be taken' },
    ]);
  });

  it('that the runtime cannot take now is tried again', async () => {
    let refusals = 0;
    provider = new ScriptedProvider({
      refuse: () => (refusals++ === 0 ? new RelayError('provider_unavailable', 'Not now') : null),
    });
    await open();
    await start();
    host.deliver('s1', [inboxItem(1, 'again')]);
    await until(() => expect(provider.prompts).toHaveLength(1));
    expect(relay.reports.filter(({ state }) => state === 'failed')).toEqual([]);
  });
});

it('hands a conversation that can be asked for it what a killed host had handed over under its id, and the rest under an id as well', async () => {
  provider = Object.assign(new ScriptedProvider(), { findsPrompts: true as const });
  new PromptIds(stateDir, silentLog).of('Worker', { isAsked: true }).add('p1', [inboxItem(1, 'before')]);
  await open();
  await start();
  host.deliver('s1', [inboxItem(1, 'before'), inboxItem(2, 'after')]);
  await until(() => expect(provider.prompts).toHaveLength(2));
  expect(provider.prompts).toMatchObject([
    { messageIds: [1], promptId: 'p1', isRepeat: true },
    { messageIds: [2], promptId: expect.stringMatching(/^[\da-f-]{36}$/u) },
  ]);
});

describe('a program that dialled in', () => {
  const dialIn = { links: (async function* () {})() };
  /** What an earlier process had given that program. */
  const handedBefore = (program: string | null) => {
    const promptIds = new PromptIds(stateDir, silentLog).of('Worker');
    promptIds.greeted({ isContinued: false, program, isSame: false });
    return promptIds;
  };

  it('is handed again under its id what a killed host had handed it, and the rest under an id as well', async () => {
    provider = Object.assign(new ScriptedProvider({ isContinued: true }), { takesDialIns: true as const });
    handedBefore(null).add('p1', [inboxItem(1, 'before')]);
    await open();
    await start({ dialIn });
    host.deliver('s1', [inboxItem(1, 'before'), inboxItem(2, 'after')]);
    await until(() => expect(provider.prompts).toHaveLength(2));
    expect(provider.prompts).toMatchObject([
      { messageIds: [1], promptId: 'p1', isRepeat: true },
      { messageIds: [2], promptId: expect.stringMatching(/^[\da-f-]{36}$/u) },
    ]);
  });

  it('that is another than a killed host spoke to is not handed what that one was, though it had dialled before', async () => {
    provider = Object.assign(new ScriptedProvider({ isContinued: true, program: '8' }), { takesDialIns: true as const });
    handedBefore('7').add('p1', [inboxItem(1, 'before')]);
    await open();
    await start({ dialIn });
    host.deliver('s1', [inboxItem(1, 'before'), inboxItem(2, 'after')]);
    await until(() => expect(provider.prompts).toMatchObject([{ messageIds: [2] }]));
    expect(relay.reports[0]).toMatchObject({ messageId: 1, state: 'failed' });
  });

  it('that ends before it has confirmed its mail: that is told before its end is', async () => {
    provider = Object.assign(new ScriptedProvider(), { takesDialIns: true as const, resumes: true as const });
    await open();
    const { vendorSessionId } = await start({ dialIn });
    const pid = Number(vendorSessionId?.replace('scripted-', ''));
    process.kill(pid, 'SIGSTOP');
    host.deliver('s1', [inboxItem(1, 'perhaps read')]);
    await until(() => expect(provider.prompts).toHaveLength(1));
    process.kill(pid, 'SIGKILL');
    await until(() => expect(relay.ended).toHaveLength(1));
    expect(relay.reports).toEqual([{ messageId: 1, state: 'failed', reason: expect.stringContaining('nobody knows whether') }]);
  });
});

describe('triggers in answers', () => {
  it('send, in order, with a key that makes a repeat harmless', async () => {
    await open();
    await start({ task: '!say ->relay:Lead <<<\\nfirst\\nlines\\n>>>\\n->relay:#deploy second' });
    await until(() => expect(relay.sent).toHaveLength(2));
    expect(relay.sent).toEqual([
      { to: 'Lead', body: 'first\nlines', idempotencyKey: 'trigger:s1:1' },
      { to: '#deploy', body: 'second', idempotencyKey: 'trigger:s1:2' },
    ]);
  });

  it('are twenty a turn, however many answers it has, and the agent is told of the rest once', async () => {
    await open();
    const lines = Array.from({ length: 300 }, (_, index) => `->relay:Lead ${index}`).join('\\n');
    await start({ task: `!say ${lines}` });
    await until(() => expect(relay.sent).toHaveLength(20));
    await until(() => expect(stored().filter(({ type }) => type === 'agent.error')).toMatchObject([{ code: 'trigger_limit' }]));
    host.deliver('s1', [inboxItem(1, '!say ->relay:Lead again')]);
    await until(() => expect(provider.prompts).toHaveLength(2));
    expect(provider.prompts[1]?.text).toContain(
      '[agent-relay] 280 of your messages and files, from line 21 of an answer on, were not sent: a turn sends 20 at most',
    );
    expect(relay.sent.slice(0, 20).map(({ body }) => body)).toEqual(Array.from({ length: 20 }, (_, index) => String(index)));
  });

  it('that fail are told to the agent in its next prompt and to people as an error', async () => {
    await open();
    await start({ task: '!say ->relay:Ghost boo\\n->relay:tag:nobody hello' });
    await until(() => expect(stored().filter(({ type }) => type === 'agent.error')).toHaveLength(2));
    host.deliver('s1', [inboxItem(1, 'next')]);
    await until(() => expect(provider.prompts).toHaveLength(2));
    expect(provider.prompts[1]?.text).toBe(
      [
        '[agent-relay] Your ->relay:Ghost on line 1 was not done: There is no agent Ghost',
        '[agent-relay] Your ->relay:tag:nobody on line 2 was not done: tag:nobody reached no agent',
        formatEnvelope(inboxItem(1, 'next')),
      ].join('\n\n'),
    );
  });

  it('read files of the outbox: a message, and a spawn with the seed’s headers', async () => {
    await mkdir(join(cwd, '.agent-relay/outbox'), { recursive: true });
    await writeFile(join(cwd, '.agent-relay/outbox/report'), 'TO: Lead\r\nX-Other: kept\r\n\r\nAll tests pass.\r\n');
    await writeFile(
      join(cwd, '.agent-relay/outbox/spawn'),
      'KIND: spawn\nNAME: Helper\nCLI: codex-ws  # over the app-server\n\nFix the build.\n',
    );
    await open();
    await start({ task: '!say ->relay-file:report\\n->relay-file:spawn' });
    await until(() => expect(relay.spawned).toHaveLength(1));
    expect(relay.sent).toEqual([{ to: 'Lead', body: 'All tests pass.', idempotencyKey: 'trigger:s1:1' }]);
    expect(relay.spawned).toEqual([{ name: 'Helper', provider: 'codex', task: 'Fix the build.' }]);
  });

  it.each([
    ['a way up', '../../secret', 'leads out of .agent-relay/outbox'],
    ['an absolute path', '/etc/hostname', 'is not a name inside .agent-relay/outbox'],
    ['a link that leads out', 'link', 'leads out of .agent-relay/outbox'],
    ['a folder', 'folder', 'is not a regular file'],
    ['a file beyond 64 KiB', 'large', 'is larger than 64 KiB'],
    ['a file that is not there', 'missing', 'There is no file "missing"'],
    ['a file without headers', 'plain', 'Line 1 is not a header'],
  ])('refuse %s', async (_title, name, reason) => {
    const outbox = join(cwd, '.agent-relay/outbox');
    await mkdir(join(outbox, 'folder'), { recursive: true });
    await writeFile(join(cwd, 'secret'), 'TO: Lead\n\nsecret');
    await symlink(join(cwd, 'secret'), join(outbox, 'link'));
    await writeFile(join(outbox, 'large'), `TO: Lead\n\n${'x'.repeat(64 * 1024)}`);
    await writeFile(join(outbox, 'plain'), 'just text');
    await open();
    await start({ task: `!say ->relay-file:${name}` });
    const failure = await until(() => {
      const found = stored().find((event) => event.type === 'agent.error');
      expect(found).toBeDefined();
      return found;
    });
    expect(failure).toMatchObject({ code: 'trigger_failed', message: expect.stringContaining(reason) });
    expect(relay.sent).toEqual([]);
  });

  it('of an agent whose program runs elsewhere read no file here, wherever it says that it works', async () => {
    await mkdir(join(cwd, '.agent-relay/outbox'), { recursive: true });
    await writeFile(join(cwd, '.agent-relay/outbox/report'), 'TO: Lead\n\nsecret');
    Object.assign(provider, { takesDialIns: true });
    await open();
    await start({ dialIn: { links: new AsyncQueue<DialledLink>({ limit: 1, overflow: 'reject' }) }, task: '!say ->relay-file:report' });
    const message = expect.stringContaining('from the machine that runs the agent');
    await until(() => expect(stored()).toContainEqual(expect.objectContaining({ code: 'trigger_failed', message })));
    expect(relay.sent).toEqual([]);
  });

  it('refuse an outbox that is itself a link out of the folder', async () => {
    const elsewhere = realpathSync(mkdtempSync(join(tmpdir(), 'host-else-')));
    await writeFile(join(elsewhere, 'note'), 'TO: Lead\n\nsecret');
    await mkdir(join(cwd, '.agent-relay'));
    await symlink(elsewhere, join(cwd, '.agent-relay/outbox'));
    await open();
    await start({ task: '!say ->relay-file:note' });
    await until(() =>
      expect(stored()).toContainEqual(expect.objectContaining({ message: expect.stringContaining('leads out of your working folder') })),
    );
    expect(relay.sent).toEqual([]);
    rmSync(elsewhere, { recursive: true });
  });
});

describe('the folder of a session', () => {
  it('is the one asked for, with links resolved', async () => {
    const link = join(stateDir, 'link');
    await symlink(cwd, link);
    await open();
    expect((await start({ cwd: link })).cwd).toBe(cwd);
  });

  it('is a fresh one when none is asked for', async () => {
    await open();
    const started = await start({ cwd: null });
    expect(started.cwd).toBe(realpathSync(join(stateDir, 'workspaces', 'Worker-s1')));
  });

  it('is the spawner’s when the spawner asks for none, and otherwise inside it', async () => {
    await mkdir(join(cwd, 'below'));
    await symlink(stateDir, join(cwd, 'out'));
    await open();
    expect((await start({ cwd: null, within: cwd })).cwd).toBe(cwd);
    expect((await start({ session: session('s2'), cwd: join(cwd, 'below'), within: cwd })).cwd).toBe(join(cwd, 'below'));
    await expect(start({ session: session('s3'), cwd: join(cwd, 'out'), within: cwd })).rejects.toMatchObject({ code: 'forbidden' });
    await expect(start({ session: session('s3'), cwd: stateDir, within: cwd })).rejects.toMatchObject({ code: 'forbidden' });
  });

  it.each([
    ['relative', 'some/where', 'validation_failed'],
    ['missing', '/no/such/folder', 'not_found'],
    ['a file', '/etc/hostname', 'validation_failed'],
  ])('is refused when it is %s', async (_title, folder, code) => {
    await open();
    await expect(start({ cwd: folder })).rejects.toMatchObject({ code, issues: [{ path: 'cwd' }] });
    expect(provider.started).toEqual([]);
  });

  it('outside what the machine allows is refused', async () => {
    await open({ allowedFolders: [join(cwd, 'allowed')] });
    await mkdir(join(cwd, 'allowed'));
    await expect(start()).rejects.toMatchObject({ code: 'forbidden' });
    expect((await start({ cwd: join(cwd, 'allowed') })).cwd).toBe(join(cwd, 'allowed'));
  });
});

describe('processes', () => {
  it('release ends the whole tree, with a grandchild that left its group', async () => {
    await open();
    await start({ task: '!orphan' });
    const grandchild = await until(orphanPid);
    expect(isRunning(grandchild)).toBe(true);
    await host.release('s1', 'done');
    expect(isRunning(grandchild)).toBe(false);
    expect(relay.ended).toEqual([{ sessionId: 's1', status: 'ended', reason: 'done' }]);
    expect(stored().at(-1)).toMatchObject({ type: 'session.ended', reason: 'closed' });
  });

  it('a server that several sessions share outlives the one that started it; what it runs for that one does not', async () => {
    provider = new ScriptedProvider({ hasSharedServer: true });
    await open();
    await start({ task: '!hang' });
    await start({ session: session('s2', { agentId: 'Other' }), task: '!hang' });
    const [server = 0, command = 0] = provider.sharedPids;
    expect([isRunning(server), isRunning(command)]).toEqual([true, true]);
    await host.release('s1', 'done');
    expect([isRunning(server), isRunning(command)]).toEqual([true, false]);
    expect(host.running.map(({ sessionId }) => sessionId)).toEqual(['s2']);
    await host.close('over');
    expect(isRunning(server)).toBe(false);
  });

  it('what a crashed host left running, its next start ends before anything else', async () => {
    await open();
    await start({ task: '!orphan ' });
    const grandchild = await until(orphanPid);
    const agent = vendorPid();
    // The file as it is at a crash: the first host goes on unaware.
    const later = await createHost({ providers: [], stateDir, allowedFolders: [], relay, log: silentLog, clock: Date, env: {} });
    expect([isRunning(agent), isRunning(grandchild)]).toEqual([false, false]);
    expect(later.buffers.map(({ owner }) => owner.sessionId)).toEqual(['s1']);
    await later.close('over');
  });

  it('what a crashed host had not written down, its next start ends by the mark: a vendor that was asked for its version and hears no signal', async () => {
    const stubborn = fileURLToPath(new URL('./stubborn-program.mjs', import.meta.url));
    const pids: number[] = [];
    const asking = {
      ...{ id: 'stubborn', start: () => Promise.reject(new Error('not asked for')), close: async () => undefined },
      detect: async (env: Readonly<Record<string, string>>) => {
        // As a provider asks; the program says who it and its child are, and stays.
        const child = await spawnProcess({ command: process.execPath, args: [stubborn], env });
        for await (const line of decodeNdjson(child.stdout)) {
          // The program is ours.
          if ('message' in line) pids.push(...(line.message as { pids: number[] }).pids);
          break;
        }
        return { available: false, reason: 'it says nothing' } as const;
      },
    };
    await open({ providers: [asking] });
    await host.detect();
    expect(pids.map(isRunning)).toEqual([true, true]);
    const later = await createHost({ providers: [], stateDir, allowedFolders: [], relay, log: silentLog, clock: Date, env: {} });
    expect(pids.map(isRunning)).toEqual([false, false]);
    await later.close('over');
  });

  it('an agent that crashes ends its turn and its session, and leaves no grandchild', async () => {
    await open();
    await start({ task: '!orphan \n!crash' });
    await until(() => expect(relay.ended).toHaveLength(1));
    expect(isRunning(orphanPid())).toBe(false);
    expect(stored().map(({ type }) => type)).toEqual([
      'session.started',
      'turn.started',
      'user.message',
      'text.completed',
      'turn.failed',
      'session.ended',
    ]);
    expect(host.running).toEqual([]);
  });

  it.runIf(process.platform === 'linux')('a full disk keeps no agent from starting or ending, and is told once', async () => {
    const told: string[] = [];
    await open({ log: { ...silentLog, error: (message) => void told.push(message) } });
    await start();
    await symlink('/dev/full', join(stateDir, 'processes.json.new'));
    await start({ session: session('s2', { agentId: 'Other' }), task: '!crash' });
    await until(() => expect(relay.ended).toMatchObject([{ sessionId: 's2', status: 'failed' }]));
    await host.release('s1', 'done');
    expect(relay.ended).toHaveLength(2);
    expect(told).toEqual(['what runs here cannot be written down: after a crash some of it may live on']);
  });

  it('the sender of what an agent was working on when it crashed reads so beside its receipt', async () => {
    await open();
    await start();
    host.deliver('s1', [inboxItem(7, 'hello')]);
    await until(() => expect(stored().filter(({ type }) => type === 'turn.completed')).toHaveLength(1));
    host.deliver('s1', [inboxItem(8, '!crash')]);
    await until(() => expect(relay.ended).toMatchObject([{ sessionId: 's1', status: 'failed' }]));
    expect(relay.reports.filter(({ reason }) => reason !== undefined)).toEqual([
      {
        messageId: 8,
        state: expect.any(String),
        evidence: expect.any(String),
        reason: expect.stringContaining('process ended while it worked on this'),
      },
    ]);
  });

  it('an agent gets its own mark and none of the relay’s variables', async () => {
    await open({ env: { ...process.env, AGENT_RELAY_TOKEN: 'secret', AGENT_RELAY_URL: 'http://x' } });
    await start();
    const env = provider.started[0]?.env ?? {};
    expect(env['AGENT_RELAY_SESSION_ID']).toBe('s1');
    expect(env['AGENT_RELAY_AGENT_ID']).toBe('Worker');
    expect(Object.values(env)).not.toContain('secret');
  });

  it('a start that fails says so in the provider’s words and leaves nothing', async () => {
    await open();
    await expect(start({ session: session('s1', { provider: 'nothing' }) })).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: 'This machine has no provider nothing',
    });
    expect(host.running).toEqual([]);
  });
});

describe('activity', () => {
  it('streams deltas live, stores the text once, and keeps what an interrupted turn had said', async () => {
    await open();
    await start({ task: '!stream abc\n!hang' });
    // How many deltas it takes is the machine's business: those that wait are joined.
    const streamed = () => relay.live.map((event) => ('text' in event ? event.text : '')).join('');
    await until(() => expect(streamed()).toBe('abc'));
    await host.interrupt('s1');
    await until(() => expect(stored().at(-1)?.type).toBe('turn.completed'));
    expect(stored().filter(({ type }) => type.startsWith('text'))).toEqual([
      { type: 'text.completed', turnId: 'turn-1', itemId: 'item-1-1', text: 'abc' },
    ]);
  });

  it('says when a turn makes no progress, and when it does again', async () => {
    await open({ progress: { quietMs: 50, errorAfterMs: 50 } });
    await start({ task: '!hang' });
    await until(() => expect(stored()).toContainEqual(expect.objectContaining({ type: 'session.status', status: 'waiting' })));
    await until(() => expect(stored()).toContainEqual(expect.objectContaining({ type: 'agent.error', code: 'no_progress' })));
    host.deliver('s1', [inboxItem(1, 'still there?', 'now')]);
    await until(() => expect(stored()).toContainEqual({ type: 'session.status', status: 'busy' }));
  });
});

it('the task that an agent gave is held to the approval mode like its mail, that of a person is not', async () => {
  await open();
  await start({ task: '!hang' });
  await start({ session: session('s2', { agentId: 'Other', spawnedBy: 'Worker' }), task: '!hang' });
  expect(provider.prompts.map(({ agentId, isMail, messageIds }) => [agentId, isMail, messageIds])).toEqual([
    ['Worker', false, []],
    ['Other', true, []],
  ]);
});

it('a turn that waits for a person is not called stuck, and nobody answering in time is a no', async () => {
  await open({ approvalTimeoutMs: 1_500, progress: { quietMs: 500, quietToolMs: 500 } });
  await start({ approval: 'guarded', task: '!ask rm -rf dist' });
  await until(() => expect(stored()).toContainEqual(expect.objectContaining({ type: 'turn.completed' })));
  expect(stored()).toContainEqual(expect.objectContaining({ type: 'approval.resolved', outcome: 'denied', by: 'timeout' }));
  expect(stored()).toContainEqual(expect.objectContaining({ type: 'text.completed', text: 'denied' }));
  expect(stored().filter((event) => event.type === 'session.status' && event.status === 'waiting')).toEqual([]);
  expect(await host.resolveApproval({ sessionId: 's1', approvalId: 'any' }, { outcome: 'allow', by: 'owner' })).toBe(false);
  expect(await host.resolveApproval({ sessionId: 'not here', approvalId: 'any' }, { outcome: 'allow', by: 'owner' })).toBe(false);
});
