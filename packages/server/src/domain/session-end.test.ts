import { expect, test } from 'vitest';
import { spawnAgain } from './session-end.ts';

test('the command that brings an agent back works as it is printed, whatever its folder is called', () => {
  const session = { provider: 'claude', agentId: 'Worker', cwd: '/srv/app', mode: 'agentic' } as const;
  expect(spawnAgain(session)).toBe('agent-relay spawn claude --name Worker --cwd /srv/app');
  expect(spawnAgain({ ...session, cwd: "/srv/Ann's $HOME", mode: 'safe' })).toBe(
    `agent-relay spawn claude --name Worker --cwd '/srv/Ann'\\''s $HOME' --mode safe`,
  );
  expect(spawnAgain({ ...session, cwd: null })).toBe('agent-relay spawn claude --name Worker');
});
