import { createNodeRelayClient } from 'agent-relay-client/node';
import { expect, test } from 'vitest';
import { runCli } from '../src/cli/run-cli.ts';
import { startTestRelay, type TestRelay } from '../src/testing.ts';
import { attachNode } from './support/fake-node.ts';
import { agentRelay } from './support/run-command.ts';

/** A person at a terminal who answers every question so. */
async function asked(relay: TestRelay, answer: string, ...args: string[]) {
  const questions: string[] = [];
  const code = await runCli([...args, '--url', relay.url, '--token', relay.ownerToken], {
    env: { HOME: '/nonexistent' },
    cwd: '/',
    signal: new AbortController().signal,
    out: () => {},
    note: () => {},
    ask: async (question) => {
      questions.push(question);
      return answer;
    },
  });
  return { code, questions: questions.length };
}

test('a machine is let in, listed, renamed and taken out from a terminal', async () => {
  await using relay = await startTestRelay();
  await using owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  const run = (...args: string[]) => agentRelay(relay, 'nodes', ...args);
  expect(await run()).toEqual({
    code: 0,
    out: '',
    notes: 'No machines. On one that is to run agents: relay-connect pair --url <this relay>',
  });
  expect((await run('pending')).notes).toBe('No machine asks to be let in.');
  const { code, secret } = relay.relay.pairings.request({ name: 'far', version: '0.1.0' }, '10.0.0.7');
  expect((await run('pending')).out).toMatch(
    new RegExp(`^CODE +NAME +VERSION +FROM +SINCE\\n${code} +far +0\\.1\\.0 +10\\.0\\.0\\.7 +\\d\\d:`, 'u'),
  );
  expect(await run('pair', '2222-2222')).toEqual({
    code: 1,
    out: '',
    notes: 'error: No machine waits under the code 2222-2222 (not_found)',
  });
  expect((await run('pair', '22')).code).not.toBe(0);
  const paired = await run('pair', code.toLowerCase());
  expect(paired.out).toMatch(/^far \(machine-[0-9a-f]{8}, relay-connect 0\.1\.0\) is paired\.$/u);
  const outcome = relay.relay.pairings.outcome(secret);
  const { nodeId, token } = outcome.status === 'accepted' ? outcome : { nodeId: '', token: '' };
  const link = await attachNode(relay.url, token, 'far');
  await owner.sessions.start({ name: 'worker', provider: 'claude', node: nodeId });
  expect((await run()).out).toMatch(
    new RegExp(`^ID +NAME +STATUS +VERSION +AGENTS +PROVIDERS +LABELS\\n${nodeId} +far +online +0\\.1\\.0 +1 +claude +-$`, 'u'),
  );
  expect(JSON.parse((await run('list', '--json')).out)).toMatchObject({ nodeId, name: 'far', runningSessions: 1 });
  expect((await run('rename', 'far', 'attic')).out).toBe(`${nodeId} is called attic now.`);
  expect(await run('rename', 'far', 'x')).toEqual({ code: 1, out: '', notes: 'error: there is no machine far' });
  expect((await run('remove', 'attic')).code).toBe(2);
  expect(await run('remove', 'attic', '--dry-run')).toEqual({
    code: 0,
    out: '',
    notes: `attic (${nodeId}) is online and runs worker.\nNothing was changed: this was --dry-run.`,
  });
  expect(await asked(relay, 'n', 'nodes', 'remove', 'attic')).toEqual({ code: 0, questions: 1 });
  expect((await run()).out).toContain('attic');
  expect(await asked(relay, 'y', 'nodes', 'remove', nodeId)).toEqual({ code: 0, questions: 1 });
  await link.peer.closed;
  expect((await run()).out).toBe('');
});
