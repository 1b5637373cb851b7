import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { databasePathOf, ownerTokenPath } from 'agent-relay-server';
import { agentCliPaths, freePort, type Model, say, startFakeAnthropic, tempHome, wordScript } from 'agent-relay-testing';
import { type ChildHandle, spawnProcess } from 'agent-relay-wire/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pluginFolder } from '../claude-plugin/plugin-folder.ts';
import { agentRelayProgram, linkAgentClis, type RunningProgram, startAgentRelay } from '../support/programs.ts';
import { hasTerminals, openTerminal, withoutMotion } from '../support/terminal.ts';
import { timesShown } from '../support/times-shown.ts';
import { until, untilGranted } from '../support/until.ts';

const dialProgram = fileURLToPath(new URL('../../packages/claude/dist/cli.js', import.meta.url));
const { claude, claudeDialling } = agentCliPaths();

const words = wordScript();

/** Does what mail says, wherever a CLI puts it: at a terminal it stands among the CLI's own words. */
const obeyMail: Model = (request) => {
  if (request.tools.length === 0) return say('A title');
  const conversation = request.conversation.map((entry) => {
    const isMail = entry.kind === 'context' && /\[msg:\d+\] from/u.test(entry.text);
    return isMail ? { kind: 'userText' as const, text: entry.text } : entry;
  });
  return words({ ...request, conversation });
};

const home = await tempHome();
const model = await startFakeAnthropic({ model: obeyMail });
const port = await freePort();
const ends: (() => PromiseLike<unknown>)[] = [];
let path: string;
let relay: RunningProgram;
let client: RelayClient;

/** An agent that came in by one of the ways. */
interface Stage {
  readonly agent: string;
  readonly cwd: string;
}

interface Way {
  readonly name: string;
  /** Undefined where its CLI, or a terminal, is not there. */
  readonly command: string | undefined;
  enter(stage: Stage, command: string): Promise<unknown>;
  /** Its owner sits before it: nobody else interrupts or ends it. */
  readonly isAtTerminal?: true;
}

async function dial(way: 'sdk-url' | 'dial', { agent, cwd }: Stage, command: string): Promise<ChildHandle> {
  await client.agents.register({ id: agent, name: agent, approval: 'guarded' });
  const { token } = await client.tokens.create({ name: agent, kind: 'agent', agentId: agent });
  const url = `ws://127.0.0.1:${port}/claude/${agent}`;
  const byItself = ['--sdk-url', url, '--print', '--include-partial-messages', '--replay-user-messages', '-p', ''];
  const byCommand = [dialProgram, 'dial', '--command', command, '--cwd', cwd, url];
  const child = await spawnProcess({
    ...(way === 'dial' ? { command: process.execPath, args: byCommand } : { command, args: byItself }),
    cwd,
    env: { ...home.env(), ...model.env(), CLAUDE_CODE_SESSION_ACCESS_TOKEN: token },
    stdout: 'ignore',
  });
  ends.push(() => child.kill());
  return child;
}

async function sitBefore({ agent, cwd }: Stage, command: string): Promise<void> {
  const who = { AGENT_RELAY_URL: relay.url, AGENT_RELAY_TOKEN: await ownerToken(), AGENT_RELAY_ID: agent, AGENT_RELAY_APPROVAL: 'guarded' };
  const terminal = await openTerminal([command, ...withoutMotion, '--plugin-dir', pluginFolder], {
    cwd,
    env: { ...home.env(), ...model.env(), ...who, PATH: path },
  });
  ends.push(() => terminal[Symbol.asyncDispose]());
}

const ways: readonly Way[] = [
  { name: '2.1.120, by --sdk-url', command: claudeDialling, enter: (stage, command) => dial('sdk-url', stage, command) },
  { name: 'the newest, by dial', command: claude, enter: (stage, command) => dial('dial', stage, command) },
  {
    name: 'the newest, on stdio',
    command: claude,
    enter: ({ agent, cwd }) => client.sessions.start({ name: agent, provider: 'claude', cwd, approval: 'guarded' }),
  },
  { name: 'the newest, at a terminal', command: hasTerminals ? claude : undefined, enter: sitBefore, isAtTerminal: true },
];

const entered: { readonly way: Way; readonly stage: Stage }[] = [];

const ownerToken = async () => (await readFile(ownerTokenPath(databasePathOf(relay.env)), 'utf8')).trim();

beforeAll(async () => {
  const bin = await linkAgentClis(home);
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, 'agent-relay'), `#!/bin/sh\nexec "${process.execPath}" "${agentRelayProgram}" "$@"\n`);
  await chmod(join(bin, 'agent-relay'), 0o755);
  path = [bin, process.env['PATH'] ?? ''].join(delimiter);
  relay = await startAgentRelay({ home, env: { ...model.env(), PATH: path }, port });
  client = createNodeRelayClient({ url: relay.url, token: await ownerToken() });
  await client.agents.register({ id: 'Helper', name: 'Helper' });
  await until('a machine', async () => (await client.nodes.list()).data.some(({ status }) => status === 'online'));
  // One by one: CLIs that start together in one home write its settings over one another, and the terminal's asks who sits before it.
  for (const [at, way] of ways.entries()) {
    if (way.command === undefined) continue;
    const stage = { agent: `Way-${at + 1}`, cwd: await home.makeFolder(`way-${at + 1}`) };
    await way.enter(stage, way.command);
    await atRest(stage);
    entered.push({ way, stage });
  }
});

afterAll(async () => {
  for (const end of ends) await end();
  await client.close();
  await relay.end();
  await model.close();
  await home.remove();
});

const atRest = ({ agent }: Stage) =>
  until(`${agent} to be at rest`, async () => (await client.agents.get({ id: agent }).catch(() => null))?.status === 'idle' || undefined);
const tell = async ({ agent }: Stage, body: string, mode: 'next' | 'urgent' = 'next') =>
  (await client.messages.send({ from: 'Helper', to: `id:${agent}`, body, mode })).id;
const isSeen = (id: number) =>
  until(`message ${id} to be seen`, async () => {
    const { data } = await client.messages.deliveries({ id }).catch(() => ({ data: [] }));
    return data[0]?.state === 'seen' || undefined;
  });
const sentBy = async ({ agent }: Stage) => (await client.messages.list({ from: agent })).data.map(({ body }) => body);
const isSent = (stage: Stage, body: string) =>
  until(`"${body}"`, async () => (await sentBy(stage).catch((): string[] => [])).includes(body));
const sending = (body: string) => `call relay_send ${JSON.stringify({ to: 'Helper', body })}`;
const question = ({ agent }: Stage) =>
  until(`a question of ${agent}`, async () => (await client.approvals.list({ agent, status: 'pending' }).catch(() => null))?.data[0]);
type Decision = Omit<Parameters<RelayClient['approvals']['resolve']>[0], 'id' | 'approvalId'>;
const answer = ({ agent }: Stage, approvalId: string, decision: Decision) =>
  untilGranted(`the answer for ${agent}`, () => client.approvals.resolve({ id: agent, approvalId, ...decision }));
const wasModelTold = (text: string) => model.requests.some(({ body }) => JSON.stringify(body ?? null).includes(text));

/** What every way in holds, in one session each, one after the other. */
const scenarios: Readonly<Record<string, (stage: Stage) => Promise<unknown>>> = {
  'reads a message, and speaks with a tool of the relay’s': async (stage) => {
    const id = await tell(stage, `${sending(`hello from ${stage.agent}`)} && then say: sent`);
    await isSent(stage, `hello from ${stage.agent}`);
    await isSeen(id);
  },
  'reads what comes in mid-answer once, and after it': async (stage) => {
    const slow = await tell(stage, `slow 20 100 && then ${sending('first')} && then say: sent`);
    await isSeen(slow);
    const late = await tell(stage, `${sending('second')} && then say: sent`);
    await isSent(stage, 'second');
    await isSeen(late);
    expect((await sentBy(stage)).filter((body) => body === 'first' || body === 'second').sort()).toEqual(['first', 'second']);
    expect(timesShown(model.requests, [slow, late])).toEqual([1, 1]);
  },
  'asks before it writes, and does when a person allows it elsewhere': async (stage) => {
    const file = join(stage.cwd, 'allowed.txt');
    await tell(stage, `edit file: ${file} | x && then ${sending('written')} && then say: sent`);
    const { approvalId, kind, title } = await question(stage);
    expect([kind, title.includes('allowed.txt'), existsSync(file)]).toEqual(['edit', true, false]);
    await answer(stage, approvalId, { outcome: 'allow' });
    await isSent(stage, 'written');
    expect(await readFile(file, 'utf8')).toBe('x\n');
  },
  'does not write what a person denies, and its model reads why': async (stage) => {
    const file = join(stage.cwd, 'denied.txt');
    await tell(stage, `edit file: ${file} | x && then ${sending('not written')} && then say: sent`);
    const { approvalId } = await question(stage);
    await answer(stage, approvalId, { outcome: 'deny', message: `Not today, ${stage.agent}.` });
    await isSent(stage, 'not written');
    expect([existsSync(file), wasModelTold(`Not today, ${stage.agent}.`)]).toEqual([false, true]);
  },
  'has a question of its own answered in a person’s words': async (stage) => {
    const options = ['Red', 'Blue'].map((label) => ({ label, description: `${label} it is` }));
    const questions = [{ question: 'Which colour?', header: 'Colour', multiSelect: false, options }];
    await tell(stage, `call AskUserQuestion ${JSON.stringify({ questions })} && then ${sending('painted')} && then say: sent`);
    const { approvalId, form } = await question(stage);
    expect(form).toMatchObject([{ id: 'q1', text: 'Which colour?', choices: [{ value: 'Red' }, { value: 'Blue' }] }]);
    await answer(stage, approvalId, { answers: { q1: [`Turquoise for ${stage.agent}`] } });
    await isSent(stage, 'painted');
    expect(wasModelTold(`Turquoise for ${stage.agent}`)).toBe(true);
  },
};

describe.each(Object.entries(scenarios))('Claude Code %s', (_, play) => {
  test.concurrent.each(ways.filter(({ command }) => command !== undefined))('$name', async (way) => {
    const stage = entered.find((each) => each.way === way)?.stage;
    if (!stage) throw new Error('everyone entered before');
    await play(stage);
    await atRest(stage);
  });
});

describe('Claude Code', () => {
  test.concurrent.each(ways.filter(({ command, isAtTerminal }) => command !== undefined && !isAtTerminal))(
    '$name: is interrupted by an urgent message and by a person, and ends with its release',
    async (way) => {
      const stage = entered.find((each) => each.way === way)?.stage;
      if (!stage) throw new Error('everyone entered before');
      const slow = await tell(stage, `slow 600 100 && then ${sending('the end of it')}`);
      await until('the model to be asked', () => timesShown(model.requests, [slow])[0] === 1);
      await tell(stage, `${sending('at once')} && then say: sent`, 'urgent');
      await isSent(stage, 'at once');
      await atRest(stage);
      expect(await client.agents.interrupt({ id: stage.agent })).toEqual({ interrupted: false });
      const next = await tell(stage, `slow 600 100 && then ${sending('the end of it')}`);
      await until('the model to be asked once more', () => timesShown(model.requests, [next])[0] === 1);
      expect(await client.agents.interrupt({ id: stage.agent })).toEqual({ interrupted: true });
      await atRest(stage);
      expect(await sentBy(stage)).not.toContain('the end of it');
      await client.agents.release({ id: stage.agent });
      expect(await client.agents.get({ id: stage.agent })).toMatchObject({ status: 'offline', sessionId: null });
    },
  );
});
