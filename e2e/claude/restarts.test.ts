import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { databasePathOf, ownerTokenPath } from 'agent-relay-server';
import { agentCliPaths, freePort, startFakeAnthropic, tempHome, wordScript } from 'agent-relay-testing';
import { type ChildHandle, spawnProcess } from 'agent-relay-wire/node';
import { afterEach, expect, test } from 'vitest';
import { cableTo } from '../support/cable.ts';
import { breakThings, randomOf } from '../support/chance.ts';
import { nodeProcessOf } from '../support/node-process.ts';
import { startAgentRelay } from '../support/programs.ts';
import { timesShown } from '../support/times-shown.ts';
import { until, untilGranted } from '../support/until.ts';

const dialProgram = fileURLToPath(new URL('../../packages/claude/dist/cli.js', import.meta.url));
const { claude, claudeDialling } = agentCliPaths();
/** `AGENT_RELAY_TEST_MESSAGES=500` sends as many, and prints what happened; the seed is in the tests' names. */
const count = Number(process.env['AGENT_RELAY_TEST_MESSAGES'] ?? 60);
const seed = Number(process.env['AGENT_RELAY_TEST_SEED'] ?? Date.now() % 1_000_000);

const cleanUps: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function world() {
  const home = await tempHome();
  cleanUps.push(() => home.remove());
  const model = await startFakeAnthropic({ model: wordScript() });
  cleanUps.push(() => model.close());
  const port = await freePort();
  const start = () => startAgentRelay({ home, env: model.env(), port });
  let relay = await start();
  cleanUps.push(() => relay.end());
  const client: RelayClient = createNodeRelayClient({
    url: relay.url,
    token: (await readFile(ownerTokenPath(databasePathOf(relay.env)), 'utf8')).trim(),
  });
  cleanUps.push(() => client.close());
  const restart = async () => {
    await relay.end('SIGKILL');
    relay = await start();
  };
  return { home, model, port, client, restart };
}

const ways = [
  ['2.1.120 by --sdk-url', claudeDialling, 'sdk-url'],
  ['the newest by dial', claude, 'dial'],
] as const;

test.each(ways.filter(([, command]) => command !== undefined))(
  `what Claude Code %s is sent reaches its model once, or its receipt says what came between, while its socket, its relay, the relay’s machine and the CLI are killed (seed ${seed})`,
  { timeout: 150_000 + count * 1_500 },
  async (_name, command = '', way) => {
    const { home, model, port, client, restart } = await world();
    const cable = await cableTo(port);
    cleanUps.push(() => cable[Symbol.asyncDispose]());
    const { token } = await client.tokens.create({ name: 'Solo', kind: 'agent', agentId: 'Solo' });
    const url = `ws://127.0.0.1:${cable.port}/claude/Solo`;
    const byItself = ['--sdk-url', url, '--print', '--include-partial-messages', '--replay-user-messages', '-p', ''];
    const begin = () =>
      spawnProcess({
        ...(way === 'dial'
          ? { command: process.execPath, args: [dialProgram, 'dial', '--command', command, '--cwd', home.workFolder, url] }
          : { command, args: byItself }),
        cwd: home.workFolder,
        env: { ...home.env(), ...model.env(), CLAUDE_CODE_SESSION_ACCESS_TOKEN: token },
        stdout: 'ignore',
      });
    let child: ChildHandle = await begin();
    cleanUps.push(() => child.kill());
    await client.agents.register({ id: 'Helper', name: 'Helper' });
    await until('Solo', async () => (await client.agents.get({ id: 'Solo' }).catch(() => null))?.status === 'idle' || undefined);
    const random = randomOf(seed);
    const sending = new AbortController();
    // What `relay-connect` has handed over in the very moment in which it dies goes out again under the same uuid, and the CLI drops it; where the CLI is
    // killed too before anybody heard of it, its sender is told so.
    const chaos = breakThings(
      {
        cut: { share: 0.5, happen: cable.cut },
        relay: { share: 0.2, happen: restart },
        node: {
          share: 0.15,
          happen: async () => {
            const pid = await nodeProcessOf(home);
            if (pid !== undefined) process.kill(pid, 'SIGKILL');
          },
        },
        cli: {
          share: 0.15,
          happen: async () => {
            await child.kill({ graceMs: 0 });
            child = await begin();
          },
        },
      },
      random,
      sending.signal,
    );
    const ids: number[] = [];
    for (let number = 1; number <= count; number += 1) {
      const message = { from: 'Helper', to: 'id:Solo', body: `say: got ${number}`, idempotencyKey: `n${number}` };
      ids.push((await untilGranted(`message ${number} to be taken`, () => client.messages.send(message))).id);
      await pause(random() * 150);
    }
    sending.abort();
    const counts = await chaos;
    const receiptOf = async (id: number) => {
      const [receipt] = (await client.messages.deliveries({ id }).catch(() => ({ data: [] }))).data;
      return { state: receipt?.state, reason: receipt?.reason ?? null };
    };
    const isTold = ({ state, reason }: Awaited<ReturnType<typeof receiptOf>>) => state === 'seen' || reason !== null;
    await until('every receipt', async () => (await Promise.all(ids.map(receiptOf))).every(isTold) || undefined, 120_000);
    await until('rest', async () => (await client.agents.get({ id: 'Solo' })).status === 'idle' || undefined);
    const receipts = await Promise.all(ids.map(receiptOf));
    const times = timesShown(model.requests, ids);
    const told = receipts.map(({ state, reason }, at) => ({ id: ids[at], times: times[at], state, reason }));
    const wrong = told.filter((each) => (each.times ?? 0) > 1 || (each.times === 0 && (each.state === 'seen' || each.reason === null)));
    if (process.env['AGENT_RELAY_TEST_MESSAGES'])
      console.log(
        `${way}: ${count} messages, ${JSON.stringify(counts)}, ${told.filter(({ times }) => times === 0).length} died on the way`,
      );
    expect(wrong).toEqual([]);
    expect(Object.values(counts).reduce((sum, each) => sum + each, 0)).toBeGreaterThan(1);
  },
);
