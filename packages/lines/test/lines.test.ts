import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgentEvent } from 'agent-relay-protocol';
import type { AgentSession, OwnedProcess, StartOptions } from 'agent-relay-provider';
import { brokenEventRules, EventLog } from 'agent-relay-provider/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LineAgent, lineAgents } from '../src/provider/line-agent.ts';
import { LinesProvider } from '../src/provider/lines-provider.ts';

const program = fileURLToPath(new URL('fake-cli.mjs', import.meta.url));
const frames: LineAgent = {
  ...{ id: 'fake', name: 'Fake', command: 'fake-cli', install: 'by hand', environment: [], evidence: 'run' },
  args: ['frames', '-p', '{prompt}'],
  resumeArgs: ['--resume', '{session}'],
  modelArgs: ['-m', '{model}'],
  output: 'claude-json',
};
const plain: LineAgent = { ...frames, args: ['text'], output: 'text' };

let folder: string;
let owned: OwnedProcess[];
let open: { readonly provider: LinesProvider; readonly session: AgentSession; readonly log: EventLog }[];
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'lines-')));
  owned = [];
  open = [];
});
afterEach(async () => {
  for (const { provider, log } of open) {
    await provider.close();
    await log.finished;
    expect(brokenEventRules(log.events)).toEqual([]);
  }
  for (const { pid } of owned) await expect.poll(() => isRunning(pid)).toBe(false);
  rmSync(folder, { recursive: true });
});

const isRunning = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && !/^State:\s+[ZX]/mu.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

const transcript = () =>
  readFileSync(join(folder, 'transcript'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { args: string[]; prompt: string; tty: boolean }); // the program's own words

const options = (more: Partial<StartOptions> = {}): StartOptions => ({
  ...{ agentId: 'a', sessionId: 's', cwd: folder, mode: 'unrestricted', approval: 'open', instructions: 'Stand by.', mcp: [] },
  env: { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, FAKE_CLI_TRANSCRIPT: join(folder, 'transcript') },
  onProcess: (process) => void owned.push(process),
  ...more,
});

async function start(agent: LineAgent, more: Partial<StartOptions> = {}) {
  const provider = new LinesProvider(agent, { command: program });
  const session = await provider.start(options(more));
  const log = new EventLog(session);
  open.push({ provider, session, log });
  let ends = 0;
  const turn = async (text: string, messageIds: number[] = []): Promise<AgentEvent> => {
    await session.prompt({ text, messageIds }, { mode: 'next' });
    ends += 1;
    await expect.poll(() => turnEnds(log).length).toBe(ends);
    return turnEnds(log)[ends - 1] as AgentEvent; // polled for
  };
  return { session, log, turn };
}
const turnEnds = (log: EventLog) => log.events.filter(({ type }) => type === 'turn.completed' || type === 'turn.failed');
const said = (log: EventLog) => log.ofType('text.completed').map(({ text }) => text);

test('a turn is one run of the program, and the next one goes on with its conversation', async () => {
  const { session, log, turn } = await start(frames, { model: 'big' });
  expect(await turn('say: hello', [7])).toMatchObject({ type: 'turn.completed', outcome: 'finished' });
  expect(await turn('say: again')).toMatchObject({ type: 'turn.completed' });
  expect(said(log)).toEqual(['hello', 'again']);
  const [first, second] = transcript();
  expect(first).toMatchObject({ args: ['frames', '-p', 'Stand by.\n\nsay: hello', '-m', 'big'] });
  expect(second).toMatchObject({ args: ['frames', '-p', 'say: again', '-m', 'big', '--resume', session.vendorSessionId] });
  expect(log.ofType('input.accepted')).toEqual([{ type: 'input.accepted', messageId: 7, state: 'seen', evidence: 'turn' }]);
  expect(log.ofType('user.message')[0]).toMatchObject({ messageIds: [7] });
  expect(session.model).toBe('big');
  expect(owned).toHaveLength(2);
});

test('what a program could take for an option is neither its conversation nor its model', async () => {
  const provider = new LinesProvider(frames, { command: program });
  for (const named of [{ resume: '--settings={}' }, { resume: '-x' }, { resume: 'a b' }, { model: '--settings={}' }])
    await expect(provider.start(options(named))).rejects.toMatchObject({ code: 'validation_failed' });
  await provider.close();
});

test('tools that the frames tell of are told, and lines that are no frames cost nothing but themselves', async () => {
  const { log, turn } = await start(frames);
  await turn('run: echo out');
  expect(log.ofType('tool.completed')).toMatchObject([{ outcome: 'succeeded', output: expect.stringContaining('out') }]);
  expect(await turn('noise: still here')).toMatchObject({ type: 'turn.completed' });
  expect(log.ofType('output.line').map(({ text }) => text)).toEqual(expect.arrayContaining(['not json {', '[1,2']));
  expect(said(log).at(-1)).toBe('still here');
});

test('what a plain program prints is its answer, whatever it reads like', async () => {
  const { log, turn } = await start(plain);
  expect(await turn('say: let me think: error 429, quota exceeded', [9])).toMatchObject({ type: 'turn.completed', outcome: 'finished' });
  expect(said(log)).toEqual(['let me think: error 429, quota exceeded']);
  expect(
    log
      .ofType('text.delta')
      .map(({ text }) => text)
      .join(''),
  ).toBe(said(log)[0]);
  expect(log.events.filter(({ type }) => ['quota.warning', 'agent.error', 'reasoning.delta'].includes(type))).toEqual([]);
  expect(log.ofType('input.accepted')).toMatchObject([{ messageId: 9, state: 'seen', evidence: 'turn' }]);
  expect(transcript()[0]).toMatchObject({ args: ['text'], prompt: expect.stringContaining('say: let me think') });
});

test('a line means something where somebody said which', async () => {
  const { log, turn } = await start({ ...plain, patterns: { quota: /quota exceeded/u } });
  await turn('say: quota exceeded until noon');
  expect(log.ofType('quota.warning')).toMatchObject([{ message: 'quota exceeded until noon' }]);
});

test.each([
  ['frames', frames],
  ['text', plain],
] as const)('of %s a run that fails fails its turn with its last words, and the next one runs', async (_way, agent) => {
  const { log, turn } = await start(agent);
  expect(await turn('fail: no credit left', [3])).toMatchObject({
    type: 'turn.failed',
    error: { code: 'agent_error', message: expect.stringContaining('no credit left') },
  });
  expect(log.ofType('input.accepted')).toEqual([]);
  expect(await turn('say: on we go')).toMatchObject({ type: 'turn.completed' });
});

test('a program that has said how its turn ended, and what it left running, keep nobody waiting', async () => {
  const { turn } = await start(frames);
  expect(await turn('linger: a while')).toMatchObject({ type: 'turn.completed' });
  expect(await turn('leave: something')).toMatchObject({ type: 'turn.completed' });
  expect(await turn('say: next')).toMatchObject({ type: 'turn.completed' });
});

test('frames that break off without a result are no turn that ended well', async () => {
  const { turn } = await start(frames);
  expect(await turn('cut: short')).toMatchObject({ type: 'turn.failed', error: { message: expect.stringContaining('without a result') } });
});

test.each([
  ['frames', frames],
  ['text', plain],
  ['a terminal', { ...plain, terminal: true }],
] as const)('of %s a running turn is interrupted, what waits follows, and what a run left behind is ended', async (_way, agent) => {
  const { session, log, turn } = await start(agent);
  await session.prompt({ text: 'slow: 1', messageIds: [] }, { mode: 'next' });
  const waiting = session.prompt({ text: 'say: after that', messageIds: [] }, { mode: 'next' });
  await expect.poll(() => log.events.some(({ type }) => type === 'text.delta' || type === 'text.completed')).toBe(true);
  expect(await session.interrupt()).toBe(true);
  await waiting;
  await expect.poll(() => said(log).at(-1)).toContain('after that');
  await expect.poll(() => turnEnds(log).length).toBe(2);
  expect(turnEnds(log)).toMatchObject([{ outcome: 'interrupted' }, { outcome: 'finished' }]);
  expect(await session.interrupt()).toBe(false);
  await session.close();
  await expect(session.prompt({ text: 'say: late', messageIds: [] }, { mode: 'next' })).rejects.toMatchObject({
    code: 'connection_closed',
  });
  expect(turn).toBeDefined();
});

test('a program that wants a terminal has one, and only where its row says so', async () => {
  const { log, turn } = await start({ ...plain, terminal: true });
  expect(await turn('say: in colours')).toMatchObject({ type: 'turn.completed' });
  expect(said(log)[0]).toContain('in colours');
  const piped = await start(plain);
  await piped.turn('say: without');
  expect(transcript().map(({ tty }) => tty)).toEqual([true, false]);
});

test('what a terminal takes arrives whole, and what it would cut or take for a key is refused', async () => {
  const { session, log, turn } = await start({ ...plain, terminal: true });
  const longest = `say: ${'x'.repeat(4090)}`;
  expect(await turn(`several lines\nof it\n${longest}`)).toMatchObject({ type: 'turn.completed' });
  expect(transcript()[0]?.prompt.trim()).toBe(`Stand by.\n\nseveral lines\nof it\n${longest}`);
  for (const [text, reason] of [
    [`${longest}x`, 'longer than 4095 bytes'],
    ['say: \u0003', 'control characters'],
  ] as const)
    await expect(session.prompt({ text, messageIds: [] }, { mode: 'next' })).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: expect.stringContaining(reason),
    });
  expect(turnEnds(log)).toHaveLength(1);
});

test('nothing holds such a program to less than it may do, and it is not started as if something did', async () => {
  const provider = new LinesProvider(plain, { command: program });
  for (const more of [{ mode: 'agentic' }, { mode: 'safe' }, { approval: 'guarded' }] as const)
    await expect(provider.start(options(more))).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: expect.stringContaining('unrestricted mode with open approval only'),
    });
  await expect(new LinesProvider({ ...plain, modelArgs: [] }, { command: join(folder, 'nothing') }).start(options())).rejects.toMatchObject(
    { message: expect.stringContaining('not installed') },
  );
  expect(await provider.detect(options().env)).toEqual({ available: true, version: '3.1.4', command: program });
  await provider.close();
});

test('every row of the catalogue can be said on a command line', () => {
  for (const { args, resumeArgs = [], modelArgs = [] } of Object.values(lineAgents)) {
    for (const word of [...args, ...resumeArgs, ...modelArgs]) expect(word).toMatch(/^(?:\{(?:prompt|session|model)\}|[^{}]+)$/u);
  }
});

test('what stays of a session in a sandbox is a part of its vendor’s folder alone: the rest holds what the user’s own runs later', () => {
  for (const { id, homeFiles: { scratch = [], write = [] } = {} } of Object.values(lineAgents))
    for (const path of write)
      expect(
        scratch.some((folder) => path.startsWith(`${folder}/`)),
        `${id} ${path}`,
      ).toBe(true);
});
