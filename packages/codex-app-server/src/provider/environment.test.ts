import { expect, test } from 'vitest';
import { serverEnvironment, threadEnvironment } from './environment.ts';

test("a shared server does not know one agent's identity, but keeps the mark of its process tree", () => {
  const env = { PATH: '/bin', AGENT_RELAY_TOKEN: 'secret', AGENT_RELAY_PROCESS_TREE: 'tree' };
  expect(serverEnvironment(env)).toEqual({ PATH: '/bin', AGENT_RELAY_PROCESS_TREE: 'tree' });
});

test("an agent's commands get what is theirs and nothing of another agent", () => {
  const shared = { PATH: '/bin', EDITOR: 'vi', AGENT_RELAY_PROCESS_TREE: 'tree' };
  const env = { PATH: '/bin', AGENT_RELAY_TOKEN: 'secret' };
  expect(threadEnvironment(env, shared)).toEqual({ inherits: true, set: { AGENT_RELAY_TOKEN: 'secret' }, exclude: ['EDITOR'] });
});

test('where the server is somebody else’s an agent’s commands get theirs and nothing of it, with the mark of their host', () => {
  const env = { PATH: '/bin', AGENT_RELAY_PROCESS_TREE: 'tree' };
  expect(threadEnvironment(env, null)).toEqual({ inherits: false, set: env, exclude: [] });
});
