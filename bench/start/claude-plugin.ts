/**
 * What the plugin for Claude Code adds to a session's start: how long after its start, with a prompt on the command line, the model is asked. Without the
 * plugin; with it and a relay; without a relay; and with one that takes connections and says nothing. Real sessions in terminals of their own, in turns;
 * medians, and what each has beyond the first. Exits with 1 where that is more than 300 ms. After a build.
 *
 *     node --conditions=agent-relay-source bench/start/claude-plugin.ts [--rounds 9]
 */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startTestRelay } from 'agent-relay-server/testing';
import { agentCliPaths, say, startFakeAnthropic, tempHome } from 'agent-relay-testing';
import { openTerminal } from '../../e2e/support/terminal.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '9' } } });
const MOST_MS = 300;
const pluginFolder = fileURLToPath(new URL('../../packages/claude-plugin', import.meta.url));
const { claude, claudeBetween } = agentCliPaths();
const newest = claudeBetween.find(([version]) => version === '2.1.332')?.[1] ?? claude;

let asked: (at: number) => void = () => {};
const home = await tempHome();
const anthropic = await startFakeAnthropic({
  model: () => {
    asked(performance.now());
    return say('Hello.');
  },
});
const relay = await startTestRelay();
const silent = createServer().listen(0, '127.0.0.1');
await once(silent, 'listening');
const closed = createServer().listen(0, '127.0.0.1');
await once(closed, 'listening');
const addressOf = (server: typeof silent) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // both listen on a port
const nowhere = addressOf(closed);
closed.close();

const plugin = ['--plugin-dir', pluginFolder];
const situations: readonly { readonly name: string; readonly args: readonly string[]; readonly url: string }[] = [
  { name: 'without the plugin', args: [], url: relay.url },
  { name: 'with it', args: plugin, url: relay.url },
  { name: 'with it, no relay there', args: plugin, url: nowhere },
  { name: 'with it, a relay that says nothing', args: plugin, url: addressOf(silent) },
];

async function start({ args, url }: (typeof situations)[number]): Promise<number> {
  const env = {
    ...home.env(),
    ...anthropic.env(),
    PATH: process.env['PATH'],
    AGENT_RELAY_URL: url,
    AGENT_RELAY_TOKEN: relay.ownerToken,
  };
  const isAsked = new Promise<number>((resolve) => {
    asked = resolve;
  });
  const began = performance.now();
  await using _terminal = await openTerminal([newest, ...args, 'hello'], { cwd: home.workFolder, env });
  return (await isAsked) - began;
}

/** So long a session that has ended has for its last hooks, which would take the time of the next. */
const REST_MS = 1_000;

const median = (all: readonly number[]): number => all.toSorted((one, other) => one - other)[Math.floor(all.length / 2)] ?? Number.NaN;

const measured = situations.map((situation) => ({ situation, all: [] as number[] }));
// The first round is to warm the disk.
for (let round = 0; round <= Number(values.rounds); round += 1) {
  for (const { situation, all } of measured) {
    const ms = await start(situation);
    await sleep(REST_MS);
    if (round > 0) all.push(ms);
  }
}
silent.close();
await relay.close();
await anthropic.close();
await home.remove();

const bare = median(measured[0]?.all ?? []);
for (const { situation, all } of measured) {
  const ms = median(all);
  console.log(`${situation.name.padEnd(36)} ${ms.toFixed(0).padStart(5)} ms  ${(ms - bare).toFixed(0).padStart(5)} ms more`);
  if (ms - bare > MOST_MS) process.exitCode = 1;
}
