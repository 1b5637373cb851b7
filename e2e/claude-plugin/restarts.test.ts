import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { databasePathOf, ownerTokenPath } from 'agent-relay-server';
import { agentCliPaths, say, startFakeAnthropic, tempHome } from 'agent-relay-testing';
import { afterEach, expect, test } from 'vitest';
import { cableTo } from '../support/cable.ts';
import { breakThings, randomOf } from '../support/chance.ts';
import { freePort, startAgentRelay } from '../support/programs.ts';
import { ShownMessages } from '../support/shown-messages.ts';
import { hasTerminals, openTerminal } from '../support/terminal.ts';
import { until, untilGranted } from '../support/until.ts';
import { pluginFolder } from './plugin-folder.ts';

/** `AGENT_RELAY_TEST_MESSAGES=500` sends as many, and prints what happened; the seed is in the test's name. */
const count = Number(process.env['AGENT_RELAY_TEST_MESSAGES'] ?? 80);
const seed = Number(process.env['AGENT_RELAY_TEST_SEED'] ?? Date.now() % 1_000_000);
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
      await pause(5);
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
  return { cwd: home.workFolder, shown, owner, cable, restartRelay, env };
}

test.skipIf(!hasTerminals)(
  `what a live session is sent reaches its model once, and each receipt says so, while its link, its relay and Claude Code itself are killed (seed ${seed})`,
  { timeout: 150_000 + count * 1_500 },
  async () => {
    const { cwd, shown, owner, cable, restartRelay, env } = await world();
    const conversation = randomUUID();
    const begin = (how: '--session-id' | '--resume') =>
      openTerminal([newest, '--plugin-dir', pluginFolder, how, conversation], { cwd, env });
    let terminal = await begin('--session-id');
    cleanUps.push(() => terminal[Symbol.asyncDispose]());
    const { id } = await until('the agent', async () =>
      (await owner.agents.list()).data.find(({ meta, status }) => meta['cwd'] === cwd && status === 'idle'),
    );
    const order = (number: number) =>
      untilGranted(`message ${number} to be taken`, () =>
        owner.messages.send({ to: `id:${id}`, body: `note ${number}`, idempotencyKey: `n${number}` }),
      );
    const receiptOf = async (messageId: number) =>
      (await owner.messages.deliveries({ id: messageId }).catch(() => ({ data: [] }))).data[0]?.state;
    const first = await order(0);
    await until('the first to be read', async () => (await receiptOf(first.id)) === 'seen');
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
          // In the middle of an answer: what it was asked in is known, and what it has kept of that is its own affair.
          happen: told('cli', async () => {
            const pid = await terminal.pid();
            await shown.next(over.signal);
            if (over.signal.aborted) return;
            process.kill(pid, 'SIGKILL');
            await terminal[Symbol.asyncDispose]();
            terminal = await begin('--resume');
          }),
        },
      },
      random,
      over.signal,
    );
    const ids = [first.id];
    // Until each of them has happened.
    while (ids.length < count || happened.size < 3) {
      ids.push((await order(ids.length)).id);
      await pause(random() * 200);
    }
    over.abort();
    const counts = await chaos;
    const unread = async () => {
      const states = await Promise.all(ids.map(receiptOf));
      return ids.flatMap((messageId, at) => (states[at] === 'seen' ? [] : [`${messageId} ${states[at]}`]));
    };
    await until('every receipt', async () => (await unread()).length === 0, 60_000 + ids.length * 500).catch(async (error: unknown) => {
      throw new Error(`${String(error)}; unread: ${(await unread()).join(', ')}; it shows:\n${await terminal.screen()}`, { cause: error });
    });
    await until('rest', async () => (await owner.agents.get({ id })).status === 'idle');
    if (process.env['AGENT_RELAY_TEST_MESSAGES']) console.log(`plugin: ${ids.length} messages, ${JSON.stringify(counts)}`);
    const counted = ids.map((messageId) => ({ messageId, times: shown.times(messageId) }));
    expect(counted.filter(({ times }) => times !== 1)).toEqual([]);
  },
);
