/**
 * How long after a prompt the first of the answer is there: in a session that runs already, beside a `claude -p` that is started for each prompt. Both in
 * one run, in turns, against a model on loopback that answers at once; medians, and their ratio.
 *
 *     node --conditions=agent-relay-source bench/claude/first-text.ts [--rounds 9]
 */
import { parseArgs } from 'node:util';
import { launchClaude } from 'agent-relay-claude';
import { agentCliPaths, startFakeAnthropic, tempHome, wordScript } from 'agent-relay-testing';
import { spawnProcess } from 'agent-relay-wire/node';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '9' } } });
const command = agentCliPaths().claude;
const home = await tempHome();
const model = await startFakeAnthropic({ model: wordScript() });
const env = { ...home.env(), ...model.env() };
const cwd = home.workFolder;

const session = await launchClaude({ command, cwd, env });
const events = session.events[Symbol.asyncIterator]();

async function until(type: string): Promise<number> {
  for (;;) {
    const { value, done } = await events.next();
    if (done) throw new Error(`the session ended before ${type}`);
    if (value.type === type) return performance.now();
  }
}

async function warm(): Promise<number> {
  const began = performance.now();
  await session.prompt('say: hello');
  const first = await until('text.delta');
  await until('turn.completed');
  return first - began;
}

async function spawned(): Promise<number> {
  const began = performance.now();
  const format = ['--output-format', 'stream-json', '--verbose', '--include-partial-messages'];
  const child = await spawnProcess({ command, args: ['-p', ...format, '--', 'say: hello'], cwd, env, stdin: 'ignore' });
  let first = 0;
  let printed = '';
  for await (const chunk of child.stdout) {
    printed = first === 0 ? printed + String(chunk) : '';
    if (first === 0 && printed.includes('"text_delta"')) first = performance.now();
  }
  await child.exited;
  if (first === 0) throw new Error('claude -p said nothing');
  return first - began;
}

const median = (all: readonly number[]): number => all.toSorted((one, other) => one - other)[Math.floor(all.length / 2)] ?? Number.NaN;

// The first of each is slower: the disk is cold, and the session reads what it needs once.
await warm();
await spawned();
const measured = { warm: [] as number[], spawned: [] as number[] };
for (let round = 0; round < Number(values.rounds); round += 1) {
  measured.warm.push(await warm());
  measured.spawned.push(await spawned());
}
await session.close();
await model.close();
await home.remove();
const [ofWarm, ofSpawned] = [median(measured.warm), median(measured.spawned)];
console.log(`first text in a running session  ${ofWarm.toFixed(1)} ms`);
console.log(`first text of a new claude -p    ${ofSpawned.toFixed(1)} ms`);
console.log(`ratio                            ${(ofSpawned / ofWarm).toFixed(1)}`);
