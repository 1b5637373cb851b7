import type { Abilities, NodeProvider } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { runCli } from '../src/cli/run-cli.ts';
import { startTestRelay } from '../src/testing.ts';
import { attachNode } from './support/fake-node.ts';

const abilities: Abilities = { steer: 'joins', approvals: true, diffs: true, resume: true, modes: ['agentic'], sandbox: [] };
const kind = (id: string, more: Partial<Abilities> = {}): NodeProvider => ({
  id,
  available: true,
  version: '1',
  reason: null,
  abilities: { ...abilities, ...more },
});

test('an agent of a kind that asks nobody is not said to: neither when somebody wants it, nor by default at a terminal', async () => {
  await using relay = await startTestRelay();
  const node = await attachNode(relay.url, relay.ownerToken, 'desk', [kind('codex'), kind('codex-exec', { approvals: false })]);
  const atTerminal = async (...args: string[]) => {
    const notes: string[] = [];
    const code = await runCli(['spawn', ...args, '--url', relay.url, '--token', relay.ownerToken], {
      env: { HOME: '/nonexistent' },
      cwd: '/',
      signal: new AbortController().signal,
      out: () => {},
      note: (line) => notes.push(line),
      ask: () => Promise.resolve(''),
    });
    return { code, notes: notes.join('\n') };
  };
  expect(await atTerminal('codex', '--transport', 'cli', '--name', 'One', '--ask')).toEqual({
    code: 1,
    notes: 'error: codex-exec cannot ask a person; codex can (unsupported)',
  });
  const byDefault = await atTerminal('codex', '--transport', 'cli', '--name', 'Two');
  expect([byDefault.code, byDefault.notes.includes('It may ask you')]).toEqual([0, false]);
  const other = await atTerminal('codex', '--name', 'Three');
  expect([other.code, other.notes.includes('It may ask you')]).toEqual([0, true]);
  await node.peer.close();
});
