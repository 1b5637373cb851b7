import { readFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { databasePathOf, ownerTokenPath } from 'agent-relay-server';
import { agentCliPaths, startFakeAnthropic, tempHome, wordScript } from 'agent-relay-testing';
import { type ChildHandle, spawnProcess } from 'agent-relay-wire/node';
import { afterEach, expect, test } from 'vitest';
import { freePort, startAgentRelay } from '../support/programs.ts';
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

/** What is between the CLI and the relay, cut whenever the test likes. */
async function cableTo(port: number) {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  cleanUps.push(() => {
    server.close();
    cut();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return { port: address.port, cut };
}

/** Numbers from 0 to 1, the same for the same seed. */
function randomOf(start: number): () => number {
  let state = start;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

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
  `every message reaches Claude Code %s once, and its receipt says so, while its socket and its relay are restarted (seed ${seed})`,
  { timeout: 120_000 + count * 1_000 },
  async (_name, command = '', way) => {
    const { home, model, port, client, restart } = await world();
    const cable = await cableTo(port);
    const { token } = await client.tokens.create({ name: 'Solo', kind: 'agent', agentId: 'Solo' });
    const url = `ws://127.0.0.1:${cable.port}/claude/Solo`;
    const byItself = ['--sdk-url', url, '--print', '--include-partial-messages', '--replay-user-messages', '-p', ''];
    const child: ChildHandle = await spawnProcess({
      ...(way === 'dial'
        ? { command: process.execPath, args: [dialProgram, 'dial', '--command', command, '--cwd', home.workFolder, url] }
        : { command, args: byItself }),
      cwd: home.workFolder,
      env: { ...home.env(), ...model.env(), CLAUDE_CODE_SESSION_ACCESS_TOKEN: token },
      stdout: 'ignore',
    });
    cleanUps.push(() => child.kill());
    await client.agents.register({ id: 'Helper', name: 'Helper' });
    await until('Solo', async () => (await client.agents.get({ id: 'Solo' }).catch(() => null))?.status === 'idle' || undefined);
    const random = randomOf(seed);
    const sending = new AbortController();
    let [cuts, restarts] = [0, 0];
    const chaos = (async () => {
      while (!sending.signal.aborted) {
        await pause(300 + random() * 2_500);
        if (random() < 0.6) {
          cable.cut();
          cuts += 1;
        } else {
          await restart();
          restarts += 1;
        }
      }
    })();
    const ids: number[] = [];
    for (let number = 1; number <= count; number += 1) {
      const message = { from: 'Helper', to: 'id:Solo', body: `say: got ${number}`, idempotencyKey: `n${number}` };
      ids.push((await untilGranted(`message ${number} to be taken`, () => client.messages.send(message))).id);
      await pause(random() * (9_000 / count));
    }
    sending.abort();
    await chaos;
    const receiptOf = async (id: number) => (await client.messages.deliveries({ id })).data.map(({ state, reason }) => ({ state, reason }));
    await until(
      'every receipt',
      async () =>
        (await Promise.all(ids.map(receiptOf).map((each) => each.catch(() => [])))).every(([first]) => first?.state === 'seen') ||
        undefined,
      90_000,
    );
    const longest = model.requests
      .map(({ body }) => JSON.stringify(body ?? ''))
      .reduce((one, other) => (other.length > one.length ? other : one), '');
    const times = ids.map((id) => longest.split(`[msg:${id}] from Helper:`).length - 1);
    if (process.env['AGENT_RELAY_TEST_MESSAGES']) console.log(`${way}: ${count} messages, ${cuts} cuts, ${restarts} restarts of the relay`);
    expect(times).toEqual(ids.map(() => 1));
    expect((await client.sessions.list({ agent: 'Solo' })).data.map(({ status }) => status)).toEqual(['running']);
    expect(cuts + restarts).toBeGreaterThan(1);
  },
);
