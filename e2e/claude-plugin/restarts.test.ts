import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { databasePathOf, ownerTokenPath } from 'agent-relay-server';
import { agentCliPaths, freePort, say, startFakeAnthropic, tempHome } from 'agent-relay-testing';
import { afterEach, expect, test } from 'vitest';
import { cableTo } from '../support/cable.ts';
import { breakThings, randomOf } from '../support/chance.ts';
import { startAgentRelay } from '../support/programs.ts';
import { ShownMessages } from '../support/shown-messages.ts';
import { hasTerminals, openTerminal, withoutMotion } from '../support/terminal.ts';
import { until, untilGranted } from '../support/until.ts';
import { pluginFolder } from './plugin-folder.ts';
import { sidecarPid } from './sidecar-pid.ts';

/**
 * `AGENT_RELAY_TEST_MESSAGES=500` sends as many, and prints what happened; the seed is in the test's name. With `AGENT_RELAY_TEST_ANSWER_MS=400` answers take as
 * long, and Claude Code is killed whenever it comes.
 */
const count = Number(process.env['AGENT_RELAY_TEST_MESSAGES'] ?? 80);
const seed = Number(process.env['AGENT_RELAY_TEST_SEED'] ?? Date.now() % 1_000_000);
const slowAnswerMs = Number(process.env['AGENT_RELAY_TEST_ANSWER_MS'] ?? 0);
const { claude, claudeBetween } = agentCliPaths();
/** The newest that is installed. */
const newest = claudeBetween.find(([version]) => version === '2.1.332')?.[1] ?? claude;

const cleanUps: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function world() {
  const home = await tempHome();
  cleanUps.push(() => home.remove());
  const shown = new ShownMessages();
  const anthropic = await startFakeAnthropic({
    model: async (request) => {
      shown.note(request);
      // Whoever waits for this request hears of it before the answer begins.
      await pause(slowAnswerMs || 5);
      return say('Read.');
    },
  });
  cleanUps.push(() => anthropic.close());
  const port = await freePort();
  let relay = await startAgentRelay({ home, port, args: ['--no-local-node'] });
  cleanUps.push(() => relay.end());
  const token = (await readFile(ownerTokenPath(databasePathOf(relay.env)), 'utf8')).trim();
  const owner = createNodeRelayClient({ url: relay.url, token });
  cleanUps.push(() => owner.close());
  const restartRelay = async () => {
    await relay.end('SIGKILL');
    relay = await startAgentRelay({ home, port, args: ['--no-local-node'] });
  };
  const cable = await cableTo(port);
  cleanUps.push(() => cable[Symbol.asyncDispose]());
  const env = {
    ...home.env(),
    ...anthropic.env(),
    PATH: process.env['PATH'],
    AGENT_RELAY_URL: `http://127.0.0.1:${cable.port}`,
    AGENT_RELAY_TOKEN: token,
  };
  /** What is said of a message. */
  const fateOf = async (id: number) => {
    const [receipt] = (await owner.messages.deliveries({ id }).catch(() => ({ data: [] }))).data;
    return { state: receipt?.state, reason: receipt?.reason ?? null };
  };
  return { cwd: home.workFolder, shown, owner, cable, restartRelay, env, fateOf };
}

/** The agent of the session in that folder, once it rests. */
const agentIn = (owner: RelayClient, cwd: string) =>
  until('the agent', async () => (await owner.agents.list()).data.find(({ meta, status }) => meta['cwd'] === cwd && status === 'idle'));

test.skipIf(!hasTerminals)(
  'what a session was taking in when it was killed, before its model was asked, has failed with the reason; nothing says that it was read',
  { timeout: 180_000 },
  async () => {
    const { cwd, shown, owner, env, fateOf } = await world();
    // A hook of the user's own, which takes its time where this file is.
    const hold = 'if mv hold held 2>/dev/null; then while [ -e held ]; do sleep 0.1; done; fi';
    await mkdir(join(cwd, '.claude'));
    await writeFile(
      join(cwd, '.claude', 'settings.json'),
      JSON.stringify({ hooks: { UserPromptSubmit: [{ hooks: [{ type: 'command', command: hold }] }] } }),
    );
    const conversation = randomUUID();
    const begin = (how: '--session-id' | '--resume') =>
      openTerminal([newest, ...withoutMotion, '--plugin-dir', pluginFolder, how, conversation], { cwd, env });
    await using before = await begin('--session-id');
    const { id } = await agentIn(owner, cwd);
    const order = async (body: string, mode: 'next' | 'fyi' = 'next') => (await owner.messages.send({ to: `id:${id}`, body, mode })).id;
    const isRead = async (messageId: number) => (await fateOf(messageId)).state === 'seen';
    const first = await order('first');
    await until('the first to be read', () => isRead(first));
    await until('rest', async () => (await owner.agents.get({ id })).status === 'idle');
    await writeFile(join(cwd, 'hold'), '');
    const context = await order('by the way', 'fyi');
    await until('the context to be with the session', async () => (await fateOf(context)).state === 'dispatched');
    const taken = await order('taken');
    await until('the hook', () => existsSync(join(cwd, 'held')));
    await until('the plugin to hear of it', async () => (await owner.agents.get({ id })).status === 'busy');
    process.kill(await before.pid(), 'SIGKILL');
    await before[Symbol.asyncDispose]();
    await rm(join(cwd, 'held'));
    await using _after = await begin('--resume');
    await until('the receipts', async () => [await fateOf(context), await fateOf(taken)].every(({ state }) => state !== 'dispatched'));
    const unknown = { state: 'failed', reason: expect.stringContaining('nobody knows whether its model has read it') };
    expect([await fateOf(context), await fateOf(taken)]).toEqual([unknown, unknown]);
    const last = await order('last');
    await until('the last to be read', () => isRead(last));
    expect([first, context, taken, last].map((messageId) => shown.times(messageId))).toEqual([1, 0, 0, 1]);
  },
);

test.skipIf(!hasTerminals)(
  `what a live session is sent reaches its model once, or its receipt says that nobody knows, while its link, its relay and Claude Code itself are killed (seed ${seed})`,
  { timeout: 150_000 + count * 1_500 },
  async () => {
    const { cwd, shown, owner, cable, restartRelay, env, fateOf } = await world();
    const conversation = randomUUID();
    const begin = (how: '--session-id' | '--resume') =>
      openTerminal([newest, ...withoutMotion, '--plugin-dir', pluginFolder, how, conversation], { cwd, env });
    let terminal = await begin('--session-id');
    cleanUps.push(() => terminal[Symbol.asyncDispose]());
    const { id } = await agentIn(owner, cwd);
    const order = (number: number) =>
      untilGranted(`message ${number} to be taken`, () =>
        owner.messages.send({ to: `id:${id}`, body: `note ${number}`, idempotencyKey: `n${number}` }),
      );
    const first = await order(0);
    await until('the first to be read', async () => (await fateOf(first.id)).state === 'seen');
    const ids = [first.id];
    let sentBeforeLastKill = 0;
    let bothKilled = 0;
    const happened = new Set<string>();
    const told = (name: string, happen: () => Promise<unknown> | unknown) => async () => {
      await happen();
      happened.add(name);
    };
    const random = randomOf(seed);
    const over = new AbortController();
    const chaos = breakThings(
      {
        cut: { share: 0.5, happen: told('cut', cable.cut) },
        relay: { share: 0.25, happen: told('relay', restartRelay) },
        cli: {
          share: 0.25,
          // Every other time in the middle of an answer: else hardly ever, for the model answers at once. And every other time the plugin's process as well.
          happen: told('cli', async () => {
            const pid = await terminal.pid();
            const sidecar = random() < 0.5 ? await sidecarPid(pid) : undefined;
            if (slowAnswerMs === 0 && random() < 0.5) await shown.next(over.signal);
            if (over.signal.aborted) return;
            for (const each of [sidecar, pid]) if (each !== undefined) process.kill(each, 'SIGKILL');
            if (sidecar !== undefined) bothKilled += 1;
            // One more may be on its way.
            sentBeforeLastKill = ids.length + 1;
            await terminal[Symbol.asyncDispose]();
            terminal = await begin('--resume');
          }),
        },
      },
      random,
      over.signal,
    );
    // Until each of them has happened.
    while (ids.length < count || happened.size < 3) {
      ids.push((await order(ids.length)).id);
      await pause(random() * 200);
    }
    over.abort();
    const counts = await chaos;
    const fates = async () => Promise.all(ids.map(async (messageId) => ({ messageId, ...(await fateOf(messageId)) })));
    const unread = async () =>
      (await fates()).flatMap(({ messageId, state, reason }) => (state === 'seen' || reason !== null ? [] : [`${messageId} ${state}`]));
    await until('every receipt', async () => (await unread()).length === 0, 60_000 + ids.length * 500).catch(async (error: unknown) => {
      throw new Error(`${String(error)}; unread: ${(await unread()).join(', ')}; it shows:\n${await terminal.screen()}`, { cause: error });
    });
    await until('rest', async () => (await owner.agents.get({ id })).status === 'idle');
    const counted = (await fates()).map((fate) => ({ ...fate, times: shown.times(fate.messageId) }));
    const isUnknown = ({ state, reason }: (typeof counted)[number]) => state === 'failed' && /nobody knows/u.test(reason ?? '');
    const unknown = counted.filter(isUnknown);
    if (process.env['AGENT_RELAY_TEST_MESSAGES'])
      console.log(
        `plugin: ${ids.length} messages, ${JSON.stringify({ ...counts, bothKilled })}, of ${unknown.length} nobody knows, ${unknown.filter(({ times }) => times === 0).length} of them unread`,
      );
    const isRight = (each: (typeof counted)[number]) => (each.state === 'seen' ? each.times === 1 : each.times <= 1 && isUnknown(each));
    expect(counted.filter((each) => !isRight(each))).toEqual([]);
    // Nothing but a kill leaves that open.
    expect(counted.slice(sentBeforeLastKill).filter(isUnknown)).toEqual([]);
  },
);
