import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { RelayError } from 'agent-relay-protocol';
import { databasePathOf, ownerTokenPath } from 'agent-relay-server';
import { freePort, say, startFakeOpenAi, tempHome } from 'agent-relay-testing';
import { expect, test } from 'vitest';
import { linkAgentClis, type RunningProgram, startAgentRelay } from '../support/programs.ts';
import { until } from '../support/until.ts';
import { killServerOf } from './kill-server.ts';

const program = fileURLToPath(new URL('../../packages/codex-plugin/dist/codex-relay.js', import.meta.url));
const messages = 30;
/** After how many messages what is killed. */
const kills: Readonly<Record<number, 'relay' | 'server'>> = { 5: 'relay', 10: 'server', 15: 'relay', 20: 'server', 25: 'relay' };

test('a codex-relay whose relay and whose server are killed again and again has each message once and in order, with a receipt that holds', async () => {
  await using home = await tempHome();
  const model = await startFakeOpenAi({ model: () => say('A word and another. ', { chunks: 3, delayMs: 30 }) });
  await model.writeCodexHome(home.codexHome);
  const bin = await linkAgentClis(home);
  const port = await freePort();
  const startRelay = () => startAgentRelay({ home, port, args: ['--no-local-node'] });
  let relay: RunningProgram = await startRelay();
  const token = (await readFile(ownerTokenPath(databasePathOf(relay.env)), 'utf8')).trim();
  await using client = createNodeRelayClient({ url: relay.url, token });
  const mark = `codex-relay-outages-${process.pid}`;
  const session = spawn(process.execPath, [program, '--headless'], {
    cwd: home.workFolder,
    env: {
      ...home.env(),
      ...model.env(),
      PATH: [bin, process.env['PATH']].join(delimiter),
      AGENT_RELAY_URL: relay.url,
      AGENT_RELAY_TOKEN: token,
      E2E_MARK: mark,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    let printed = '';
    for await (const chunk of session.stdout) {
      printed += String(chunk);
      if (printed.includes('codex resume --remote')) break;
    }
    const agentId = /^\S+/u.exec(printed)?.[0] ?? '';
    const strike = {
      relay: async () => {
        await relay.end('SIGKILL');
        relay = await startRelay();
      },
      server: () => killServerOf(mark),
    };
    const sent: number[] = [];
    for (let count = 1; count <= messages; count += 1) {
      const message = { to: `id:${agentId}`, body: `message ${count}`, idempotencyKey: crypto.randomUUID() };
      sent.push(await until(`message ${count} to be stored`, () => stored(() => client.messages.send(message))));
      const victim = kills[count];
      if (victim) await strike[victim]();
    }
    const stateOf = async (id: number) => (await client.messages.deliveries({ id })).data[0]?.state;
    await until('the last message to be seen', async () => (await stateOf(sent.at(-1) ?? 0)) === 'seen', 120_000);
    const read = JSON.stringify(model.requests.at(-1)?.model?.conversation).matchAll(/\[msg:(\d+)\] from owner/gu);
    expect([...read].map(([, id]) => Number(id))).toEqual(sent);
    const unseen = (await Promise.all(sent.map(stateOf))).filter((state) => state !== 'seen');
    expect(unseen.filter((state) => state !== 'delivered')).toEqual([]);
    // Nobody says that a turn was over which its server took with it.
    expect(unseen.length).toBeLessThanOrEqual(Object.values(kills).filter((victim) => victim === 'server').length);
  } finally {
    session.kill('SIGTERM');
    if (session.exitCode === null && session.signalCode === null) await once(session, 'exit');
    await relay.end();
    await model.close();
  }
});

/** Undefined while the relay is away. */
async function stored(send: () => Promise<{ readonly id: number }>): Promise<number | undefined> {
  try {
    return (await send()).id;
  } catch (error) {
    if (error instanceof RelayError && error.retryable) return undefined;
    throw error;
  }
}
