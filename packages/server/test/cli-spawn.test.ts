import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { standing } from '../src/cli/spawn.ts';
import { startTestRelay } from '../src/testing.ts';
import { attachNode } from './support/fake-node.ts';
import { agentRelay, runHere } from './support/run-command.ts';

test('of several machines an agent starts where the command is typed, and which one it is is said', async () => {
  await using relay = await startTestRelay();
  const here = await attachNode(relay.url, relay.ownerToken, hostname());
  const only = await agentRelay(relay, 'spawn', 'claude', '--name', 'First');
  expect(only.out).toBe('First runs: claude in /folder (mode agentic)');
  const mini = await attachNode(relay.url, relay.ownerToken, 'mini');
  // It has fewer sessions, which decides where nobody is at a machine.
  const second = await agentRelay(relay, 'spawn', 'claude', '--name', 'Second');
  expect(second.out).toBe(`Second runs: claude in /folder on ${hostname()} (mode agentic)`);
  const third = await agentRelay(relay, 'spawn', 'claude', '--name', 'Third', '--node', mini.nodeId);
  expect(third.out).toBe('Third runs: claude in /folder on mini (mode agentic)');
  await Promise.all([here, mini].map(({ peer }) => peer.close()));
});

test("of the relay's own machine and others an agent starts on that one where the command is typed there", async () => {
  await using relay = await startTestRelay();
  const own = await attachNode(relay.url, relay.ownerToken, 'local');
  const mini = await attachNode(relay.url, relay.ownerToken, 'mini');
  const spawn = async (name: string) =>
    (await runHere(['spawn', 'claude', '--name', name, '--db', relay.databasePath], { env: { HOME: '/nonexistent' }, cwd: '/' })).out;
  expect(await spawn('First')).toBe('First runs: claude in /folder on local (mode agentic)\n');
  expect(await spawn('Second')).toBe('Second runs: claude in /folder on local (mode agentic)\n');
  await Promise.all([own, mini].map(({ peer }) => peer.close()));
});

test('an agent that mail wakes is listed also when it is not there, and no more when that was ended', async () => {
  await using relay = await startTestRelay();
  const node = await attachNode(relay.url, relay.ownerToken, 'mini');
  const listedAs = async () => (await agentRelay(relay, 'agents')).out.split('\n').find((line) => line.startsWith('Worker '));
  await agentRelay(relay, 'spawn', 'claude', '--name', 'Worker', '--wake', 'fresh');
  expect(await listedAs()).toMatch(/^Worker +online, wakes on mail +claude /u);
  await agentRelay(relay, 'release', 'Worker');
  expect(await listedAs()).toMatch(/^Worker +offline, wakes on mail +claude /u);
  const ended = { code: 0, out: 'Worker has ended, and mail no longer starts it again' };
  expect(await agentRelay(relay, 'release', 'Worker', '--no-wake')).toMatchObject(ended);
  expect(await listedAs()).toBeUndefined();
  await node.peer.close();
});

test('of a start that was asked for again is said what became of it', () => {
  expect(standing({ status: 'running', reason: null })).toBe('runs');
  expect(standing({ status: 'starting', reason: null })).toBe('is being started');
  expect(standing({ status: 'ended', reason: 'Done' })).toBe('ran and has ended (Done)');
  expect(standing({ status: 'failed', reason: 'It crashed' })).toBe('ran and has failed (It crashed)');
});

test('an option that goes with another says so in the names of options', async () => {
  await using relay = await startTestRelay();
  for (const [option, words] of [
    [['--idle', '5'], 'error: --idle goes with --wake resume or --wake fresh'],
    [['--fork'], 'error: --fork goes with --resume'],
  ] as const) {
    const { code, notes } = await agentRelay(relay, 'spawn', 'claude', '--name', 'First', ...option);
    expect([code, notes]).toEqual([2, words]);
  }
});
